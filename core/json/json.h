// JSON documents: the type, reading a text, and values at a place.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muxbench {

using Json = nlohmann::ordered_json;  // keys keep the order in which they were written

// `name` is what errors call the text, usually its file name. Repeated keys and more than 100
// brackets within one another are errors, too.
Result<Json> parse_json(std::string_view text, std::string_view name);

// A key as errors name it: on one line, whatever is in it.
std::string key_text(const std::string& key);

// The value at a place such as "/latency_ns/p50": nothing when there is no such place or it holds
// something else.
std::optional<std::string> text_at(const Json& json, const std::string& pointer);
std::optional<double> number_at(const Json& json, const std::string& pointer);

}  // namespace muxbench
