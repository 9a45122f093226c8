// What command lines and standard input say: durations, counts, CPUs, addresses, message sizes and
// commands. What is taken must be in range, and what is written of it must be read as the same.
#include <sched.h>

#include <algorithm>
#include <string>

#include "base/parse.h"
#include "client/message_sizes.h"
#include "engine/commands.h"
#include "input.h"
#include "net/address.h"

namespace muxbench {
namespace {

using fuzz::expect;

template <typename T>
void expect_sentence(const Result<T>& refused) {
  expect(refused.error().exit == Exit::usage, "the exit status of a usage error");
  expect(!refused.error().message.empty(), "a sentence");
}

void try_duration(std::string_view text) {
  const auto duration = parse_duration(text);
  if (!duration) return expect_sentence(duration);
  expect(duration->count() >= 0, "a duration of 0 or more");
}

void try_count(std::string_view text) {
  const auto count = parse_count(text);
  if (!count) return expect_sentence(count);
  expect(*parse_count(std::to_string(*count)) == *count, "the same number when written");
}

void try_cpus(std::string_view text) {
  const auto cpus = parse_cpu_list(text);
  if (!cpus) return expect_sentence(cpus);
  expect(!cpus->empty() && cpus->front() >= 0 && cpus->back() < CPU_SETSIZE, "CPUs that can be");
  expect(std::adjacent_find(cpus->begin(), cpus->end(), std::greater_equal<>()) == cpus->end(),
         "ascending numbers");
}

void try_address(std::string_view text) {
  const auto address = Address::parse(text);
  if (!address) return expect_sentence(address);
  const std::string written = address->to_string();
  const auto again = Address::parse(written);
  expect(again.ok() && again->to_string() == written, "the same address when written");
}

void try_sizes(std::string_view text) {
  using loadgen::MessageSizes;
  const auto sizes = MessageSizes::parse(text);
  if (!sizes) return expect_sentence(sizes);
  expect(sizes->smallest() >= 1 && sizes->largest() <= MessageSizes::kLargest, "sizes in range");
  for (std::uint32_t message = 0; message < 8; ++message) {
    const std::uint32_t size = sizes->size(7, message);
    expect(size >= sizes->smallest() && size <= sizes->largest(), "a size of the distribution");
  }
  const auto again = MessageSizes::parse(sizes->to_string());
  expect(again.ok() && again->to_string() == sizes->to_string(), "the same sizes when written");
}

void try_command(std::string_view text) {
  for (const std::uint64_t rate : {0, 100}) {
    loadgen::Options options;
    options.rate = rate;
    const auto command = loadgen::parse_command(text, options);
    if (!command) {
      expect_sentence(command);
    } else if (command->kind == loadgen::Command::Kind::slice) {
      expect(command->duration.count() > 0 && command->warmup.count() >= 0, "times that can be");
      expect((command->rate > 0) == (rate > 0), "a rate in an open loop only");
    }
  }
}

}  // namespace
}  // namespace muxbench

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = muxbench::fuzz::Input(data, size).text();
  muxbench::try_duration(text);
  muxbench::try_count(text);
  muxbench::try_cpus(text);
  muxbench::try_address(text);
  muxbench::try_sizes(text);
  muxbench::try_command(text);
  return 0;
}
