// session_cost/<what>: what our own code adds to every request of every model: the session, the
// parser, the histogram.
//
// Timed: the loop body. Outside: making the session. No system call is made.
#include <benchmark/benchmark.h>

#include <cstring>

#include "benchmarks.h"
#include "metrics/histogram.h"
#include "protocol/http_parser.h"
#include "protocol/session.h"

namespace muxbench {
namespace {

// One request of 64 bytes as a readiness model drives it.
void echo_session(benchmark::State& state) {
  SessionContext context;
  context.protocol = Echo();
  Session session(context);
  constexpr std::size_t kBytes = 64;
  for (auto _ : state) {
    benchmark::DoNotOptimize(session.lease_read().data());
    session.on_read(kBytes);
    benchmark::DoNotOptimize(session.write_buffers().data());
    session.on_written(kBytes);
  }
}

// The head that a load generator sends.
void http_parser(benchmark::State& state) {
  constexpr std::string_view kHead =
      "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: loadgen\r\nAccept: "
      "*/*\r\n\r\n";
  for (auto _ : state) {
    http::Parser parser;
    benchmark::DoNotOptimize(parser.parse(kHead));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kHead.size()));
}

void histogram_record(benchmark::State& state) {
  Histogram histogram;
  std::uint64_t value = 1;
  for (auto _ : state) {
    value = value * 6364136223846793005U +
            1442695040888963407U;  // spread over the buckets, as latencies are
    histogram.record(Nanoseconds(static_cast<Nanoseconds::rep>(value >> 44)));
  }
  benchmark::DoNotOptimize(histogram.max());
}

void clock_reading(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Clock::now());
}

}  // namespace

void register_session_cost() {
  benchmark::RegisterBenchmark("session_cost/echo", echo_session);
  benchmark::RegisterBenchmark("session_cost/http_parser", http_parser);
  benchmark::RegisterBenchmark("session_cost/histogram_record", histogram_record);
  benchmark::RegisterBenchmark("session_cost/clock", clock_reading);
}

}  // namespace muxbench
