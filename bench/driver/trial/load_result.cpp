#include "trial/load_result.h"

#include <fmt/format.h>

namespace muxbench {

std::optional<LoadResult> read_load_result(Json document) {
  const auto status = text_at(document, "/status");
  if (!status) return {};
  LoadResult result{
      .status = *status,
      .requests_per_second = number_at(document, "/achieved/requests_per_second"),
      .window_ns = number_at(document, "/achieved/duration_ns"),
      .connections = number_at(document, "/achieved/connections"),
      .idle = number_at(document, "/achieved/idle"),
      .requests = number_at(document, "/requests"),
      .requests_in_run = number_at(document, "/requests_in_run"),
      .latency_mean_ns = number_at(document, "/latency_ns/mean"),
      .filling_ns = number_at(document, "/stalled/filling_ns"),
  };
  if (const Json::json_pointer threads("/cpu/threads"); document.contains(threads)) {
    for (const Json& thread : document.at(threads)) {
      result.thread_utilisation.push_back(number_at(thread, "/utilisation"));
    }
  }
  if (const Json::json_pointer by_kind("/errors/by_kind"); document.contains(by_kind)) {
    for (const auto& [kind, error] : document.at(by_kind).items()) {
      result.errors.push_back({.kind = kind,
                               .count = number_at(error, "/count").value_or(0),
                               .first = text_at(error, "/first").value_or("")});
    }
  }
  result.document = std::move(document);
  return result;
}

std::string load_failure(const LoadResult& result) {
  if (result.status == "ok" || result.status == "overloaded") return "";
  std::string kinds;
  for (const LoadError& error : result.errors) {
    kinds += fmt::format("{}{} {}", kinds.empty() ? "" : "; ", error.count, error.kind);
    if (!error.first.empty()) kinds += " (" + error.first + ")";
  }
  if (!kinds.empty()) return "the load generator saw errors: " + kinds;
  if (result.requests == 0.0) return "not one request succeeded within the measured window";
  return "the load generator ended with status \"" + result.status + "\"";
}

}  // namespace muxbench
