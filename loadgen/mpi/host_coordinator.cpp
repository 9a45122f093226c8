#include "host_coordinator.h"

#include <charconv>

#include "base/output.h"
#include "json/json.h"
#include "net/filling_patience.h"

namespace muxbench::loadgen {
namespace {

// What the hosts say to each other.
constexpr const char* kOpen = "open";
constexpr const char* kNone = "none";        // no connection could be opened
constexpr const char* kFailed = "failed: ";  // ... nor will there be a result
constexpr const char* kGo = "go on";
constexpr const char* kLeave = "leave";       // without a load
constexpr const char* kGiveUp = "give up";    // without a result
constexpr const char* kCommand = "command ";  // and what it is
constexpr const char* kEnd = "end of commands";

Nanoseconds number_in(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return Nanoseconds(number);
}

}  // namespace

void fail_all(Peers& peers, const std::string& why, bool as_json) {
  if (as_json) {
    print("{}\n", Json({{"status", "failed"}, {"stop_reason", why}}).dump());
    flush_output("loadgen_mpi");
  }
  const int status = print_error("loadgen_mpi", Error{.message = why});
  peers.abort(status);
}

// A host may have waited for as long as its connections and answers may take, and the first one not.
HostCoordinator::HostCoordinator(Peers& peers, const Options& options, bool phases)
    : peers_(peers),
      phases_(phases),
      patience_(options.connect_timeout + options.timeout + std::chrono::seconds(10)),
      filling_(filling_patience(options.stall_never_read)) {}

std::vector<std::string> HostCoordinator::gather(const std::string& own, Nanoseconds patience) {
  auto texts = peers_.gather(own, patience);
  if (!texts) fail_all(peers_, texts.error().message, phases_);
  return std::move(*texts);
}

bool HostCoordinator::meet_connected(const std::string& state) {
  connected_ = true;
  const std::vector<std::string> states = gather(state, patience_);
  std::string decision = kGo;
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states[i].starts_with(kFailed)) {
      decision = kGiveUp;
      if (failure_.empty()) {
        failure_ = fmt::format("load host {}: {}", peers_.names()[i],
                               states[i].substr(std::string_view(kFailed).size()));
      }
    } else if (states[i] == kNone && decision == kGo) {
      decision = kLeave;
    }
  }
  decision = peers_.broadcast(decision);
  if (decision == kGiveUp && failure_.empty()) failure_ = "another host has failed";
  return decision == kGo;
}

bool HostCoordinator::connected(bool any) {
  const bool all = meet_connected(any ? kOpen : kNone);
  if (all && phases_ && peers_.is_first()) print_phase("connected");
  return all;
}

void HostCoordinator::give_up(const std::string& why) {
  meet_connected(why.empty() ? kNone : kFailed + why);
}

std::optional<std::string> HostCoordinator::next_command() {
  std::string said;
  if (peers_.is_first()) {
    std::optional<std::string> line;
    if (phases_) {
      line = commands_.next();
    } else if (!std::exchange(gone_, true)) {
      line = "go";
    }
    said = line ? kCommand + *line : std::string(kEnd);
  }
  said = peers_.broadcast(said);
  if (!said.starts_with(kCommand)) return std::nullopt;
  return said.substr(std::string_view(kCommand).size());
}

// Each host is told the moment by its own clock.
Instant HostCoordinator::start() {
  gather("ready", patience_ + filling_);
  peers_.broadcast(kGo);
  before_ = peers_.measure_clocks();
  const Nanoseconds ahead =
      std::chrono::milliseconds(20) + std::chrono::milliseconds(1) * peers_.size();
  const Instant start = Clock::now() + ahead;
  if (peers_.is_first()) {
    std::string starts;
    for (const ClockOffset& clock : before_) {
      starts += fmt::format("{} ", (start.time_since_epoch() + clock.offset).count());
    }
    peers_.broadcast(starts);
    return start;
  }
  std::string all = peers_.broadcast("");
  for (std::uint32_t before = 0; before < peers_.rank(); ++before) {
    all.erase(0, all.find(' ') + 1);
  }
  const Instant own{number_in(all)};
  late_ = std::max(Clock::now() - own, Nanoseconds(0));
  return own;
}

void HostCoordinator::announce(const char* phase) {
  const bool drained = phase == std::string_view("drained");
  if (drained) measure_skews(gather(fmt::format("{}", late_.count()), patience_));
  if (phases_ && peers_.is_first()) print_phase(phase);
}

// Its window began when the clock that stood so far from ours then said so. What that clock has gained
// until now is the error.
void HostCoordinator::measure_skews(const std::vector<std::string>& lateness) {
  peers_.broadcast(kGo);
  clocks_.offsets = peers_.measure_clocks();
  clocks_.skews.clear();
  for (std::size_t i = 0; i < clocks_.offsets.size(); ++i) {
    const Nanoseconds drift = clocks_.offsets[i].offset - before_[i].offset;
    clocks_.skews.push_back(std::max(drift, -drift) + number_in(lateness[i]));
  }
}

}  // namespace muxbench::loadgen
