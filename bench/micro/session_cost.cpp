// session_cost/<what>: what our own code adds to every request of every model: the session, the
// parser, the histogram.
//
// Unit: the time of one operation. Inputs: an echo of 64 bytes through a session as a readiness
// model drives it; the head of an HTTP/1.1 request of 84 bytes, parsed in one piece; latencies
// spread over a million nanoseconds, recorded.
// Timed: a loop over the operation. Outside of it: making the session and the histogram. No system
// call is made.
#include "benchmarks.h"
#include "metrics/histogram.h"
#include "protocol/http_parser.h"
#include "protocol/session.h"
#include "samples.h"

namespace muxbench {
namespace {

void echo_session(benchmark::State& state) {
  SessionContext context;
  context.protocol = Echo();
  Session session(context);
  constexpr std::size_t kBytes = 64;
  time_loop(state, "the session", [&] {
    benchmark::DoNotOptimize(session.lease_read().data());
    session.on_read(kBytes);
    benchmark::DoNotOptimize(session.write_buffers().data());
    session.on_written(kBytes);
    return !session.done();
  });
}

void http_parser(benchmark::State& state) {
  constexpr std::string_view kHead =
      "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: loadgen\r\nAccept: "
      "*/*\r\n\r\n";
  static_assert(kHead.size() == 84);
  time_loop(state, "the parser", [&] {
    http::Parser parser;
    const auto result = parser.parse(kHead);
    benchmark::DoNotOptimize(result);
    return true;
  });
}

void histogram_record(benchmark::State& state) {
  Histogram histogram;
  std::uint64_t value = 1;
  time_loop(state, "the histogram", [&] {
    // Spread over the buckets, as latencies are.
    value = value * 6364136223846793005U + 1442695040888963407U;
    histogram.record(Nanoseconds(static_cast<Nanoseconds::rep>(value >> 44)));
    return true;
  });
  benchmark::DoNotOptimize(histogram.max());
}

}  // namespace

void register_session_cost() {
  add_benchmark("session_cost/echo_session", echo_session);
  add_benchmark("session_cost/http_parser", http_parser);
  add_benchmark("session_cost/histogram_record", histogram_record);
}

}  // namespace muxbench
