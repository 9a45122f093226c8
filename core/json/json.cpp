#include "json/json.h"

#include <set>
#include <string>
#include <vector>

namespace muxbench {
namespace {

// No file of ours is a tenth as deep, and whoever walks a value that is does so on the stack.
constexpr int kDeepest = 100;

// What the parser takes without a word: the second of two equal keys, of which it keeps the last,
// and brackets within brackets without end.
class Oddities {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    too_deep_ = too_deep_ || depth > kDeepest;
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto key = parsed.get<std::string>();
      if (!open_.back().insert(key).second && repeated_.empty()) repeated_ = key;
    }
    return depth <= kDeepest;  // deeper ones are not kept: whoever copies them would recurse
  }
  const std::string& repeated_key() const { return repeated_; }
  bool too_deep() const { return too_deep_; }

 private:
  bool too_deep_ = false;
  std::vector<std::set<std::string>> open_;
  std::string repeated_;
};

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view name) {
  Oddities odd;
  try {
    Json json = Json::parse(text, std::ref(odd));
    if (!odd.repeated_key().empty()) {
      return usage_error("{}: {}: expected each key once, found it twice", name,
                         key_text(odd.repeated_key()));
    }
    if (odd.too_deep()) {
      return usage_error("{}: expected at most {} brackets within one another, found more", name,
                         kDeepest);
    }
    return json;
  } catch (const Json::parse_error& error) {
    std::string_view what = error.what();
    if (const auto at = what.find("at line"); at != std::string_view::npos) what.remove_prefix(at);
    return usage_error("{}: expected JSON, found an error {}", name, what);
  } catch (const Json::exception& error) {  // a number that no double can hold
    std::string_view what = error.what();
    if (const auto at = what.find("] "); at != std::string_view::npos) what.remove_prefix(at + 2);
    return usage_error("{}: expected JSON, found an error: {}", name, what);
  }
}

std::string key_text(const std::string& key) {
  const std::string quoted = Json(key).dump();
  return quoted.substr(1, quoted.size() - 2);
}

namespace {

const Json* value_at(const Json& json, const std::string& pointer) {
  const Json::json_pointer place(pointer);
  // contains() throws for an array index that is no number, which no caller asks for.
  return json.is_structured() && json.contains(place) ? &json.at(place) : nullptr;
}

}  // namespace

std::optional<std::string> text_at(const Json& json, const std::string& pointer) {
  const Json* value = value_at(json, pointer);
  if (value == nullptr || !value->is_string()) return {};
  return value->get<std::string>();
}

std::optional<double> number_at(const Json& json, const std::string& pointer) {
  const Json* value = value_at(json, pointer);
  if (value == nullptr || !value->is_number()) return {};
  return value->get<double>();
}

}  // namespace muxbench
