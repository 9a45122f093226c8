#include "options/parse_options.h"

#include <fmt/ranges.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <sstream>

#include "base/format.h"
#include "base/parse.h"
#include "command_line/command_line.h"
#include "options/descriptors.h"
#include "options/options_check.h"

namespace muxbench::loadgen {
namespace {

constexpr std::uint32_t kMostThreads = 1024;
constexpr std::uint64_t kMostConnections = 10'000'000;

// What the words of the command line mean: each makes a value of a text, or says in a sentence why
// not.

auto count_between(std::uint64_t least, std::uint64_t most) {
  return [=](const std::string& text) {
    Result<std::uint64_t> value = parse_count(text);
    if (value && (*value < least || *value > most)) {
      value = usage_error("must be {}, not {}", format_range(least, most), text);
    }
    return value;
  };
}

Result<Nanoseconds> parse_positive_duration(const std::string& text) {
  Result<Nanoseconds> value = parse_duration(text);
  if (value && value->count() == 0) value = usage_error("must be longer than 0");
  return value;
}

// One of these values, by its name_of().
template <typename Choice>
auto choice_of(std::initializer_list<Choice> choices) {
  return [choices = std::vector<Choice>(choices)](const std::string& text) -> Result<Choice> {
    std::vector<std::string_view> names;
    for (const Choice choice : choices) {
      names.push_back(name_of(choice));
      if (names.back() == text) return choice;
    }
    const std::string_view last = names.back();
    names.pop_back();
    return usage_error("must be {} or {}, not \"{}\"", fmt::join(names, ", "), last, text);
  };
}

// "10k,20k" in one text or in several.
Result<std::vector<std::uint64_t>> parse_rates(const std::vector<std::string>& lists) {
  std::vector<std::uint64_t> rates;
  std::istringstream items(fmt::format("{},", fmt::join(lists, ",")));
  for (std::string item; std::getline(items, item, ',');) {
    const Result<std::uint64_t> rate = count_between(1, kMostPerSecond)(item);
    if (!rate) return rate.error();
    rates.push_back(*rate);
  }
  return rates;
}

// Of the affinity mask.
std::vector<int> allowed_cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
  }
  return cpus;
}

// Some of them; an empty text: all.
Result<std::vector<int>> parse_cpus(const std::string& text) {
  const std::vector<int> allowed = allowed_cpus();
  if (text.empty()) return allowed;
  Result<std::vector<int>> cpus = parse_cpu_list(text);
  if (!cpus) return cpus;
  for (const int cpu : *cpus) {
    if (!std::ranges::binary_search(allowed, cpu)) {
      return usage_error(
          "CPU {} does not exist or is not allowed to this process; see nproc and taskset -p $$",
          cpu);
    }
  }
  return cpus;
}

// `paths`, and those of a file with one on each line; at least one in all.
Result<std::vector<std::string>> add_paths_of(const std::string& file,
                                              std::vector<std::string> paths) {
  std::ifstream lines(file);
  for (std::string path; std::getline(lines, path);) {
    if (!path.empty()) paths.push_back(path);
  }
  if (!lines.is_open() || lines.bad() || paths.empty()) {
    return usage_error("cannot read a path from {}; write one a line", file);
  }
  return paths;
}

// The options.

void add_general(CLI::App& app, Options& options, bool& allow_remote) {
  using enum ProtocolKind;
  app.add_option("--target", options.target_text,
                 "127.0.0.1:PORT, [::1]:PORT, unix:/path or host:PORT")
      ->required();
  app.add_flag("--allow-remote", allow_remote, "Load a target that is not on this machine");
  add_parsed(app, "--protocol", options.protocol, choice_of({echo, greet, http}),
             "echo (default), greet or http");
  add_parsed(app, "--connections", options.connections, count_between(1, kMostConnections),
             "Connections that send requests (default: 64)");
  add_parsed(app, "--threads", options.threads, count_between(1, kMostThreads),
             "Threads that share the connections (default: as few as the descriptor limit allows)");
  add_parsed(app, "--cpus", options.cpus, parse_cpus,
             "Pin the threads to these CPUs in turn, such as 1 or 2-5 (default: the CPUs of the "
             "affinity mask)");
  add_parsed(app, "--warmup", options.warmup, parse_duration,
             "Load before the measured window (default: 0)");
  add_parsed(app, "--duration", options.duration, parse_positive_duration,
             "Length of the measured window (default: 10s)");
  add_parsed(app, "--requests", options.requests,
             count_between(1, std::numeric_limits<std::int64_t>::max()),
             "Measure this many requests instead of a length of time");
  add_parsed(app, "--connect-timeout", options.connect_timeout, parse_positive_duration,
             "How long opening a connection may take (default: 5s)");
  add_parsed(app, "--timeout", options.timeout, parse_positive_duration,
             "How long a response may take; a later one is an error (default: 5s)");
}

void add_requests(CLI::App& app, Options& options) {
  app.option_defaults()->group("Requests");
  add_parsed(app, "--message-bytes", options.message_bytes, MessageSizes::parse,
             "Size of an echo message or greet line, 1 B to 1 MiB (default: 64). For echo also a "
             "range, 64-1024, or sizes with weights, 64*90,4KiB*9,1MiB*1");
  add_parsed(app, "--pipeline", options.pipeline, count_between(1, 1024),
             "Requests in flight on each connection (default: 1)");
  add_parsed<std::vector<std::string>>(
      app, "--rate", options.rates, parse_rates,
      "Open loop: send so many requests per second, however slow the server is. Latency "
      "counts from the time when a request is due. 10k,20k,40k is one run after the other");
  add_parsed(app, "--arrival", options.arrival, choice_of({Arrival::uniform, Arrival::poisson}),
             "Open loop: uniform (default) or poisson");
  add_parsed(app, "--max-lag", options.max_lag, parse_positive_duration,
             "Open loop: stop when requests wait longer than this to be sent (default: 5s)");
  app.add_flag("--busy-poll", options.busy_poll,
               "Poll for answers instead of sleeping. Latency is then free of the generator's own "
               "wake-up, and each thread takes a whole CPU");
  app.add_option("--path", options.paths, "http: path to request (default: /). May be repeated");
  add_parsed(
      app, "--path-file", options.paths,
      [&options](const std::string& file) { return add_paths_of(file, options.paths); },
      "http: file with one path on each line");
  app.add_option(
      "--body-root", options.body_root,
      "http: folder whose files the bodies must equal (default: all responses must equal "
      "the first one)");
}

