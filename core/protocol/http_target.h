// From a request target to the path of a document.
#pragma once

#include <span>
#include <string_view>

namespace muxbench::http {

enum class TargetError {
  none,
  malformed,  // no form that GET and HEAD may have, a bad escape, or an encoded NUL: answer 400
  climbs,     // it has a ".." segment: answer 403
};

struct Target {
  TargetError error = TargetError::none;
  std::string_view path{};  // begins with '/'; points into the target, or into `room`
};

// Takes the origin form and the absolute form (RFC 9112 sections 3.2.1 and 3.2.2), drops the query,
// and decodes escapes once. `room` is at least as large as the target.
Target resolve_target(std::string_view target, std::span<char> room) noexcept;

// uri-host [ ":" port ] (RFC 9110 section 7.2). A host that is empty passes: a Host field may be.
bool is_authority(std::string_view text) noexcept;

}  // namespace muxbench::http
