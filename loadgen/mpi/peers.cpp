#include "peers.h"

#include <fmt/ranges.h>
#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>

#include "base/parse.h"
#include "engine/interrupt.h"

namespace muxbench::loadgen {
namespace {

enum Tag { kText = 1, kClock = 2 };

constexpr int kInterrupted = 130;
constexpr int kClockRounds = 20;

// The launcher ends the other processes when one has gone like this.
void leave_if_interrupted() {
  if (interrupted()) ::_exit(kInterrupted);
}

// Sleeps longer and longer between two looks: a host that waits must not disturb those that work.
class Pauses {
 public:
  void pause() {
    leave_if_interrupted();
    std::this_thread::sleep_for(pause_);
    pause_ = std::min<Nanoseconds>(2 * pause_, std::chrono::milliseconds(2));
  }

 private:
  Nanoseconds pause_ = std::chrono::microseconds(50);
};

void complete(MPI_Request request) {
  Pauses pauses;
  for (int done = 0; MPI_Test(&request, &done, MPI_STATUS_IGNORE), done == 0;) pauses.pause();
}

}  // namespace

Peers::Peers(int& argc, char**& argv) {
  MPI_Init(&argc, &argv);
  int number = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &number);
  rank_ = static_cast<std::uint32_t>(number);
  MPI_Comm_size(MPI_COMM_WORLD, &number);
  size_ = static_cast<std::uint32_t>(number);
}

Peers::~Peers() {
  // Some implementations wait for the slowest in MPI_Finalize without a pause.
  MPI_Request request{};
  MPI_Ibarrier(MPI_COMM_WORLD, &request);
  complete(request);
  MPI_Finalize();
}

std::string Peers::name_of(std::uint32_t rank) const {
  return rank < names_.size() ? names_[rank] : fmt::format("of MPI rank {}", rank);
}

void Peers::send(std::uint32_t to, const std::string& text, int tag) {
  MPI_Request request{};
  MPI_Isend(text.data(), static_cast<int>(text.size()), MPI_CHAR, static_cast<int>(to), tag,
            MPI_COMM_WORLD, &request);
  complete(request);
}

std::string Peers::receive(std::uint32_t from, int tag) {
  MPI_Status status{};
  Pauses pauses;
  for (int there = 0;
       MPI_Iprobe(static_cast<int>(from), tag, MPI_COMM_WORLD, &there, &status), there == 0;) {
    pauses.pause();
  }
  int size = 0;
  MPI_Get_count(&status, MPI_CHAR, &size);
  std::string text(static_cast<std::size_t>(size), '\0');
  MPI_Request request{};
  MPI_Irecv(text.data(), size, MPI_CHAR, static_cast<int>(from), tag, MPI_COMM_WORLD, &request);
  complete(request);
  return text;
}

Result<std::vector<std::string>> Peers::gather(const std::string& own, Nanoseconds patience) {
  if (!is_first()) {
    send(0, own, kText);
    return std::vector<std::string>();
  }
  std::vector<std::string> texts(size_);
  texts[0] = own;
  std::vector<std::uint32_t> missing;
  for (std::uint32_t peer = 1; peer < size_; ++peer) missing.push_back(peer);
  const auto deadline = Clock::now() + patience;
  for (Pauses pauses; !missing.empty(); pauses.pause()) {
    std::erase_if(missing, [&](std::uint32_t peer) {
      int there = 0;
      MPI_Iprobe(static_cast<int>(peer), kText, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE);
      if (there != 0) texts[peer] = receive(peer, kText);
      return there != 0;
    });
    if (missing.empty() || Clock::now() < deadline) continue;
    std::vector<std::string> hosts;
    for (const std::uint32_t peer : missing) hosts.push_back(name_of(peer));
    return make_error(
        "load host {} has not answered for {}: look whether its process is stopped, or "
        "the host or the network between overloaded",
        fmt::join(hosts, ", "), to_string(patience));
  }
  return texts;
}

std::string Peers::broadcast(const std::string& text) {
  if (!is_first()) return receive(0, kText);
  for (std::uint32_t peer = 1; peer < size_; ++peer) send(peer, text, kText);
  return text;
}

void Peers::add_up(Histogram& histogram) {
  const Histogram::Parts own = histogram.parts();
  const auto reduce = [&](std::uint64_t* values, std::size_t count, MPI_Op operation) {
    MPI_Request request{};
    MPI_Ireduce(is_first() ? MPI_IN_PLACE : values, values, static_cast<int>(count), MPI_UINT64_T,
                operation, 0, MPI_COMM_WORLD, &request);
    complete(request);
  };
  reduce(own.buckets.data(), own.buckets.size(), MPI_SUM);
  reduce(&own.sum, 1, MPI_SUM);
  reduce(&own.min, 1, MPI_MIN);
  reduce(&own.max, 1, MPI_MAX);
}

// Its reading lies in the middle between our question and its answer.
ClockOffset Peers::measure_clock_of(std::uint32_t peer) {
  ClockOffset best{.round_trip = Nanoseconds::max()};
  const int to = static_cast<int>(peer);
  for (int round = 0; round < kClockRounds; ++round) {
    MPI_Request answer{};
    std::int64_t theirs = 0;
    MPI_Irecv(&theirs, 1, MPI_INT64_T, to, kClock, MPI_COMM_WORLD, &answer);
    MPI_Request question{};
    const auto asked = Clock::now();
    MPI_Isend(nullptr, 0, MPI_INT64_T, to, kClock, MPI_COMM_WORLD, &question);
    for (int done = 0; MPI_Test(&answer, &done, MPI_STATUS_IGNORE), done == 0;) {
      leave_if_interrupted();
      std::this_thread::yield();
    }
    const auto answered = Clock::now();
    complete(question);
    if (answered - asked >= best.round_trip) continue;
    best.round_trip = answered - asked;
    best.offset = Nanoseconds(theirs) - (asked + best.round_trip / 2).time_since_epoch();
  }
  return best;
}

// The first question may come after those to other processes; from then on it does not sleep.
void Peers::answer_clock() {
  for (int round = 0; round < kClockRounds; ++round) {
    MPI_Request question{};
    MPI_Irecv(nullptr, 0, MPI_INT64_T, 0, kClock, MPI_COMM_WORLD, &question);
    Pauses pauses;
    for (int done = 0; MPI_Test(&question, &done, MPI_STATUS_IGNORE), done == 0;) {
      if (round == 0) {
        pauses.pause();
      } else {
        leave_if_interrupted();
        std::this_thread::yield();
      }
    }
    const std::int64_t now = Clock::now().time_since_epoch() / Nanoseconds(1);
    MPI_Request answer{};
    MPI_Isend(&now, 1, MPI_INT64_T, 0, kClock, MPI_COMM_WORLD, &answer);
    complete(answer);
  }
}

std::vector<ClockOffset> Peers::measure_clocks() {
  if (!is_first()) {
    answer_clock();
    return {};
  }
  std::vector<ClockOffset> clocks(size_);
  for (std::uint32_t peer = 1; peer < size_; ++peer) clocks[peer] = measure_clock_of(peer);
  return clocks;
}

void Peers::abort(int status) {
  // What was printed is on its way through the launcher, which this ends as well.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  MPI_Abort(MPI_COMM_WORLD, status);
  ::_exit(status);
}

}  // namespace muxbench::loadgen
