#include "trial/load_result.h"

#include <algorithm>

#include <fmt/format.h>

namespace muxbench {
namespace {

std::vector<std::optional<double>> utilisation_of_threads(const Json& document) {
  std::vector<std::optional<double>> utilisation;
  const Json::json_pointer threads("/cpu/threads");
  if (!document.contains(threads)) return utilisation;
  for (const Json& thread : document.at(threads)) {
    utilisation.push_back(number_at(thread, "/utilisation"));
  }
  return utilisation;
}

}  // namespace

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
  result.stop_reason = text_at(document, "/stop_reason").value_or("");
  result.thread_utilisation = utilisation_of_threads(document);
  if (document.contains("hosts")) {
    for (const Json& host : document.at("hosts")) {
      result.hosts.push_back({.name = text_at(host, "/name").value_or(""),
                              .thread_utilisation = utilisation_of_threads(host)});
    }
  }
  if (document.contains("host_flags")) {
    for (const Json& flag : document.at("host_flags")) {
      result.host_flags.push_back({.kind = text_at(flag, "/kind").value_or(""),
                                   .detail = text_at(flag, "/detail").value_or("")});
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
  if (!result.stop_reason.empty()) return "the load generator gave up: " + result.stop_reason;
  if (result.requests == 0.0) return "not one request succeeded within the measured window";
  return "the load generator ended with status \"" + result.status + "\"";
}

bool lost_connections(const LoadResult& result) {
  return std::any_of(result.errors.begin(), result.errors.end(), [](const LoadError& error) {
    return error.kind == "closed" || error.kind == "reset" || error.kind == "refused";
  });
}

}  // namespace muxbench
