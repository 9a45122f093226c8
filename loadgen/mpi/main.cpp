// The load generator on many hosts: one process on each, started by an MPI launcher.
//
//   mpirun --hostfile hosts --map-by node loadgen_mpi --target 10.0.0.5:7000 --allow-remote ...
//
// The options are those of loadgen. Each process loads the target with its part; the first one adds up
// what all have found and writes the result.

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/output.h"
#include "engine/interrupt.h"
#include "engine/runner.h"
#include "host_coordinator.h"
#include "json/json.h"
#include "options/host_part.h"
#include "options/parse_options.h"
#include "peers.h"
#include "probe.h"
#include "result/host_results.h"
#include "result/output_files.h"
#include "result/result_json.h"
#include "result/summary.h"

namespace muxbench::loadgen {
namespace {

constexpr const char* kProgram = "loadgen_mpi";

// Open MPI puts each process on one core. Our threads are to have all that the host gives.
void leave_core_of_launcher() {
  if (std::getenv("OMPI_MCA_orte_bound_at_launch") == nullptr) return;
  cpu_set_t all;
  CPU_ZERO(&all);
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &all);
  ::sched_setaffinity(0, sizeof all, &all);
}

Json introduction(const std::string& error) {
  utsname system{};
  ::uname(&system);
  const auto program = content_hash("/proc/self/exe");
  return {{"name", system.nodename},
          {"machine", system.machine},
          {"program", program ? *program : std::string()},
          {"error", !error.empty() || program ? error : program.error().message}};
}

// Two processes on hosts of one name, as on one machine, are told apart by their number.
std::vector<std::string> names_of(const std::vector<Json>& hosts) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const auto name = hosts[i].at("name").get<std::string>();
    const auto same = std::ranges::count_if(
        hosts, [&](const Json& host) { return host.at("name").get<std::string>() == name; });
    names.push_back(same == 1 ? name : fmt::format("{}#{}", name, i));
  }
  return names;
}

std::string wrong_with(const std::vector<Json>& hosts, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (const auto error = hosts[i].at("error").get<std::string>(); !error.empty()) {
      return i == 0 ? error : fmt::format("load host {}: {}", names[i], error);
    }
    const auto of = [&](std::size_t host, const char* key) {
      return hosts[host].at(key).get<std::string>();
    };
    if (of(i, "machine") != of(0, "machine")) {
      return fmt::format(
          "load host {} is of the architecture {} and {} of {}: take load hosts of one "
          "architecture",
          names[i], of(i, "machine"), names[0], of(0, "machine"));
    }
    if (of(i, "program") != of(0, "program")) {
      return fmt::format(
          "load host {} has another version of this program ({}) than {} ({}): copy one to all "
          "hosts with scripts/push.sh",
          names[i], of(i, "program"), names[0], of(0, "program"));
    }
  }
  return {};
}

// Everybody is there, has the same program and can do its part; otherwise the status to end with.
std::optional<int> meet(Peers& peers, const Error& error, bool as_json) {
  constexpr auto kPatience = std::chrono::seconds(30);
  const auto texts = peers.gather(introduction(error.message).dump(), kPatience);
  if (!texts) fail_all(peers, texts.error().message, as_json);
  std::string told;
  if (peers.is_first()) {
    std::vector<Json> hosts;
    for (const std::string& text : *texts) hosts.push_back(Json::parse(text));
    const std::vector<std::string> names = names_of(hosts);
    told = Json{{"names", names}, {"wrong", wrong_with(hosts, names)}}.dump();
  }
  const Json told_to_all = Json::parse(peers.broadcast(told));
  peers.name_hosts(told_to_all.at("names").get<std::vector<std::string>>());
  const auto wrong = told_to_all.at("wrong").get<std::string>();
  if (wrong.empty()) return std::nullopt;
  if (!peers.is_first()) return 0;
  if (as_json) print("{}\n", Json({{"status", "failed"}, {"stop_reason", wrong}}).dump());
  const Exit exit = error.message.empty() ? Exit::failure : error.exit;
  return print_error(kProgram, {.message = wrong, .exit = exit});
}

HostFigures figures_of(const std::string& name, const Json& packed,
                       const HostCoordinator::Clocks& clocks, std::size_t rank) {
  const Json& asked = packed.at("shown").at("asked");
  const double connections = asked.at("connections").get<double>();
  const auto window = packed.at("window_ns").get<double>();
  HostFigures figures{.name = name,
                      .weight = number_at(asked, "/rate").value_or(connections),
                      .latency_mean_ns = packed.at("latency_mean_ns").get<double>()};
  // By the second, as --requests ends each host's window when its own are done.
  if (window > 0) figures.requests = packed.at("requests_in_window").get<double>() * 1e9 / window;
  if (rank < clocks.skews.size()) {
    figures.window_skew = clocks.skews[rank];
    figures.round_trip = clocks.offsets[rank].round_trip;
  }
  return figures;
}

