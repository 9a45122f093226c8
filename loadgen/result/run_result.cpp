#include "result/run_result.h"

#include <fmt/format.h>

#include <algorithm>

namespace muxbench::loadgen {
namespace {

constexpr int kInterrupted = 130;  // 128 + SIGINT, as shells say it

}  // namespace

double utilisation(const ThreadUsage& usage) {
  if (usage.wall.count() <= 0) return 0;
  const Nanoseconds needed = std::max(usage.cpu_time.total() - usage.spun, Nanoseconds(0));
  return static_cast<double>(needed.count()) / static_cast<double>(usage.wall.count());
}

bool saturated(const ThreadUsage& usage) { return utilisation(usage) > 0.95; }

std::string_view RunResult::status() const {
  if (interrupted) return "interrupted";
  const bool answered =
      requests != 0 || requests_in_window != 0 || (sliced && requests_in_run != 0);
  if (errors.total() != 0 || failed_requests != 0 || !answered) return "failed";
  return stop_reason.empty() ? "ok" : "overloaded";
}

int RunResult::exit_status() const {
  if (interrupted) return kInterrupted;
  return static_cast<int>(status() == "ok" ? Exit::success : Exit::failure);
}

double RunResult::requests_per_second() const { return per_second(requests_in_window, duration); }

void merge(RunResult& all, const RunResult& other, std::string_view peer) {
  const std::string prefix = peer.empty() ? "" : fmt::format("{}: ", peer);
  all.interrupted = all.interrupted || other.interrupted;
  all.sliced = all.sliced || other.sliced;
  if (all.stop_reason.empty() && !other.stop_reason.empty()) {
    all.stop_reason = prefix + other.stop_reason;
  }
  all.duration = std::max(all.duration, other.duration);
  all.opening = std::max(all.opening, other.opening);
  if (other.filling) all.filling = std::max(all.filling.value_or(Nanoseconds(0)), *other.filling);
  for (std::uint32_t RunResult::*count : {&RunResult::connections, &RunResult::idle,
                                          &RunResult::stalled, &RunResult::stalled_closed}) {
    all.*count += other.*count;
  }
  for (std::uint64_t RunResult::*count :
       {&RunResult::requests, &RunResult::requests_in_window, &RunResult::requests_in_run,
        &RunResult::failed_requests, &RunResult::reconnects, &RunResult::bytes_sent,
        &RunResult::bytes_received, &RunResult::peak_memory_bytes}) {
    all.*count += other.*count;
  }
  for (Histogram RunResult::*histogram : kHistograms) (all.*histogram).merge(other.*histogram);
  all.errors.merge(other.errors, prefix);
  all.series.merge(other.series);
  const auto append = [](auto& list, const auto& more) {
    list.insert(list.end(), more.begin(), more.end());
  };
  append(all.requests_per_connection, other.requests_per_connection);
  append(all.threads, other.threads);
}

double per_second(std::uint64_t requests, Nanoseconds elapsed) {
  if (elapsed.count() <= 0) return 0;
  return static_cast<double>(requests) * 1e9 / static_cast<double>(elapsed.count());
}

// Jain, Chiu, Hawe 1984: the square of the sum over n times the sum of squares.
std::optional<Fairness> fairness_of(const std::vector<std::uint32_t>& requests) {
  double sum = 0;
  double squares = 0;
  for (const double count : requests) {
    sum += count;
    squares += count * count;
  }
  if (sum == 0) return std::nullopt;
  const auto [least, most] = std::minmax_element(requests.begin(), requests.end());
  return Fairness{.jain = sum * sum / (static_cast<double>(requests.size()) * squares),
                  .least = *least,
                  .most = *most};
}

const RunResult& worst_of(const std::vector<Step>& steps) {
  const auto rank = [](const Step& step) { return step.result.exit_status(); };
  return std::ranges::max_element(steps, {}, rank)->result;
}

}  // namespace muxbench::loadgen
