#include "command_line/command_line.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <memory>
#include <sstream>
#include <utility>

#include "base/format.h"

namespace muxbench {
namespace {

constexpr std::size_t kLeft = 30;    // where descriptions begin
constexpr std::size_t kWidth = 100;  // where they are broken

std::string without_spaces_at_end(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    const std::string help = CLI::Formatter::make_help(app, std::move(name), mode);
    return CLI::detail::find_and_replace(help, "\n\n\n", "\n\n");
  }
  std::string make_option(const CLI::Option* option, bool positional) const override {
    return entry(make_option_name(option, positional) + make_option_opts(option),
                 option->get_description());
  }
  std::string make_subcommand(const CLI::App* command) const override {
    return entry(command->get_name(), command->get_description());
  }
  // Without CLI11's remark on the number of subcommands.
  std::string make_description(const CLI::App* app) const override {
    std::string text;
    for (const std::string& line : broken(app->get_description(), kWidth)) text += line + "\n";
    return text.empty() ? text : text + "\n";
  }

  // A flag that switches off is "--no-x{false}" to CLI11.
  std::string make_option_name(const CLI::Option* option, bool positional) const override {
    const std::string name = CLI::Formatter::make_option_name(option, positional);
    return name.substr(0, name.find('{'));
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";
    std::string text;
    if (!option->get_positional()) text += " " + option->get_type_name();
    const bool one_word = option->get_delimiter() != '\0';  // with several values in it
    if (option->get_expected_max() == CLI::detail::expected_max_vector_size && !one_word) {
      text += "...";
    }
    return option->get_required() ? text + " (required)" : text;
  }

 private:
  static std::vector<std::string> broken(const std::string& text, std::size_t width) {
    std::vector<std::string> lines(1);
    std::istringstream words(text);
    for (std::string word; words >> word;) {
      const bool has_room = lines.back().size() + 1 + word.size() <= width;
      if (!lines.back().empty() && !has_room) lines.emplace_back();
      lines.back() += (lines.back().empty() ? "" : " ") + word;
    }
    return lines;
  }

  static std::string entry(const std::string& name, const std::string& description) {
    std::string left = "  " + name;
    std::string text;
    if (left.size() + 2 > kLeft) text = std::exchange(left, "") + "\n";
    for (const std::string& line : broken(description, kWidth - kLeft)) {
      text += without_spaces_at_end(fmt::format("{:<{}}{}", left, kLeft, line)) + "\n";
      left.clear();
    }
    return text;
  }
};

std::string or_list(const std::vector<std::string>& words) {
  if (words.size() == 1) return words.front();
  const std::vector<std::string> first(words.begin(), words.end() - 1);
  return fmt::format("{} or {}", fmt::join(first, ", "), words.back());
}

// CLI11 writes the name of the option before it.
CLI::Validator check(std::function<std::string(const std::string&)> complaint) {
  return CLI::Validator([complaint](std::string& text) { return complaint(text); }, "");
}

template <typename Number>
bool reads_as(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// Not by its name, which may be that of a subcommand.
template <typename Kind>
bool is_a(const CLI::ParseError& error) {
  return dynamic_cast<const Kind*>(&error) != nullptr;
}

// Takes the end off, if it is there.
bool ends_with(std::string& text, const std::string& end) {
  if (!text.ends_with(end)) return false;
  text.erase(text.size() - end.size());
  return true;
}

}  // namespace

void set_up_help(CLI::App& app) {
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "Print this help and exit");
}

void name_values(CLI::App& app, std::initializer_list<Placeholder> placeholders) {
  for (const auto& [word, options] : placeholders) {
    for (const char* option : options) app.get_option(option)->type_name(word);
  }
}

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  return check([least, most](const std::string& text) -> std::string {
    std::uint64_t number = 0;
    if (reads_as(text, number) && number >= least && number <= most) return "";
    const std::string range = format_range(least, most);
    return fmt::format("must be a whole number{}{}, not \"{}\"",
                       range.starts_with("from") ? " " : ", ", range, text);
  });
}

CLI::Validator whole_number(std::uint64_t least) {
  return whole_number(least, std::numeric_limits<std::uint64_t>::max());
}

CLI::Validator number(double least, double most) {
  return check([least, most](const std::string& text) -> std::string {
    double value = 0;
    if (reads_as(text, value) && value >= least && value <= most) return "";
    return fmt::format("must be a number from {:g} to {:g}, not \"{}\"", least, most, text);
  });
}

CLI::Validator one_of(std::vector<std::string> words) {
  return check([words = std::move(words)](const std::string& text) -> std::string {
    if (std::find(words.begin(), words.end(), text) != words.end()) return "";
    return fmt::format("must be {}, not \"{}\"", or_list(words), text);
  });
}

CLI::Validator folder() {
  return check([](const std::string& text) -> std::string {
    std::error_code ignored;
    if (std::filesystem::is_directory(text, ignored)) return "";
    return fmt::format("must be a folder, and \"{}\" is none", text);
  });
}

Error command_line_error(const CLI::ParseError& error, const std::string& program) {
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  const bool wrong_count = is_a<CLI::ArgumentMismatch>(error);
  const auto colon = text.find(": ");
  const std::string name = text.substr(0, colon);
  const std::string rest = colon == std::string::npos ? "" : text.substr(colon + 2);
  if (is_a<CLI::ValidationError>(error)) {
    return usage_error("{}{}{}", name, rest.starts_with("must ") ? " " : ": ", rest);
  }
  std::string cause = text;
  if (is_a<CLI::ExtrasError>(error)) {
    // CLI11 lists the words from the last to the first; a value may follow an option.
    const auto option = rest.rfind(" -");
    const auto first = option != std::string::npos ? option + 1
                       : rest.starts_with("-")     ? 0
                                                   : rest.rfind(' ') + 1;
    const std::string word = rest.substr(first, rest.find(' ', first) - first);
    cause = word.starts_with("-") ? fmt::format("there is no option {}", word)
                                  : fmt::format("unexpected argument \"{}\"", word);
  } else if (wrong_count && ends_with(text, " missing")) {
    cause = name + " needs a value";
  } else if (wrong_count && ends_with(text, " was given a disallowed flag override")) {
    cause = text + " takes no value";
  } else if (is_a<CLI::ConversionError>(error) && name == "Could not convert") {
    const auto equals = rest.find(" = ");
    return usage_error("{} must be a number, not \"{}\"", rest.substr(0, equals),
                       rest.substr(equals + 3));
  }
  return usage_error("{}; {} --help lists the options", cause, program);
}

}  // namespace muxbench
