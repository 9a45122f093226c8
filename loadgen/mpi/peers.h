// The processes of a load that many hosts make, one on each: messages between them by MPI. Who waits
// sleeps between two looks. Process 0 is the first host's; it knows who did not come in time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metrics/histogram.h"

namespace muxbench::loadgen {

// How a process's clock stands to that of process 0.
struct ClockOffset {
  Nanoseconds offset{};
  Nanoseconds
      round_trip{};  // of the quickest exchange of messages: the offset is known to half of it
};

// Every call but those that name a process is made by all of them, in the same order. A signal that
// ends the process does so in the middle of any.
class Peers {
 public:
  Peers(int& argc, char**& argv);  // MPI_Init
  ~Peers();                        // MPI_Finalize
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  std::uint32_t rank() const noexcept { return rank_; }
  std::uint32_t size() const noexcept { return size_; }
  bool is_first() const noexcept { return rank_ == 0; }
  // Who to blame when one does not answer.
  void name_hosts(std::vector<std::string> names) { names_ = std::move(names); }
  const std::vector<std::string>& names() const noexcept { return names_; }

  // At process 0 the texts of all, in their order; elsewhere nothing. An error, at process 0 alone,
  // names those that sent none within the patience: the others wait on, so it has to abort().
  Result<std::vector<std::string>> gather(const std::string& own, Nanoseconds patience);
  // The text of process 0, at all.
  std::string broadcast(const std::string& text);
  // At process 0 the sum of all.
  void add_up(Histogram& histogram);
  // At process 0 those of all; elsewhere nothing. Takes some milliseconds for each process.
  std::vector<ClockOffset> measure_clocks();

  // Ends all processes that can be reached.
  [[noreturn]] void abort(int status);

 private:
  void send(std::uint32_t to, const std::string& text, int tag);
  std::string receive(std::uint32_t from, int tag);
  ClockOffset measure_clock_of(std::uint32_t peer);
  void answer_clock();
  std::string name_of(std::uint32_t rank) const;

  std::uint32_t rank_ = 0;
  std::uint32_t size_ = 1;
  std::vector<std::string> names_;
};

}  // namespace muxbench::loadgen
