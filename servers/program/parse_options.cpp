#include "program/parse_options.h"

#include "base/parse.h"
#include "command_line/command_line.h"
#include "runtime/model.h"

namespace muxbench {
namespace {

Result<ProtocolName> parse_protocol(std::string_view text) {
  if (text == "echo") return ProtocolName::echo;
  if (text == "greet") return ProtocolName::greet;
  if (text == "http") return ProtocolName::http;
  return usage_error("must be echo, greet or http, not \"{}\"", text);
}

Result<Work> parse_work(std::string_view text) {
  constexpr std::string_view kSpin = "spin:";
  constexpr std::string_view kSleep = "sleep:";
  if (text == "none") return Work{};
  if (text == "child") return Work{.child = true};
  if (text.starts_with(kSpin)) {
    const auto duration = parse_duration(text.substr(kSpin.size()));
    if (!duration) return duration.error();
    return Work{.spin = *duration};
  }
  if (text.starts_with(kSleep)) {
    const auto duration = parse_duration(text.substr(kSleep.size()));
    if (!duration) return duration.error();
    return Work{.sleep = *duration};
  }
  return usage_error(
      "\"{}\" is not a kind of work; write none, child, or spin: or sleep: and a duration, such as "
      "spin:20us",
      text);
}

// The waits of most models take milliseconds as an int.
constexpr std::chrono::seconds kLongestTimeout{std::chrono::hours(24 * 20)};

// "30" means seconds, as the option says; "300ms" works too.
Result<Nanoseconds> parse_seconds(std::string_view text) {
  const auto plain = parse_count(text);
  const auto longest = static_cast<std::uint64_t>(kLongestTimeout.count());
  auto duration = plain ? Nanoseconds(std::chrono::seconds(std::min(*plain, longest + 1)))
                        : parse_duration(text);
  if (duration && *duration > kLongestTimeout) {
    return usage_error("\"{}\" is too long; write 20 days (1728000) or less, or 0 for no end",
                       text);
  }
  return duration;
}

Result<> check(Options& options) {
  auto address = Address::parse(options.listen);
  if (!address) return address.error();
  options.address = *address;
  if (!address->is_loopback() && !options.allow_remote) {
    return usage_error("{} can be reached from other machines; add --allow-remote if that is meant",
                       options.listen);
  }
  if (options.protocol == ProtocolName::http && options.root.empty()) {
    return usage_error("--protocol http needs a folder to serve; add --root DIR");
  }
  if (options.workers > 1 && !kModel.capabilities.workers) {
    return usage_error(
        "{} runs as one worker; leave --workers out or choose a model that scales with it",
        kModel.name);
  }
  if (options.slow_worker.count() > 0 && !kModel.capabilities.workers) {
    return usage_error(
        "{} runs as one worker, which no other can stand in for; leave --slow-worker out or choose "
        "a model whose --describe says that it has workers",
        kModel.name);
  }
  if (options.work.child && !kModel.capabilities.child_work) {
    return usage_error(
        "{} does not wait for child processes; choose another --work, or a model whose --describe "
        "lists child",
        kModel.name);
  }
  return {};
}

}  // namespace

Result<std::optional<Options>> parse_options(int argc, char** argv) {
  Options options;
  options.workers = kModel.capabilities.default_workers;
  const std::string program = fmt::format("server_{}", kModel.name);
  CLI::App app(fmt::format("{}: {}. A server of muxbench.", kModel.name, kModel.mechanism),
               program);
  set_up_help(app);
  app.add_option("--listen", options.listen,
                 "127.0.0.1:PORT, [::1]:PORT or unix:/path; for port 0 the kernel picks one "
                 "(default: 127.0.0.1:0)");
  app.add_flag("--allow-remote", options.allow_remote,
               "Allow an address that other machines can reach");
  add_parsed(app, "--protocol", options.protocol, parse_protocol, "echo (default), greet or http");
  app.add_option("--root", options.root, "The folder that http serves")->check(folder());
  app.add_option(
         "--workers", options.workers,
         fmt::format("Number of worker processes or threads (default: {})", options.workers))
      ->check(whole_number(1, 1024));
  app.add_flag("--pin", options.pin_workers, "Run each worker on a CPU of its own");
  app.add_option("--backlog", options.backlog, "Backlog of listen(2) (default: 4096)")
      ->check(whole_number(1, 1 << 20));
  app.add_option("--max-connections", options.max_connections,
                 "Most connections to hold at a time (default: no limit)")
      ->check(whole_number(1));
  add_parsed(app, "--idle-timeout", options.idle_timeout, parse_seconds,
             "Close a connection after so many seconds of silence, or if one request takes that "
             "long to arrive (default: 0, never)");
  add_parsed(app, "--work", options.work, parse_work,
             "Work for each request: none (default), spin:DURATION (poll the clock for that long), "
             "sleep:DURATION (block the thread for that long), or child (run find over --root or "
             "the current folder)");
  add_parsed(
      app, "--slow-worker", options.slow_worker, parse_duration,
      "Block the first worker for this DURATION at each of its requests, and no other worker "
      "(default: 0)");
  app.add_option("--counters", options.counters_file,
                 "Write what each worker has done to this file at the end, as JSON");
  app.add_option("--user", options.user,
                 "Serve as this user once the server listens; only root can (default: nobody where "
                 "root starts it; root: stay root)");
  app.add_flag("--describe", options.describe,
               "Print what this model is and needs as JSON, and exit");
  if (kModel.inetd_handler != nullptr) {
    app.add_flag("--inetd-handler", options.inetd_handler)
        ->group("");  // hidden: we start ourselves
  }
  name_values(app, {{"ADDRESS", {"--listen"}},
                    {"NAME", {"--protocol"}},
                    {"DIR", {"--root"}},
                    {"N", {"--workers", "--backlog", "--max-connections"}},
                    {"SECONDS", {"--idle-timeout"}},
                    {"WORK", {"--work"}},
                    {"DURATION", {"--slow-worker"}},
                    {"FILE", {"--counters"}}});
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    app.exit(help);
    return std::optional<Options>();
  } catch (const CLI::ParseError& error) {
    return command_line_error(error, program);
  }
  if (options.describe) return std::optional(options);
  if (const auto checked = check(options); !checked) return checked.error();
  return std::optional(options);
}

}  // namespace muxbench
