// Reading JSON files that people write: every mistake is said with its file, its key and what was
// expected there. Nothing is guessed, and unknown or repeated keys are mistakes too.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "json/json.h"

namespace muxbench {

// What models and experiments may be called: lower-case letters, digits and underscores.
bool is_name(std::string_view text);

// An object whose keys are read one by one. The first mistake is kept and the reads after it give
// their fallback, so a reader is straight-line code that asks finish() once at its end.
class JsonReader {
 public:
  JsonReader(const Json& object, std::string where);

  bool has(std::string_view key) const;
  // Without a fallback the key is required.
  std::string text(std::string_view key, const std::optional<std::string>& fallback = {});
  std::uint64_t count(std::string_view key, std::uint64_t least, std::uint64_t most,
                      std::optional<std::uint64_t> fallback = {});
  Nanoseconds duration(std::string_view key, std::optional<Nanoseconds> fallback = {});
  // The value of an object's key; null when it is absent or not an object.
  const Json* object(std::string_view key, bool required);

  // For rules that go beyond types: "FILE: KEY: expected WHAT, found VALUE".
  void expect(bool good, std::string_view key, std::string_view what);
  void adopt(const Result<>& nested);  // a mistake inside a nested object
  std::string path_of(std::string_view key) const { return where_ + ": " + std::string(key); }

  Result<> finish();  // also the place where unknown keys are refused

 private:
  const Json* find(std::string_view key, bool required, std::string_view what);

  const Json& object_;
  std::string where_;
  std::set<std::string, std::less<>> known_;
  std::optional<Error> mistake_;
};

}  // namespace muxbench