void add_connections(CLI::App& app, Options& options) {
  app.option_defaults()->group("Connections");
  add_parsed(app, "--connect-rate", options.connect_rate, count_between(1, kMostPerSecond),
             "Open at most so many connections per second before the load starts (default: no "
             "limit)");
  app.add_flag("--churn", options.churn,
               "echo, http: open a connection for each request; latency includes opening it");
  add_parsed(app, "--closer", options.closer,
             choice_of({Closer::client, Closer::server, Closer::reset}),
             "Who closes the connection with --churn: client, server (default for http) or reset "
             "(default for echo)");
  const auto any = count_between(0, kMostConnections);
  add_parsed(app, "--idle", options.idle, any, "Silent connections, in addition (default: 0)");
  add_parsed(app, "--stall-mid-message", options.stall_mid_message, any,
             "Clients that stop in the middle of a message, in addition (default: 0)");
  add_parsed(app, "--stall-never-read", options.stall_never_read, any,
             "Clients that keep sending and never read, in addition (default: 0)");
  add_parsed(app, "--stall-trickle", options.stall_trickle, any,
             "Clients that send one byte per second, in addition (default: 0)");
}

void add_output(CLI::App& app, Options& options) {
  app.option_defaults()->group("Output");
  app.add_option("--json", options.json, "Write the result to this file, or - for standard output");
  app.add_option("--hgrm", options.hgrm,
                 "Write the latency distribution to this file, or - for standard output, in "
                 "HdrHistogram's text format");
  app.add_option("--csv", options.csv,
                 "Write a line of numbers for each run to this file, or - for standard output");
  app.add_flag("--phases", options.phases,
               "For a program that drives this one: print a JSON line for each phase (connected, "
               "measuring, measured, drained) and wait for its commands; docs/loadgen.md has the "
               "protocol");
  app.add_flag("--quiet", options.quiet, "Print no summary and no progress");
  app.option_defaults()->group("Options");
}

// What depends on other options where it was not given.
void set_defaults(Options& options, const CLI::App& app) {
  options.threads_asked = app.count("--threads") != 0;
  if (!options.threads_asked) {
    const std::uint64_t needed = threads_needed(
        std::uint64_t{options.connections} + options.background(), descriptor_limit());
    options.threads =
        static_cast<std::uint32_t>(std::clamp<std::uint64_t>(needed, 1, kMostThreads));
  }
  const bool http = options.protocol == ProtocolKind::http;
  if (app.count("--closer") == 0) options.closer = http ? Closer::server : Closer::reset;
  if (options.cpus.empty()) options.cpus = allowed_cpus();
}

Result<> resolve_target(Options& options, bool allow_remote) {
  const Result<Address> target = Address::resolve(options.target_text);
  if (!target) return target.error();
  options.target = *target;
  if (target->is_loopback() || allow_remote) return {};
  return usage_error(
      "{} is not on this machine; add --allow-remote if you are entitled to load that host",
      options.target_text);
}

}  // namespace

Result<CommandLine> parse_options(int argc, const char* const* argv, std::string_view program) {
  CommandLine line;
  Options& options = line.options;
  bool allow_remote = false;
  CLI::App app("Loads a server over many connections, checks every byte and measures latency.",
               std::string(program));
  set_up_help(app);
  add_general(app, options, allow_remote);
  add_requests(app, options);
  add_connections(app, options);
  add_output(app, options);
  app.set_version_flag("--version", fmt::format("{} " MUXBENCH_VERSION, program),
                       "Print the version and exit");
  name_values(
      app, {{"ADDRESS", {"--target"}},
            {"NAME", {"--protocol", "--arrival"}},
            {"SIDE", {"--closer"}},
            {"N",
             {"--connections", "--threads", "--requests", "--pipeline", "--rate", "--connect-rate",
              "--idle", "--stall-mid-message", "--stall-never-read", "--stall-trickle"}},
            {"CPUS", {"--cpus"}},
            {"TIME", {"--warmup", "--duration", "--connect-timeout", "--timeout", "--max-lag"}},
            {"BYTES", {"--message-bytes"}},
            {"PATH", {"--path"}},
            {"DIR", {"--body-root"}},
            {"FILE", {"--path-file", "--json", "--hgrm", "--csv"}}});
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.text = app.help();
    return line;
  } catch (const CLI::CallForVersion&) {
    line.text = app.version() + "\n";
    return line;
  } catch (const CLI::ParseError& error) {
    return command_line_error(error, std::string(program));
  }
  set_defaults(options, app);
  const auto given = [&](const char* option) { return app.count(option) != 0; };
  if (const auto error = contradiction(options, given)) return *error;
  if (const auto resolved = resolve_target(options, allow_remote); !resolved) {
    return resolved.error();
  }
  if (options.protocol == ProtocolKind::http && options.paths.empty()) options.paths = {"/"};
  return line;
}

}  // namespace muxbench::loadgen