// At the first host what all have found; elsewhere nothing.
std::optional<RunResult> add_up(Peers& peers, const Options& own_options, RunResult own,
                                const HostCoordinator& coordinator, bool as_json) {
  Json packed = pack(own);
  packed["shown"] = Json::parse(to_json(own_options, own, true));
  packed["latency_mean_ns"] = own.latency.mean().count();
  packed["window_ns"] = own.duration.count();
  const auto texts = peers.gather(packed.dump(), coordinator.patience());
  if (!texts) fail_all(peers, texts.error().message, as_json);
  peers.broadcast("add up");
  RunResult all;
  for (Histogram RunResult::*histogram : kHistograms) {
    peers.add_up(own.*histogram);
    all.*histogram = std::move(own.*histogram);
  }
  if (!peers.is_first()) return std::nullopt;
  HostResults hosts;
  std::vector<HostFigures> figures;
  const HostCoordinator::Clocks& clocks = coordinator.clocks();
  for (std::size_t i = 0; i < texts->size(); ++i) {
    const Json one = Json::parse((*texts)[i]);
    const std::string& name = peers.names()[i];
    merge(all, unpack(one), name);
    HostResult host{.name = name, .json = one.at("shown").dump()};
    figures.push_back(figures_of(name, one, clocks, i));
    host.window_skew = figures.back().window_skew;
    host.round_trip = figures.back().round_trip;
    if (i < clocks.offsets.size()) host.clock_offset = clocks.offsets[i].offset;
    hosts.hosts.push_back(std::move(host));
  }
  if (all.duration.count() > 0) hosts.flags = judge_hosts(figures, all.duration);
  if (!all.stop_reason.empty()) all.latency = {};  // as of one host
  all.hosts = std::move(hosts);
  return all;
}

struct Loaded {
  std::vector<Step> steps;  // at the first host
  std::string failure;      // there is no result
};

// One run for each rate, until one cannot go on.
Loaded run_steps(Peers& peers, const Options& whole, const Options& own) {
  Loaded loaded;
  const std::size_t count = std::max<std::size_t>(own.rates.size(), 1);
  for (std::size_t i = 0; i < count; ++i) {
    Options options = own;
    Options asked = whole;
    if (!own.rates.empty()) {
      options.rate = own.rates[i];
      asked.rate = whole.rates[i];
    }
    options.phases = true;  // so that each is drained before it leaves
    options.quiet = options.quiet || !peers.is_first();
    HostCoordinator coordinator(peers, options, whole.phases);
    auto result = run(options, coordinator);
    if (!coordinator.has_connected()) {
      coordinator.give_up(result ? std::string() : result.error().message);
    } else if (!result) {  // a command, and so everywhere
      loaded.failure = result.error().message;
    }
    if (loaded.failure.empty()) loaded.failure = coordinator.failure();
    if (!loaded.failure.empty()) return loaded;
    auto all = add_up(peers, options, std::move(*result), coordinator, whole.phases);
    bool goes_on = true;
    if (all) {
      asked.threads = static_cast<std::uint32_t>(all->threads.size());
      if (!whole.result_on_stdout() && !whole.quiet) {
        print("{}{}", i == 0 ? "" : "\n", summary(asked, *all));
      }
      goes_on = !all->interrupted && all->stop_reason.empty();
      loaded.steps.push_back({std::move(asked), std::move(*all)});
    }
    if (peers.broadcast(goes_on ? "next" : "end") == "end") break;
  }
  return loaded;
}

int load(Peers& peers, const Options& whole) {
  Result<OutputFiles> outputs{OutputFiles{}};
  if (peers.is_first()) outputs = OutputFiles::open(whole);
  Error error;
  if (!outputs) {
    error = outputs.error();
  } else if (auto possible = check_parts(whole, peers.size()); !possible) {
    error = possible.error();
  }
  if (const auto ended = meet(peers, error, whole.phases)) return *ended;
  const Options own = part_of(whole, {.host = peers.rank(), .hosts = peers.size()});
  const Loaded loaded = run_steps(peers, whole, own);
  if (!peers.is_first()) return 0;
  if (!loaded.failure.empty()) {
    if (whole.phases) {
      print("{}\n", Json({{"status", "failed"}, {"stop_reason", loaded.failure}}).dump());
    }
    return print_error(kProgram, Error{.message = loaded.failure});
  }
  return outputs->write_all(whole, loaded.steps, kProgram);
}

// A line of JSON about all hosts, for a driver that wants to know whether a run can work.
int probe_all(Peers& peers, const std::string& target) {
  constexpr auto kPatience = std::chrono::seconds(60);
  if (const auto ended = meet(peers, {}, true)) return *ended;
  const std::vector<ClockOffset> clocks = peers.measure_clocks();
  Json own = introduction("");
  own.erase("error");
  own.update(probe(target));
  const auto texts = peers.gather(own.dump(), kPatience);
  if (!texts) fail_all(peers, texts.error().message, true);
  if (!peers.is_first()) return 0;
  Json hosts = Json::array();
  for (std::size_t i = 0; i < texts->size(); ++i) {
    Json host = Json::parse((*texts)[i]);
    host["clock_offset_ns"] = clocks[i].offset.count();
    hosts.push_back(std::move(host));
  }
  print("{}\n", Json({{"hosts", std::move(hosts)}}).dump());
  return 0;
}

int main(int argc, char** argv) {
  leave_core_of_launcher();
  if (argc == 3 && argv[1] == std::string_view("--probe")) {
    const std::string target = argv[2];
    catch_signals();
    Peers peers(argc, argv);
    return probe_all(peers, target);
  }
  // --help needs no launcher, and bad arguments need none of the others.
  const Result<CommandLine> line = parse_options(argc, argv, kProgram);
  if (line && line->text) {
    write_output(*line->text);
    return 0;
  }
  catch_signals();
  Peers peers(argc, argv);
  if (!line) return meet(peers, line.error(), false).value_or(0);
  return load(peers, line->options);
}

}  // namespace
}  // namespace muxbench::loadgen

int main(int argc, char** argv) {
  return muxbench::finish("loadgen_mpi", muxbench::loadgen::main(argc, argv));
}
