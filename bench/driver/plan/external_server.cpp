#include "plan/external_server.h"

#include "base/file.h"
#include "json/json_reader.h"
#include "plan/command_words.h"

#include <filesystem>
#include <optional>
#include <utility>

namespace muxbench {
namespace {

bool is_protocol(const std::string& text) { return text == "echo" || text == "http"; }
bool has_port(const std::string& command) { return command.find("{port}") != std::string::npos; }

Model make_model(const std::string& name, const std::string& protocol, const std::string& command,
                 std::vector<std::string> words) {
  Model model;
  model.name = name;
  model.family = "external";
  model.mechanism = command;
  model.available = true;
  model.external = true;
  model.command = std::move(words);
  model.capabilities.protocols = {protocol};
  model.capabilities.transports = {"tcp"};
  model.capabilities.work = {"none"};
  model.description = {{"name", model.name},
                       {"family", model.family},
                       {"mechanism", model.mechanism},
                       {"available", true},
                       {"capabilities",
                        {{"concurrent", true},
                         {"workers", false},
                         {"max_connections", nullptr},
                         {"protocols", model.capabilities.protocols},
                         {"transports", model.capabilities.transports}}}};
  return model;
}

Result<Model> read_entry(const std::string& file) {
  const Result<std::string> text = read_file(file);
  if (!text) return text.error();
  const Result<Json> json = parse_json(*text, file);
  if (!json) return json.error();
  JsonReader reader(*json, file);
  const std::string name = reader.text("name");
  reader.expect(is_name(name), "name", "lower-case letters, digits and underscores");
  const std::string protocol = reader.text("protocol", "echo");
  reader.expect(is_protocol(protocol), "protocol", "\"echo\" or \"http\"");
  const std::string command = reader.text("command");
  auto words = split_words(command);
  reader.expect(words && has_port(command), "command",
                "a command with {port} where its port belongs");
  if (auto read = reader.finish(); !read) return read.error();

  const std::string folder = std::filesystem::path(file).parent_path().string();
  for (std::string& word : *words) word = replaced(word, "{folder}", folder.empty() ? "." : folder);
  return make_model(name, protocol, command, std::move(*words));
}

}  // namespace

std::string replaced(std::string command, const std::string& what, const std::string& with) {
  for (auto at = command.find(what); at != std::string::npos;
       at = command.find(what, at + with.size())) {
    command.replace(at, what.size(), with);
  }
  return command;
}

Result<Model> external_server(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos && text.ends_with(".json")) return read_entry(text);
  const std::string head = text.substr(0, equals);
  const auto colon = head.find(':');
  const std::string name = head.substr(0, colon);
  const std::string protocol = colon == std::string::npos ? "echo" : head.substr(colon + 1);
  const std::string command = equals == std::string::npos ? "" : text.substr(equals + 1);
  auto words = split_words(command);
  if (!is_name(name) || !is_protocol(protocol) || !words || !has_port(command)) {
    return usage_error(
        "--server {}: expected NAME=COMMAND, NAME:http=COMMAND or an entry's FILE.json, the name "
        "of lower-case letters, digits and underscores, the command with {{port}} where its port "
        "belongs",
        text);
  }
  return make_model(name, protocol, command, std::move(*words));
}

}  // namespace muxbench
