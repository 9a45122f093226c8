#include "options/options_check.h"

#include <algorithm>

#include "base/parse.h"
#include "client/greet_client.h"

namespace muxbench::loadgen {
namespace {

using Given = std::function<bool(const char*)>;

std::optional<Error> about_the_protocol(const Options& options, const Given& given) {
  const bool http = options.protocol == ProtocolKind::http;
  if (!http && (given("--path") || given("--path-file") || given("--body-root"))) {
    return usage_error("--path, --path-file and --body-root belong to --protocol http");
  }
  if (http && given("--message-bytes")) {
    return usage_error("--message-bytes does not apply to --protocol http; use --path");
  }
  if (options.protocol == ProtocolKind::greet) {
    const MessageSizes& sizes = options.message_bytes;
    if (sizes.fixed() == 0) {
      return usage_error("--protocol greet takes one --message-bytes; a distribution is for echo");
    }
    if (sizes.fixed() < GreetClient::kShortestLine) {
      return usage_error(
          "--message-bytes must be at least {} with --protocol greet: one character and the line's "
          "end",
          GreetClient::kShortestLine);
    }
    if (given("--churn") || given("--closer")) {
      return usage_error(
          "--protocol greet opens a connection for each request anyway, and the server closes it; "
          "leave out --churn and --closer");
    }
  }
  for (const std::string& path : options.paths) {
    const bool plain = std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7f; });
    if (!path.starts_with('/') || !plain) {
      return usage_error("--path \"{}\" must start with / and have no spaces", path);
    }
  }
  return std::nullopt;
}

std::optional<Error> about_the_rate(const Options& options, const Given& given) {
  if (options.rates.empty()) {
    for (const char* option : {"--arrival", "--max-lag"}) {
      if (given(option)) return usage_error("{} is for an open loop; add --rate", option);
    }
    return std::nullopt;
  }
  const std::uint64_t least = *std::ranges::min_element(options.rates);
  const double seconds = std::chrono::duration<double>(options.duration).count();
  if (options.requests == 0 && static_cast<double>(least) * seconds < 1) {
    return usage_error("--rate {} makes not one request within {}; raise --rate or --duration",
                       least, to_string(options.duration));
  }
  return std::nullopt;
}

}  // namespace

std::optional<Error> contradiction(const Options& options, const Given& given) {
  if (given("--requests") && given("--duration")) {
    return usage_error("give either --duration or --requests, not both");
  }
  if (options.threads > options.connections) {
    return usage_error(
        "{} threads cannot share {} connections; give at least one connection per thread",
        options.threads, options.connections);
  }
  if (given("--closer") && !options.per_request()) {
    return usage_error("--closer says who ends the connection of --churn; add --churn");
  }
  if (options.pipeline > 1 && options.per_request()) {
    return usage_error("--pipeline needs connections that carry several requests; leave out {}",
                       options.churn ? "--churn" : "--pipeline, or choose --protocol echo or http");
  }
  if ((options.json == "-") + (options.hgrm == "-") + (options.csv == "-") > 1) {
    return usage_error(
        "standard output holds one result; give - to only one of --json, --hgrm and --csv");
  }
  if (given("--hgrm") && options.rates.size() > 1) {
    return usage_error("--hgrm holds one distribution; give one --rate, or use --json");
  }
  if (auto error = about_the_rate(options, given)) return error;
  return about_the_protocol(options, given);
}

}  // namespace muxbench::loadgen
