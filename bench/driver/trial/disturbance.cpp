#include "trial/disturbance.h"

#include <algorithm>

#include "metrics/usage.h"
#include "system/process_tree.h"

namespace muxbench {

DisturbanceWatch::DisturbanceWatch(const ForeignCpu* foreign, const TrialSetup& setup, pid_t server,
                                   pid_t load)
    : foreign_(foreign), setup_(setup), server_(server), load_(load), begin_(read()) {}

bool DisturbanceWatch::is_disturbed(const Slice& slice) const {
  const Reading end = read();
  const auto too_much = [&](Nanoseconds foreign, const std::vector<int>& cpus) {
    const double time = static_cast<double>(slice.took.count()) * static_cast<double>(cpus.size());
    return static_cast<double>(foreign.count()) >= kDisturbed * time;
  };
  if (foreign_ == nullptr) {
    const auto waited = [](const auto& from, const auto& to) {
      return from && to ? *to - *from : Nanoseconds(0);
    };
    return too_much(waited(begin_.server_waited, end.server_waited), {0}) ||
           too_much(waited(begin_.load_waited, end.load_waited), setup_.load_cpus);
  }
  const Nanoseconds server = end.server_side - begin_.server_side - slice.server_cpu.total;
  const Nanoseconds load = end.load_side - begin_.load_side - (end.own - begin_.own);
  if (setup_.server_cpus == setup_.load_cpus) {  // each side is the other's
    return too_much(load - slice.server_cpu.total, setup_.load_cpus);
  }
  return too_much(server, setup_.server_cpus) || too_much(load, setup_.load_cpus);
}

DisturbanceWatch::Reading DisturbanceWatch::read() const {
  Reading reading;
  if (foreign_ != nullptr) {
    reading.server_side = foreign_->used(setup_.server_cpus);
    reading.load_side = foreign_->used(setup_.load_cpus);
    reading.own = tree_cpu({load_}) + process_cpu_time().total();
    return reading;
  }
  reading.load_waited = waited_for_cpu(load_);
  // Several threads wait for each other.
  if (threads_of({server_}).size() == 1) reading.server_waited = waited_for_cpu(server_);
  return reading;
}

}  // namespace muxbench
