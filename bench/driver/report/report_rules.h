// What a report must have at the places that are read. A path goes down from the `muxbench` section:
// `name` is a member that must be there, `name?` one that may be absent, `a|b` and `a|b?` each of
// several; [] is every entry of a list and {} every value of an object, [+] and {+} the same where
// there must be one at least, and [2] where there must be two.
#pragma once

#include <string_view>

namespace muxbench {

enum class Kind { text, count, number };

struct Rule {
  std::string_view path;
  Kind kind;
};

inline constexpr Rule kReportRules[] = {
    {"status", Kind::text},
    {"run/notes?/[]", Kind::text},
    {"run/profile?", Kind::text},
    {"run/seed?", Kind::count},
    {"run/git?/revision", Kind::text},
    {"host/kernel|architecture", Kind::text},
    {"host/cpu_model?", Kind::text},
    {"host/cpus", Kind::count},
    {"plan/network", Kind::text},
    {"plan/trials", Kind::count},
    {"plan/server_cpus|load_cpus/[+]", Kind::count},
    {"models/[+]/name", Kind::text},

    {"experiments/[+]/name|protocol|transport", Kind::text},
    {"experiments/[+]/question|metric?", Kind::text},
    {"experiments/[+]/warmup_ns|duration_ns", Kind::count},
    {"experiments/[+]/load/mode", Kind::text},
    {"experiments/[+]/sweep/{+}/[+]", Kind::count},

    {"cells/[+]/id|model|experiment|status", Kind::text},
    {"cells/[+]/reason?", Kind::text},
    {"cells/[+]/point/{+}", Kind::count},
    {"cells/[+]/flags/[]/kind", Kind::text},
    {"cells/[+]/flags/[]/detail?", Kind::text},
    {"cells/[+]/summary/requests_per_second|latency_mean_ns|latency_p50_ns|latency_p99_ns|"
     "server_cpu_ns_per_request|server_memory_bytes?/n",
     Kind::count},
    {"cells/[+]/summary/requests_per_second|latency_mean_ns|latency_p50_ns|latency_p99_ns|"
     "server_cpu_ns_per_request|server_memory_bytes?/median|mean|stddev|min|max",
     Kind::number},
    {"cells/[+]/counts?/requests|total_calls?", Kind::number},
    {"cells/[+]/counts?/syscalls?/{}/calls", Kind::number},
    {"cells/[+]/counts?/context_switches?/voluntary|involuntary", Kind::number},

    {"trials/[]/cell|status", Kind::text},
    {"trials/[]/repetition", Kind::count},
    {"twin_trials?/[]/cell|status", Kind::text},
    {"twin_trials?/[]/repetition", Kind::count},

    {"noise_floor?/[]/ratio|low|high", Kind::number},
    {"findings?/[]/kind|text", Kind::text},
    {"findings?/[]/experiment|metric?", Kind::text}};

// From a trial whose status is "ok"; what a failed one has is read by nobody.
inline constexpr Rule kGoodTrialRules[] = {
    {"server/cpu_ns_per_request?", Kind::number},
    {"server/memory?/peak_bytes", Kind::number},
    {"load/achieved/requests_per_second", Kind::number},
    {"load/latency_ns?/mean|p50|p99?", Kind::number},
    {"load/latency_ns?/histogram?/buckets/[]/[2]", Kind::count}};

}  // namespace muxbench
