#include "result/summary.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iterator>

#include "base/output.h"
#include "base/parse.h"
#include "metrics/percentiles.h"

namespace muxbench::loadgen {
namespace {

// 1912360 -> "1,912,360"
std::string grouped(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  }
  return digits;
}

// "p99_9" -> "p99.9"
std::string pretty(std::string name) {
  for (char& c : name) c = c == '_' ? '.' : c;
  return name;
}

std::string plural(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

std::string what_was_asked(const Options& options) {
  const std::string loop = options.rate == 0
                               ? "closed loop"
                               : fmt::format("open loop at {} per second ({} arrivals)",
                                             grouped(options.rate), name_of(options.arrival));
  std::string text = fmt::format("{}, {}, {} on {} to {}", name_of(options.protocol), loop,
                                 plural(options.connections, "connection"),
                                 plural(options.threads, "thread"), options.target_text);
  if (options.pipeline > 1) text += fmt::format(", {} in flight on each", options.pipeline);
  if (options.churn) {
    text += fmt::format(", one for each request, ended by {}", name_of(options.closer));
  }
  if (options.idle != 0) text += fmt::format(", {} idle", grouped(options.idle));
  if (options.protocol == ProtocolKind::http) {
    text +=
        fmt::format(", {}, bodies compared with {}", plural(options.paths.size(), "path"),
                    options.body_root.empty() ? std::string("the first response of each path")
                                              : fmt::format("the files in {}", options.body_root));
  } else {
    text += fmt::format(", {} B messages", options.message_bytes.to_string());
  }
  return text;
}

}  // namespace

std::string summary(const Options& options, const RunResult& result) {
  std::string text;
  const auto line = [&]<typename... Args>(std::string_view label,
                                          fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text), "{:<12}", label);
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
    text += '\n';
  };
  const auto distribution = [&](std::string_view label, const Histogram& histogram) {
    const std::uint64_t count = histogram.count();
    if (count == 0) return;
    std::string percentiles;
    for (const Percentile& percentile : supported_percentiles(count)) {
      percentiles += fmt::format(", {} {}", pretty(percentile.name),
                                 to_string(histogram.quantile(percentile.quantile)));
    }
    line(label, "mean {}{}, max {}", to_string(histogram.mean()), percentiles,
         to_string(histogram.max()));
  };
  line("load", "{}", what_was_asked(options));
  line("status", "{}", result.status());
  if (!result.stop_reason.empty()) line("", "{}", result.stop_reason);
  if (result.connections < options.connections || result.idle < options.idle) {
    line("", "only {} of {} connections and {} of {} idle ones could be opened",
         grouped(result.connections), grouped(options.connections), grouped(result.idle),
         grouped(options.idle));
  }
  line("requests", "{} in {}, {} per second{}", grouped(result.requests),
       to_string(result.duration),
       grouped(static_cast<std::uint64_t>(result.requests_per_second())),
       result.failed_requests == 0 ? ""
                                   : fmt::format(", {} failed", grouped(result.failed_requests)));
  distribution("latency", result.latency);
  if (options.rate != 0) distribution("sent late", result.schedule_lag);
  distribution("connecting", result.connect);
  distribution("first byte", result.first_byte);
  if (result.reconnects != 0) {
    line("reconnects", "{}, each after the server had announced that it closes",
         grouped(result.reconnects));
  }
  if (options.stalled() != 0) {
    line("stalled", "{}, of which the server has thrown out {}", grouped(result.stalled),
         grouped(result.stalled_closed));
  }
  if (const auto fairness = fairness_of(result.requests_per_connection)) {
    line("fairness", "{:.4f} (Jain), {} to {} requests per connection", fairness->jain,
         grouped(fairness->least), grouped(fairness->most));
  }
  for (const ThreadUsage& usage : result.threads) {
    if (usage.wall.count() == 0) continue;
    line("own CPU", "{:.0f} % of CPU {}{}", 100.0 * utilisation(usage), usage.cpu,
         saturated(usage) ? ", saturated: the server may be faster than this" : "");
  }
  line("errors", "{}", result.errors.total() == 0 ? "none" : grouped(result.errors.total()));
  for (std::size_t i = 0; i < kErrorKindNames.size(); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    if (result.errors.count(kind) == 0) continue;
    line("", "{} {}, first: {}", grouped(result.errors.count(kind)), kErrorKindNames[i],
         result.errors.first(kind));
  }
  return text;
}

std::string why_failed(const RunResult& result) {
  if (result.status() == "ok" || result.interrupted) return {};
  if (!result.stop_reason.empty()) return result.stop_reason;
  for (std::size_t i = 0; i < kErrorKindNames.size(); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    if (result.errors.count(kind) == 0) continue;
    return fmt::format("{}, first: {}: {}", plural(result.errors.total(), "error"),
                       kErrorKindNames[i], result.errors.first(kind));
  }
  if (result.failed_requests != 0) {
    return fmt::format("{} failed", plural(result.failed_requests, "request"));
  }
  return "not one request succeeded within the measured window";
}

Progress::Progress(const Options& options) : enabled_(!options.quiet && ::isatty(2) == 1) {}

Progress::~Progress() {
  if (shown_) print_stderr("\r\x1b[K");
}

void Progress::show(std::string_view phase, Nanoseconds elapsed, std::uint64_t requests,
                    std::uint64_t errors) {
  if (!enabled_ || Clock::now() < next_) return;
  const double seconds = static_cast<double>((elapsed - last_elapsed_).count()) / 1e9;
  const double rate = seconds > 0 ? static_cast<double>(requests - last_requests_) / seconds : 0;
  print_stderr("\r{} {:.1f} s: {} requests per second, {}\x1b[K", phase,
               static_cast<double>(elapsed.count()) / 1e9,
               grouped(static_cast<std::uint64_t>(rate)), plural(errors, "error"));
  std::fflush(stderr);
  shown_ = true;
  last_elapsed_ = elapsed;
  last_requests_ = requests;
  next_ = Clock::now() + std::chrono::milliseconds(250);
}

}  // namespace muxbench::loadgen
