#include "engine/runner.h"

#include <deque>
#include <optional>
#include <thread>

#include "base/output.h"
#include "base/parse.h"
#include "engine/connection.h"
#include "engine/control.h"
#include "engine/interrupt.h"
#include "engine/learn_bodies.h"
#include "engine/worker.h"
#include "metrics/usage.h"
#include "net/filling_patience.h"
#include "options/descriptors.h"
#include "result/result_json.h"
#include "result/slice_result.h"
#include "result/summary.h"

namespace muxbench::loadgen {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Run {
 public:
  Run(const Plan& plan, Coordinator& coordinator)
      : plan_(plan),
        options_(plan.options),
        coordinator_(coordinator),
        reports_(options_.threads),
        progress_(options_) {
    control_.requests = options_.requests;
  }

  Result<RunResult> execute() {
    for (unsigned i = 0; i < options_.threads; ++i) {
      threads_.emplace_back(
          [this, i] { run_worker(plan_, share_of(options_, i), control_, reports_[i]); });
    }
    Result<> obeyed;
    if (coordinator_.connected(await_connections())) {
      obeyed = options_.phases ? obey() : run_once();
      if (obeyed) coordinator_.announce("drained");
      if (obeyed && options_.phases) coordinator_.next_command();
    }
    control_.over.store(true);
    control_.call.notify();
    threads_.clear();  // joins
    if (!obeyed) return obeyed.error();
    return gather();
  }

 private:
  static void answer(const std::string& line) {
    write_output(line);
    flush_output("loadgen");
  }

  // Until the driver says that it was all, or is gone. If it has never said anything, a run is all
  // that it wanted.
  Result<> obey() {
    for (bool first = true; const std::optional<std::string> line = coordinator_.next_command();
         first = false) {
      const Result<Command> command = parse_command(*line, options_);
      if (!command) return command.error();
      switch (command->kind) {
        case Command::Kind::end:
          return {};
        case Command::Kind::go:
          if (!first) return usage_error("\"go\" comes after a slice; send slices, then end");
          return run_once();
        case Command::Kind::slice:
          if (!coordinator_.takes_slices()) {
            return usage_error("slices are for one load host; send go");
          }
          answer(to_json(run_slice(*command)) + "\n");
      }
    }
    if (control_.turns.load() == 0 && !interrupted()) return run_once();
    return {};
  }

  Result<> run_once() {
    await_held_up();
    load();
    await_drained();
    return {};
  }

  const SliceResult& run_slice(const Command& command) {
    const CpuTime cpu = process_cpu_time();
    if (control_.turns.load() == 0) await_held_up();
    begin_turn({.start = Clock::now(),
                .warmup = command.warmup,
                .rate = command.rate,
                .slice = command.duration},
               Control::kNever);
    await_drained();
    gather_slice();
    slice_.cpu = (process_cpu_time() - cpu).total();
    return slice_;
  }

  // All threads rest.
  void begin_turn(const Turn& turn, Instant end) {
    control_.turn = turn;
    control_.stop.store(false);
    control_.end.store(end);
    control_.turns.fetch_add(1, std::memory_order_release);
    control_.call.notify();
  }

  bool await_connections() {
    while (control_.connected_threads.load(std::memory_order_acquire) < options_.threads) {
      if (interrupted()) return false;
      std::this_thread::sleep_for(milliseconds(1));
    }
    std::uint64_t opened = 0;
    for (const ThreadReport& report : reports_) {
      opened += report.found.connections + report.found.idle + report.found.stalled;
    }
    if (options_.connections + options_.background() == 0) return true;  // one of many hosts
    return opened > 0 || (options_.per_request() && options_.background() == 0);
  }

  // Who never reads burdens the server in another way while its send buffer for that client fills
  // (4 MB, which takes the longer the slower the system calls are) than afterwards, held up. Only
  // the latter is measured. A server that takes all that comes is not waited for without end.
  void await_held_up() {
    if (options_.stall_never_read == 0) return;
    constexpr Nanoseconds kQuiet = milliseconds(200);
    const Nanoseconds patience = filling_patience(options_.stall_never_read);
    const Instant since = Clock::now();
    Instant last_sent = since;
    std::uint64_t seen = 0;
    for (Instant now = since; now - since < patience && !interrupted(); now = Clock::now()) {
      const std::uint64_t sent = sum_of(&ThreadReport::live_unread_bytes);
      if (sent != seen) last_sent = now;
      seen = sent;
      if (now - last_sent >= kQuiet) {
        filling_ = last_sent - since;
        return;
      }
      progress_.show("filling", now - since, 0, sum_of(&ThreadReport::live_errors));
      std::this_thread::sleep_for(milliseconds(5));
    }
  }

  void load() {
    const Instant start = coordinator_.start();
    const Instant begin = start + options_.warmup;
    begin_turn({.start = start, .warmup = options_.warmup, .rate = options_.rate},
               options_.requests == 0 ? begin + options_.duration : Control::kNever);
    if (!wait_until(begin, "warm-up")) return;
    coordinator_.announce("measuring");
    if (options_.requests == 0) {
      wait_until(begin + options_.duration, "measuring");
    } else {
      wait_for_requests();
    }
    coordinator_.announce("measured");
  }

  // What was due or begun in the window may still be under way.
  void await_drained() {
    if (!await_readable(control_.drained.fd())) control_.stop_at(Clock::now());
    control_.drained.await();
    control_.drained_threads.exchange(0, std::memory_order_acq_rel);
  }

