#include "loadgen/options.h"

#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>

#include "base/parse.h"
#include "loadgen/greet_client.h"

namespace muxbench::loadgen {
namespace {

constexpr std::uint64_t kLargestMessage = 1024 * 1024;
constexpr std::uint64_t kMostConnections = 10'000'000;

// Durations and counts as they were typed; ours are read by core/base/parse.h, with units.
struct Typed {
  std::string protocol = "echo";
  std::string connections = "64";
  std::string idle = "0";
  std::string threads = "1";
  std::string cpus;
  std::string message_bytes = "64";
  std::string warmup = "0";
  std::string duration = "10s";
  std::string requests;
  std::string connect_timeout = "5s";
  std::string timeout = "5s";
  bool allow_remote = false;
};

// Collects the first thing that is wrong, so that each option is read in one line.
class Reader {
 public:
  void count(const char* option, const std::string& text, std::uint64_t least, std::uint64_t most,
             auto& out) {
    const Result<std::uint64_t> value = parse_count(text);
    if (!value) return refuse(usage_error("{}: {}", option, value.error().message));
    if (*value < least || *value > most) {
      return refuse(usage_error("{} must be from {} to {}, not {}", option, least, most, text));
    }
    out = static_cast<std::remove_reference_t<decltype(out)>>(*value);
  }
  void duration(const char* option, const std::string& text, bool zero_allowed, Nanoseconds& out) {
    const Result<Nanoseconds> value = parse_duration(text);
    if (!value) return refuse(usage_error("{}: {}", option, value.error().message));
    if (!zero_allowed && value->count() == 0) {
      return refuse(usage_error("{} must be longer than 0", option));
    }
    out = *value;
  }
  void refuse(Error error) {
    if (!error_) error_ = std::move(error);
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

void read_protocol(const std::string& text, Reader& reader, Options& options) {
  for (const auto protocol : {ProtocolKind::echo, ProtocolKind::greet, ProtocolKind::http}) {
    if (name_of(protocol) == text) {
      options.protocol = protocol;
      return;
    }
  }
  reader.refuse(usage_error("--protocol must be echo, greet or http, not \"{}\"", text));
}

void read_target(bool allow_remote, Reader& reader, Options& options) {
  const Result<Address> target = Address::resolve(options.target_text);
  if (!target) return reader.refuse(target.error());
  options.target = *target;
  if (!target->is_loopback() && !allow_remote) {
    reader.refuse(usage_error(
        "{} is not on this machine; add --allow-remote if you are entitled to load that host",
        options.target_text));
  }
}

void read_cpus(const std::string& text, Reader& reader, Options& options) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  if (text.empty()) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &allowed)) options.cpus.push_back(cpu);
    }
    return;
  }
  const Result<std::vector<int>> cpus = parse_cpu_list(text);
  if (!cpus) return reader.refuse(usage_error("--cpus: {}", cpus.error().message));
  for (const int cpu : *cpus) {
    if (!CPU_ISSET(cpu, &allowed)) {
      return reader.refuse(
          usage_error("--cpus: CPU {} does not exist or is not allowed to this process; "
                      "see nproc and taskset -p $$",
                      cpu));
    }
  }
  options.cpus = *cpus;
}

void check_together(const Options& options, bool duration_given, bool message_given,
                    Reader& reader) {
  const bool http = options.protocol == ProtocolKind::http;
  if (options.requests != 0 && duration_given) {
    reader.refuse(usage_error("give either --duration or --requests, not both"));
  }
  if (options.threads > options.connections) {
    reader.refuse(usage_error(
        "{} threads cannot share {} connections; give at least one connection per thread",
        options.threads, options.connections));
  }
  if (!http && (!options.paths.empty() || !options.body_root.empty())) {
    reader.refuse(usage_error("--path and --body-root belong to --protocol http"));
  }
  if (http && message_given) {
    reader.refuse(usage_error("--message-bytes does not apply to --protocol http; use --path"));
  }
  if (options.protocol == ProtocolKind::greet &&
      options.message_bytes < GreetClient::kShortestLine) {
    reader.refuse(
        usage_error("--message-bytes must be at least {} with --protocol greet: one "
                    "character and the line's end",
                    GreetClient::kShortestLine));
  }
  for (const std::string& path : options.paths) {
    const bool plain = std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7f; });
    if (!path.starts_with('/') || !plain) {
      reader.refuse(usage_error("--path \"{}\" must start with / and have no spaces", path));
    }
  }
}

}  // namespace

