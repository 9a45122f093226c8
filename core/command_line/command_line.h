// How the programs of muxbench write their --help, and what is wrong with a command line: on top of
// CLI11, whose own words are for those who know C++.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/error.h"

namespace muxbench {

// Before subcommands are added, which take over what their parent has.
void set_up_help(CLI::App& app);

// What options take, in a word that their --help shows: "N", "TIME".
struct Placeholder {
  const char* word;
  std::vector<const char*> options;
};
void name_values(CLI::App& app, std::initializer_list<Placeholder> placeholders);

// Checks whose complaints are sentences. A whole number has digits only.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most);
CLI::Validator whole_number(std::uint64_t least);
CLI::Validator number(double least, double most);
CLI::Validator one_of(std::vector<std::string> words);
CLI::Validator folder();

// An option whose text `parse` turns into the value of `target`, or into the sentence that the user
// gets. A Text of std::vector<std::string> is an option that may be repeated.
template <typename Text = std::string, typename T, typename Parse>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, T& target, Parse parse,
                        const std::string& description) {
  return app.add_option_function<Text>(
      name,
      [&target, parse, name](const Text& text) {
        const auto value = parse(text);
        if (!value) throw CLI::ValidationError(name, value.error().message);
        target = static_cast<T>(*value);
      },
      description);
}

// What a command line lacks or has too much, in one sentence, and where to look.
Error command_line_error(const CLI::ParseError& error, const std::string& program);

}  // namespace muxbench
