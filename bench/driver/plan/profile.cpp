#include "plan/profile.h"

namespace muxbench {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> table{
      {.name = "smoke",
       .limit = seconds(15),
       .target = seconds(11),
       .longest = milliseconds(300),
       .comfortable = milliseconds(200),
       .shortest = milliseconds(50),
       .longest_overhead = seconds(1),
       .most_repetitions = 2,
       .micro = {.budget = seconds(4), .repetitions = 2, .largest = 128, .slice = milliseconds(2)}},
      {.name = "quick",
       .limit = seconds(210),
       .target = seconds(195),
       .longest = seconds(3600),
       .comfortable = milliseconds(150),
       .shortest = milliseconds(60),
       .longest_overhead = seconds(1),
       .most_repetitions = 4,
       .least_repetitions = 3,
       .micro = {.budget = seconds(20), .repetitions = 3}},
      {.name = "full",
       .longest = seconds(3600),
       .counting = Counting::all_points,
       .required_repetitions = 5,
       .micro = {.budget = seconds(240)}},
  };
  return table;
}

Result<Profile> find_profile(const std::string& name) {
  for (const Profile& profile : profiles()) {
    if (profile.name == name) return profile;
  }
  return usage_error("there is no profile \"{}\"; there are smoke, quick and full", name);
}

}  // namespace muxbench
