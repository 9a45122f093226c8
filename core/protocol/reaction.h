// What a protocol says to the bytes it was fed. Protocols do no I/O: they see input, and name the
// output.
//
// A protocol is a class with
//
//   static constexpr bool kUsesScratch;    does feed() write into `scratch`?
//   Reaction open();                       what to say before anything was received (often nothing)
//   Reaction feed(span<const byte> input, span<byte> scratch);
//   void on_flushed();                     the last reaction's output has been sent
//
// all noexcept. feed() consumes one request at a time; when it needs more, the next input begins
// with the same bytes. An output may point into static memory, into `scratch`, into memory outside
// the protocol object that it holds until on_flushed(), or, where scratch is not used, into `input`
// provided that all of the input is consumed.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace muxbench {

enum class After : std::uint8_t {
  read_on,  // the conversation goes on
  close,    // close as soon as the output is sent
  linger,   // send, half-close and swallow what still arrives: closing at once would answer late
            // bytes with a reset, which can destroy the output on its way (RFC 9112 section 9.6)
};

struct Reaction {
  std::size_t consumed = 0;       // bytes of input that are dealt with
  std::array<iovec, 2> output{};  // the first output_count of them, in order
  std::uint8_t output_count = 0;  // 0 and nothing consumed: more input is needed
  After after = After::read_on;
  bool answers_request = false;  // this output is the answer to one request

  void say(const void* data, std::size_t size) noexcept {
    if (size != 0) output[output_count++] = {const_cast<void*>(data), size};
  }
  void say(std::string_view text) noexcept { say(text.data(), text.size()); }
};

}  // namespace muxbench
