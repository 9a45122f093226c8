#include "json/json_reader.h"

#include "base/parse.h"

namespace muxbench {

bool is_name(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

JsonReader::JsonReader(const Json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object_.is_object()) {
    mistake_ = usage_error("{}: expected an object, found {}", where_, object_.dump());
  }
}

bool JsonReader::has(std::string_view key) const {
  return object_.is_object() && object_.contains(key);
}

const Json* JsonReader::find(std::string_view key, bool required, std::string_view what) {
  known_.emplace(key);
  if (has(key)) return &object_.at(std::string(key));
  if (required && !mistake_) {
    mistake_ = usage_error("{}: {}: expected {}, found no such key", where_, key, what);
  }
  return nullptr;
}

void JsonReader::expect(bool good, std::string_view key, std::string_view what) {
  if (good || mistake_) return;
  const std::string found = has(key) ? object_.at(std::string(key)).dump() : "no such key";
  mistake_ = usage_error("{}: {}: expected {}, found {}", where_, key, what, found);
}

std::string JsonReader::text(std::string_view key, const std::optional<std::string>& fallback) {
  const Json* value = find(key, !fallback, "a text");
  if (value == nullptr) return fallback.value_or("");
  const bool good = value->is_string() && !value->get_ref<const std::string&>().empty();
  expect(good, key, "a text that is not empty");
  return good ? value->get<std::string>() : fallback.value_or("");
}

std::uint64_t JsonReader::count(std::string_view key, std::uint64_t least, std::uint64_t most,
                                std::optional<std::uint64_t> fallback) {
  const std::string what = fmt::format("a whole number from {} to {}", least, most);
  const Json* value = find(key, !fallback, what);
  if (value == nullptr) return fallback.value_or(least);
  const bool good = value->is_number_unsigned() && value->get<std::uint64_t>() >= least &&
                    value->get<std::uint64_t>() <= most;
  expect(good, key, what);
  return good ? value->get<std::uint64_t>() : least;
}

Nanoseconds JsonReader::duration(std::string_view key, std::optional<Nanoseconds> fallback) {
  constexpr std::string_view kWhat = "a duration such as \"300ms\" or \"1.5s\"";
  const Json* value = find(key, !fallback, kWhat);
  if (value == nullptr) return fallback.value_or(Nanoseconds(0));
  if (value->is_string()) {
    if (const auto parsed = parse_duration(value->get_ref<const std::string&>())) return *parsed;
  }
  expect(false, key, kWhat);
  return fallback.value_or(Nanoseconds(0));
}

const Json* JsonReader::object(std::string_view key, bool required) {
  const Json* value = find(key, required, "an object");
  if (value == nullptr) return nullptr;
  expect(value->is_object(), key, "an object");
  return value->is_object() ? value : nullptr;
}

void JsonReader::adopt(const Result<>& nested) {
  if (!nested && !mistake_) mistake_ = nested.error();
}

Result<> JsonReader::finish() {
  if (mistake_) return *mistake_;
  for (const auto& [key, value] : object_.items()) {
    if (!known_.contains(key)) {
      std::string names;
      for (const std::string& name : known_) names += (names.empty() ? "" : ", ") + name;
      return usage_error("{}: {}: expected one of the keys {}, found a key that nothing reads",
                         where_, key_text(key), names);
    }
  }
  return {};
}

}  // namespace muxbench