  // False when the run was ended before: by a signal, or because it cannot keep up.
  bool wait_until(Instant moment, const char* phase) {
    const Instant since = Clock::now();
    for (Instant now = since; now < moment; now = Clock::now()) {
      if (interrupted()) end_soon();
      if (control_.end.load() < moment) return false;
      progress_.show(phase, now - since, sum_of(&ThreadReport::live_requests),
                     sum_of(&ThreadReport::live_errors));
      std::this_thread::sleep_for(std::min<Nanoseconds>(moment - now, milliseconds(20)));
    }
    return true;
  }

  // Until the last one is settled; or nothing has succeeded for as long as one may take to fail.
  void wait_for_requests() {
    const Nanoseconds patience = options_.timeout + options_.connect_timeout + seconds(1);
    const Instant since = Clock::now();
    Instant last_success = since;
    std::uint64_t seen = 0;
    while (control_.end.load() == Control::kNever) {
      const Instant now = Clock::now();
      const std::uint64_t requests = sum_of(&ThreadReport::live_requests);
      if (requests != seen) last_success = now;
      seen = requests;
      if (interrupted() || now - last_success > patience) return end_soon();
      progress_.show("measuring", now - since, requests, sum_of(&ThreadReport::live_errors));
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  // A little ahead, so that all threads end at the same moment.
  void end_soon() { control_.stop_at(Clock::now() + milliseconds(5)); }

  // Over all threads, of what each refreshes.
  std::uint64_t sum_of(std::atomic<std::uint64_t> ThreadReport::*live) const {
    std::uint64_t sum = 0;
    for (const auto& report : reports_) sum += (report.*live).load(std::memory_order_relaxed);
    return sum;
  }

  // Over all threads. What they found is added to that of the slices before.
  void gather_slice() {
    slice_.latency.reset();
    slice_.schedule_lag.reset();
    slice_ = {.interrupted = interrupted(),
              .overloaded = control_.overloaded.load(),
              .latency = std::move(slice_.latency),
              .schedule_lag = std::move(slice_.schedule_lag)};
    Nanoseconds elapsed{};
    for (ThreadReport& report : reports_) {
      const SliceReport& found = report.slice;
      slice_.requests += found.requests;
      slice_.requests_in_run += found.requests_in_run;
      slice_.failed_requests += found.failed_requests;
      slice_.errors += found.errors;
      slice_.drain = std::max(slice_.drain, found.drain);
      elapsed += found.elapsed;
      slice_.requests_per_second += per_second(found.requests, found.elapsed);
      slice_.latency.merge(report.found.latency);
      report.found.latency.reset();
      slice_.schedule_lag.merge(report.found.schedule_lag);
      report.found.schedule_lag.reset();
    }
    slice_.elapsed = elapsed / options_.threads;
    slices_.sliced = true;
    slices_.duration += slice_.elapsed;
    slices_.latency.merge(slice_.latency);
    slices_.schedule_lag.merge(slice_.schedule_lag);
  }

  RunResult gather() const {
    const std::uint64_t peak =
        muxbench::peak_resident_bytes().value_or(0);  // before the tables for the result
    RunResult result = slices_;
    result.peak_memory_bytes = peak;
    result.interrupted = interrupted();
    result.filling = filling_;
    const Instant end = control_.end.load();
    const Instant begin = control_.turn.start + control_.turn.warmup;
    if (control_.turns.load() > 0 && !control_.turn.is_slice() && end > begin) {
      result.duration = end - begin;
    }
    for (const ThreadReport& report : reports_) {
      merge(result, report.found);
      result.threads.push_back(report.usage);
    }
    if (control_.overloaded.load()) {
      result.stop_reason = overload();
      // Without those never sent, which waited longest, it would look too good.
      result.latency = {};
    }
    if (options_.per_request()) {
      result.connections = static_cast<std::uint32_t>(result.requests_per_connection.size());
    }
    return result;
  }

  std::string overload() const {
    return fmt::format(
        "the schedule fell more than {} behind: {} requests per second are more than the server or "
        "{} connections take; lower --rate, raise --connections or allow a longer --max-lag",
        to_string(options_.max_lag), options_.rate, options_.connections);
  }

  const Plan& plan_;
  const Options& options_;
  Coordinator& coordinator_;
  Control control_;
  std::deque<ThreadReport> reports_;  // a report holds atomics and does not move
  std::deque<std::jthread> threads_;
  Progress progress_;
  std::optional<Nanoseconds> filling_;  // see RunResult
  SliceResult slice_;                   // the latest
  RunResult slices_;                    // of all slices: duration, latency, schedule_lag
};

}  // namespace

Result<RunResult> run(const Options& options, Coordinator& coordinator) {
  if (Result<> room =
          make_room_for(std::uint64_t{options.connections} + options.background(), options.threads);
      !room) {
    return room.error();
  }
  catch_signals();
  Plan plan{.options = options, .pattern = std::nullopt, .site = {}};
  if (options.protocol == ProtocolKind::http) {
    const std::string host = options.target.is_unix() ? "localhost" : options.target_text;
    const bool close = options.churn && options.closer == Closer::server;
    // A client that never reads asks for several at once.
    plan.site = make_site(options.paths, host, std::max(options.pipeline, 16U), close);
    if (!options.body_root.empty()) {
      if (Result<> read = read_bodies(plan.site, options.body_root); !read) return read.error();
    } else {
      RunResult failed;
      if (!learn_bodies(plan.site, options, failed.errors)) {
        failed.interrupted = interrupted();
        failed.peak_memory_bytes = muxbench::peak_resident_bytes().value_or(0);
        return failed;
      }
    }
  } else {
    const std::size_t longest =
        std::max<std::size_t>(options.message_bytes.largest(), kReceiveBufferBytes);
    plan.pattern.emplace(longest, options.protocol == ProtocolKind::greet
                                      ? Pattern::Alphabet::printable
                                      : Pattern::Alphabet::binary);
  }
  return Run(plan, coordinator).execute();
}

}  // namespace muxbench::loadgen
