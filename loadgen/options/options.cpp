#include "options/options.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "command_line/command_line.h"
#include "options/descriptors.h"
#include "options/option_reader.h"
#include "options/options_check.h"

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

Result<CommandLine> parse_options(int argc, const char* const* argv, std::string_view program) {
  CommandLine line;
  Options& options = line.options;
  Typed typed;
  CLI::App app("Loads a server over many connections, checks every byte and measures latency.",
               std::string(program));
  set_up_help(app);
  app.add_option("--target", options.target_text,
                 "127.0.0.1:PORT, [::1]:PORT, unix:/path or host:PORT")
      ->required();
  app.add_flag("--allow-remote", typed.allow_remote, "Load a target that is not on this machine");
  app.add_option("--protocol", typed.protocol, "echo (default), greet or http");
  app.add_option("--connections", typed.connections,
                 "Connections that send requests (default: 64)");
  app.add_option(
      "--threads", typed.threads,
      "Threads that share the connections (default: as few as the descriptor limit allows)");
  app.add_option(
      "--cpus", typed.cpus,
      "Pin the threads to these CPUs in turn, such as 1 or 2-5 (default: the CPUs of the "
      "affinity mask)");
  app.add_option("--warmup", typed.warmup, "Load before the measured window (default: 0)");
  app.add_option("--duration", typed.duration, "Length of the measured window (default: 10s)");
  app.add_option("--requests", typed.requests,
                 "Measure this many requests instead of a length of time");
  app.add_option("--connect-timeout", typed.connect_timeout,
                 "How long opening a connection may take (default: 5s)");
  app.add_option("--timeout", typed.timeout,
                 "How long a response may take; a later one is an error (default: 5s)");

  app.option_defaults()->group("Requests");
  app.add_option(
      "--message-bytes", typed.message_bytes,
      "Size of an echo message or greet line, 1 B to 1 MiB (default: 64). For echo also a "
      "range, 64-1024, or sizes with weights, 64*90,4KiB*9,1MiB*1");
  app.add_option("--pipeline", typed.pipeline,
                 "Requests in flight on each connection (default: 1)");
  app.add_option(
      "--rate", typed.rates,
      "Open loop: send so many requests per second, however slow the server is. Latency "
      "counts from the time when a request is due. 10k,20k,40k is one run after the other");
  app.add_option("--arrival", typed.arrival, "Open loop: uniform (default) or poisson");
  app.add_option("--max-lag", typed.max_lag,
                 "Open loop: stop when requests wait longer than this to be sent (default: 5s)");
  app.add_flag("--busy-poll", options.busy_poll,
               "Poll for answers instead of sleeping. Latency is then free of the generator's own "
               "wake-up, and each thread takes a whole CPU");
  app.add_option("--path", options.paths, "http: path to request (default: /). May be repeated");
  app.add_option("--path-file", typed.path_file, "http: file with one path on each line");
  app.add_option(
      "--body-root", options.body_root,
      "http: folder whose files the bodies must equal (default: all responses must equal "
      "the first one)");

  app.option_defaults()->group("Connections");
  app.add_option("--connect-rate", typed.connect_rate,
                 "Open at most so many connections per second before the load starts (default: no "
                 "limit)");
  app.add_flag("--churn", options.churn,
               "echo, http: open a connection for each request; latency includes opening it");
  app.add_option(
      "--closer", typed.closer,
      "Who closes the connection with --churn: client, server (default for http) or reset "
      "(default for echo)");
  app.add_option("--idle", typed.idle, "Silent connections, in addition (default: 0)");
  app.add_option("--stall-mid-message", typed.stall_mid_message,
                 "Clients that stop in the middle of a message, in addition (default: 0)");
  app.add_option("--stall-never-read", typed.stall_never_read,
                 "Clients that keep sending and never read, in addition (default: 0)");
  app.add_option("--stall-trickle", typed.stall_trickle,
                 "Clients that send one byte per second, in addition (default: 0)");

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
      threads_needed(std::uint64_t{options.connections} + options.background(), descriptor_limit());
  options.threads = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(needed, 1, kMostThreads));
  options.threads_asked = !typed.threads.empty();
  if (options.threads_asked) {
    reader.count("--threads", typed.threads, 1, kMostThreads, options.threads);
  }
  reader.count("--pipeline", typed.pipeline, 1, 1024, options.pipeline);
  for (const std::string& list : typed.rates) {
    std::string_view rest = list;
    while (true) {
      const std::size_t comma = rest.find(',');
      reader.count("--rate", std::string(rest.substr(0, comma)), 1, kMostPerSecond,
                   options.rates.emplace_back());
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
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
