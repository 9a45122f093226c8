#include "trial/round_member.h"

#include <csignal>

#include "trial/accept_queue.h"
#include "trial/disturbance.h"

namespace muxbench {
namespace {

using std::chrono::milliseconds;

// posix_aio's threads work on for 10 ms after the last answer.
constexpr Nanoseconds kRestPatience = milliseconds(20);
// A slice that takes so much longer than planned has a server that does not answer any more.
constexpr Nanoseconds kSlicePatience = std::chrono::seconds(15);

}  // namespace

RoundMember::RoundMember(const TrialSetup& setup, Clock::time_point began)
    : setup_(setup), began_(began) {
  const auto begin = Clock::now();
  result_.started = begin - began_;
  server_ = VerifiedServer::start(setup_, result_);
  if (!server_) return;
  usage_watch_.emplace(server_->process().usage(), setup_, result_);
  usage_watch_->before_load();
  const LoadRequest request = server_->load_request(setup_);
  result_.load_command = load_command(request);
  auto session = LoadSession::start(request);
  if (!session) {
    fail(session.error().message);
    return;
  }
  session_.emplace(std::move(*session));
  if (auto open = session_->await(Phase::connected, begin + setup_.load_timeout); !open) {
    fail(open.error().message);
    return;
  }
  result_.not_accepted =
      await_accepted(server_->process().address(), time_to_open(setup_.cell->settings));
  usage_watch_->at(Phase::connected, session_->pid());
  usage_watch_->divide_memory();
  if (freezes()) freeze();
}

RoundMember::~RoundMember() {
  if (server_) server_->process().kill_now();
}

std::optional<Slice> RoundMember::try_slice(const SlicePlan& plan) {
  if (freezes()) wake();
  auto slice = run_slice(plan);
  if (takes_part() && freezes()) freeze();
  return slice;
}

void RoundMember::take_turn(unsigned block, const SlicePlan& plan, const ForeignCpu* foreign) {
  if (!takes_part()) return;
  if (freezes()) wake();
  const ServerUsage usage = server_->process().usage();
  const CpuSample before = usage.cpu();
  const std::uint64_t throttled_before = throttled_periods(setup_.quotas);
  const auto begin = Clock::now();
  const DisturbanceWatch others(foreign, setup_, server_->process().pid(), session_->pid());
  auto slice = run_slice(plan);
  const Nanoseconds took = Clock::now() - begin;
  if (!slice) return;
  if (freezes()) freeze();
  const CpuSample after = cpu_at_rest(usage, server_->process().pid(), kRestPatience);
  slice->block = block;
  slice->started = begin - began_;
  slice->took = took;
  slice->server_cpu = after - before;
  const std::uint64_t throttled = throttled_periods(setup_.quotas) - throttled_before;
  result_.throttled_periods += throttled;
  slice->disturbed = throttled > 0 || others.is_disturbed(*slice);
  result_.slices.push_back(std::move(*slice));
}

std::optional<Slice> RoundMember::run_slice(const SlicePlan& plan) {
  session_->say(fmt::format("slice {} {}", plan.warmup.count(), plan.length.count()));
  const auto document = session_->next(Clock::now() + plan.length + kSlicePatience);
  if (!document) {
    fail(document.error().message);
    return {};
  }
  if (document->is_null()) {
    const auto ended = session_->result();
    ended ? fail(*ended) : fail(ended.error().message);
    return {};
  }
  auto slice = read_slice(*document);
  if (!slice) {
    fail("the load generator's answer to a slice cannot be read");
    return {};
  }
  if (is_ok(*document)) return slice;
  drain();
  leave();
  if (const auto session = result_of_session()) fail(*session);  // it names the errors
  return {};
}

void RoundMember::count(SyscallCounter& counter, const SlicePlan& plan) {
  if (!takes_part()) return;
  TrialResult& counted = counts_.emplace(result_);
  counted.slices.clear();
  counted.started = Clock::now() - began_;
  if (auto watching = counter.watch(*server_->process().group()); !watching) {
    counted.error = watching.error().message;
    counted.uncountable = true;
    return;
  }
  // One that never rests is stopped when it is read.
  CountingWatch watch(server_->process().usage(), counter, counted);
  watch.at(Phase::connected, session_->pid());
  if (auto slice = try_slice(plan)) {
    watch.at(Phase::drained, session_->pid());
    counted.slices.push_back(std::move(*slice));
  } else {
    counted.error = result_.error;
  }
  counter.stop();
  counted.took = Clock::now() - began_ - counted.started;
}

void RoundMember::drain() {
  if (!takes_part()) return;
  if (freezes()) wake();
  session_->say("end");
  const auto drained = session_->await(Phase::drained, Clock::now() + setup_.load_timeout);
  if (!drained) return fail(drained.error().message);
  usage_watch_->read_memory();
}

void RoundMember::leave() {
  if (takes_part()) session_->say("go");
}

RoundMember::Found RoundMember::finish() {
  if (takes_part()) take_result();
  stop_server();
  session_.reset();
  if (counts_ && !result_.ok()) counts_->error = result_.error;
  for (const Slice& slice : result_.slices) {
    result_.cpu = result_.cpu ? *result_.cpu + slice.server_cpu : slice.server_cpu;
  }
  return {std::move(result_), std::move(counts_)};
}

void RoundMember::take_result() {
  const auto session = result_of_session();
  if (!session) return;
  if (!load_failure(*session).empty()) return fail(*session);
  result_.load = result_of_slices(*session, result_.slices);
  if (counts_ && counts_->ok()) counts_->load = result_of_slices(*session, counts_->slices);
}

std::optional<LoadResult> RoundMember::result_of_session() {
  const auto deadline = Clock::now() + setup_.load_timeout;
  while (takes_part()) {
    const auto document = session_->next(deadline);
    if (!document) {
      fail(document.error().message);
    } else if (document->is_null()) {
      auto session = session_->result();
      if (session) return std::move(*session);
      fail(session.error().message);
    }
  }
  return {};
}

void RoundMember::wake() {
  for (const pid_t pid : server_->process().usage().processes()) ::kill(pid, SIGCONT);
}

void RoundMember::freeze() {
  for (const pid_t pid : server_->process().usage().processes()) ::kill(pid, SIGSTOP);
}

void RoundMember::fail(const LoadResult& session) {
  result_.load.errors = session.errors;
  fail(load_failure(session));
}

void RoundMember::fail(const std::string& reason) {
  result_.error = reason.empty() ? "the load generator ended before the round did" : reason;
  session_.reset();  // the others' turns are not to be disturbed by it
  stop_server();
}

void RoundMember::stop_server() {
  if (!server_) return;
  if (!result_.ok()) server_->look_whether_it_died(result_);
  server_->finish(setup_, result_);
  server_.reset();
}

}  // namespace muxbench