std::string_view name_of(ProtocolKind protocol) {
  switch (protocol) {
    case ProtocolKind::greet:
      return "greet";
    case ProtocolKind::http:
      return "http";
    default:
      return "echo";
  }
}

Result<CommandLine> parse_options(int argc, const char* const* argv) {
  CommandLine line;
  Options& options = line.options;
  Typed typed;
  CLI::App app("Loads a server over many connections, checks every byte and measures latency.",
               "loadgen");
  app.add_option("--target", options.target_text,
                 "127.0.0.1:PORT, [::1]:PORT, unix:/path or host:PORT")
      ->required();
  app.add_option("--protocol", typed.protocol, "echo, greet or http (echo)");
  app.add_option("--connections", typed.connections, "connections that send requests (64)");
  app.add_option("--idle", typed.idle, "silent connections held open beside them (0)");
  app.add_option("--threads", typed.threads, "threads that share the connections (1)");
  app.add_option(
      "--cpus", typed.cpus,
      "pin threads to these CPUs in turn, such as 1 or 2-5 (those of the affinity mask)");
  auto* message = app.add_option("--message-bytes", typed.message_bytes,
                                 "size of an echo message or greet line, 1 B to 1 MiB (64)");
  app.add_option("--path", options.paths, "http: path to GET; may be repeated (/)");
  app.add_option("--body-root", options.body_root,
                 "http: bodies must equal the files in this folder (first response)");
  app.add_option("--warmup", typed.warmup, "load before the measured window (0)");
  auto* duration = app.add_option("--duration", typed.duration, "the measured window (10s)");
  app.add_option("--requests", typed.requests, "measure this many requests instead");
  app.add_option("--connect-timeout", typed.connect_timeout, "for opening a connection (5s)");
  app.add_option("--timeout", typed.timeout, "for a response; later is an error (5s)");
  app.add_option("--json", options.json, "write the result to this file, or - for stdout");
  app.add_flag("--phases", options.phases,
               "print a JSON line when connected, measuring and measured");
  app.add_flag("--allow-remote", typed.allow_remote, "load a target that is not on this machine");
  app.add_flag("--quiet", options.quiet, "no summary and no progress");
  app.set_version_flag("--version", "loadgen " MUXBENCH_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.text = app.help();
    return line;
  } catch (const CLI::CallForVersion&) {
    line.text = app.version() + "\n";
    return line;
  } catch (const CLI::ParseError& error) {
    std::string sentence = error.what();
    std::ranges::replace(sentence, '\n', ' ');
    return usage_error("{}; loadgen --help lists the options", sentence);
  }

  constexpr auto kAny = std::numeric_limits<std::int64_t>::max();
  Reader reader;
  read_protocol(typed.protocol, reader, options);
  reader.count("--connections", typed.connections, 1, kMostConnections, options.connections);
  reader.count("--idle", typed.idle, 0, kMostConnections, options.idle);
  reader.count("--threads", typed.threads, 1, 1024, options.threads);
  reader.count("--message-bytes", typed.message_bytes, 1, kLargestMessage, options.message_bytes);
  if (!typed.requests.empty()) {
    reader.count("--requests", typed.requests, 1, kAny, options.requests);
  }
  reader.duration("--warmup", typed.warmup, true, options.warmup);
  reader.duration("--duration", typed.duration, false, options.duration);
  reader.duration("--connect-timeout", typed.connect_timeout, false, options.connect_timeout);
  reader.duration("--timeout", typed.timeout, false, options.timeout);
  read_cpus(typed.cpus, reader, options);
  check_together(options, duration->count() != 0, message->count() != 0, reader);
  if (!reader.error()) read_target(typed.allow_remote, reader, options);
  if (reader.error()) return *reader.error();
  if (options.protocol == ProtocolKind::http && options.paths.empty()) options.paths = {"/"};
  return line;
}

}  // namespace muxbench::loadgen
