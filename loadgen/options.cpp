#include "loadgen/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <ranges>

#include "loadgen/limits.h"
#include "loadgen/option_reader.h"
#include "loadgen/options_check.h"

namespace muxbench::loadgen {
namespace {

constexpr std::uint32_t kMostThreads = 1024;
constexpr std::uint64_t kMostConnections = 10'000'000;

// Durations and counts as they were typed; ours are read by core/base/parse.h, with units.
struct Typed {
  std::string protocol = "echo";
  std::string connections = "64";
  std::string idle = "0";
  std::string stall_mid_message = "0";
  std::string stall_never_read = "0";
  std::string stall_trickle = "0";
  std::vector<std::string> rates;
  std::string arrival = "uniform";
  std::string max_lag = "5s";
  std::string pipeline = "1";
  std::string connect_rate;
  std::string closer;
  std::string path_file;
  std::string threads;
  std::string cpus;
  std::string message_bytes = "64";
  std::string warmup = "0";
  std::string duration = "10s";
  std::string requests;
  std::string connect_timeout = "5s";
  std::string timeout = "5s";
  bool allow_remote = false;
};

}  // namespace

Result<CommandLine> parse_options(int argc, const char* const* argv) {
  CommandLine line;
  Options& options = line.options;
  Typed typed;
  CLI::App app("Loads a server over many connections, checks every byte and measures latency.",
               "loadgen");
  app.add_option("--target", options.target_text,
                 "127.0.0.1:PORT, [::1]:PORT, unix:/path or host:PORT")
      ->required();
  app.add_flag("--allow-remote", typed.allow_remote, "load a target that is not on this machine");
  app.add_option("--protocol", typed.protocol, "echo, greet or http (echo)");
  app.add_option("--connections", typed.connections, "connections that send requests (64)");
  app.add_option("--threads", typed.threads,
                 "threads that share the connections (as few as the descriptor limit allows)");
  app.add_option(
      "--cpus", typed.cpus,
      "pin threads to these CPUs in turn, such as 1 or 2-5 (those of the affinity mask)");
  app.add_option("--warmup", typed.warmup, "load before the measured window (0)");
  app.add_option("--duration", typed.duration, "the measured window (10s)");
  app.add_option("--requests", typed.requests, "measure this many requests instead");
  app.add_option("--connect-timeout", typed.connect_timeout, "for opening a connection (5s)");
  app.add_option("--timeout", typed.timeout, "for a response; later is an error (5s)");

  app.option_defaults()->group("Requests");
  app.add_option("--message-bytes", typed.message_bytes,
                 "size of an echo message or greet line, 1 B to 1 MiB; echo also in a range, "
                 "64-1024, or with weights, 64*90,4KiB*9,1MiB*1 (64)");
  app.add_option("--pipeline", typed.pipeline, "requests in flight on each connection (1)");
  app.add_option("--rate", typed.rates,
                 "open loop: requests per second, due whatever the server does; latency counts "
                 "from when they are due; 10k,20k,40k: one run after the other");
  app.add_option("--arrival", typed.arrival, "open loop: uniform or poisson (uniform)");
  app.add_option("--max-lag", typed.max_lag,
                 "open loop: stop when requests wait longer than this to be sent (5s)");
  app.add_flag("--busy-poll", options.busy_poll,
               "poll for answers instead of sleeping: latency without our own wake-up, for all of "
               "a CPU for each thread");
  app.add_option("--path", options.paths, "http: path to GET; may be repeated (/)");
  app.add_option("--path-file", typed.path_file, "http: a file with one path a line");
  app.add_option("--body-root", options.body_root,
                 "http: bodies must equal the files in this folder (first response)");

  app.option_defaults()->group("Connections");
  app.add_option("--connect-rate", typed.connect_rate,
                 "open at most so many connections a second before the load starts (unlimited)");
  app.add_flag("--churn", options.churn,
               "echo, http: a connection for each request; latency includes the connecting");
  app.add_option("--closer", typed.closer,
                 "who ends such a connection: client, server (echo: after our half-close; http: "
                 "asked by Connection: close) or reset (echo: reset, http: server)");
  app.add_option("--idle", typed.idle, "silent connections beside the active ones (0)");
  app.add_option("--stall-mid-message", typed.stall_mid_message,
                 "clients beside them that stop in the middle of a message (0)");
  app.add_option("--stall-never-read", typed.stall_never_read,
                 "clients beside them that send and send, and never read (0)");
  app.add_option("--stall-trickle", typed.stall_trickle,
                 "clients beside them that send one byte a second (0)");

  app.option_defaults()->group("Output");
  app.add_option("--json", options.json, "write the result to this file, or - for stdout");
  app.add_option("--hgrm", options.hgrm,
                 "write the latency distribution to this file, or - for stdout, in HdrHistogram's "
                 "text form");
  app.add_option("--csv", options.csv,
                 "write a line of numbers for each run to this file, or - for stdout");
  app.add_flag("--phases", options.phases,
               "for a program that drives this one: print a JSON line when connected, measuring, "
               "measured and drained; after the first wait for a command, after the last for a "
               "line of input; commands: go, a run; slice WARMUP_NS DURATION_NS [RATE], a short "
               "load answered by a JSON line, any number of times; end, after slices");
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
  using enum ProtocolKind;
  read_choice("--protocol", typed.protocol, {echo, greet, http}, reader, options.protocol);
  reader.count("--connections", typed.connections, 1, kMostConnections, options.connections);
  reader.count("--idle", typed.idle, 0, kMostConnections, options.idle);
  reader.count("--stall-mid-message", typed.stall_mid_message, 0, kMostConnections,
               options.stall_mid_message);
  reader.count("--stall-never-read", typed.stall_never_read, 0, kMostConnections,
               options.stall_never_read);
  reader.count("--stall-trickle", typed.stall_trickle, 0, kMostConnections, options.stall_trickle);
  const std::uint64_t needed =
      threads_needed(std::uint64_t{options.connections} + options.beside(), descriptor_limit());
  options.threads = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(needed, 1, kMostThreads));
  if (!typed.threads.empty()) {
    reader.count("--threads", typed.threads, 1, kMostThreads, options.threads);
  }
  reader.count("--pipeline", typed.pipeline, 1, 1024, options.pipeline);
  for (const std::string& list : typed.rates) {
    for (const auto rate : std::views::split(list, ',')) {
      reader.count("--rate", std::string(rate.begin(), rate.end()), 1, kMostPerSecond,
                   options.rates.emplace_back());
    }
  }
  if (!typed.connect_rate.empty()) {
    reader.count("--connect-rate", typed.connect_rate, 1, kMostPerSecond, options.connect_rate);
  }
  if (!typed.requests.empty()) {
    reader.count("--requests", typed.requests, 1, kAny, options.requests);
  }
  read_choice("--arrival", typed.arrival, {Arrival::uniform, Arrival::poisson}, reader,
              options.arrival);
  options.closer = options.protocol == http ? Closer::server : Closer::reset;
  if (!typed.closer.empty()) {
    read_choice("--closer", typed.closer, {Closer::client, Closer::server, Closer::reset}, reader,
                options.closer);
  }
  reader.duration("--warmup", typed.warmup, true, options.warmup);
  reader.duration("--duration", typed.duration, false, options.duration);
  reader.duration("--max-lag", typed.max_lag, false, options.max_lag);
  reader.duration("--connect-timeout", typed.connect_timeout, false, options.connect_timeout);
  reader.duration("--timeout", typed.timeout, false, options.timeout);
  read_sizes(typed.message_bytes, reader, options);
  if (!typed.path_file.empty()) read_path_file(typed.path_file, reader, options);
  read_cpus(typed.cpus, reader, options);
  if (!reader.error()) {
    const auto given = [&](const char* option) { return app.count(option) != 0; };
    if (auto error = contradiction(options, given)) reader.refuse(*error);
  }
  if (!reader.error()) read_target(typed.allow_remote, reader, options);
  if (reader.error()) return *reader.error();
  if (options.protocol == ProtocolKind::http && options.paths.empty()) options.paths = {"/"};
  return line;
}

}  // namespace muxbench::loadgen
