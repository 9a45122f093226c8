// HTTP/1.1 GET, pipelined when asked: the status must be 200, the body equal to the reference. The
// paths of the site are asked for in turn. Interim responses (1xx) are skipped.
#pragma once

#include <memory>
#include <string>

#include "client/client_protocol.h"
#include "client/errors.h"
#include "client/http_head.h"
#include "client/http_site.h"

namespace muxbench::loadgen {

class HttpClient {
 public:
  static constexpr bool kConnectionPerRequest = false;
  static constexpr bool kGreeted = false;
  static constexpr bool kEndsByHalfClose = false;
  static constexpr bool kResumes = true;

  struct State {
    std::unique_ptr<std::string> head;  // a head that came in pieces, so far
    std::uint64_t body_received = 0;
    std::uint64_t body_length = 0;
    std::uint32_t connection = 0;
    std::uint32_t begun = 0;  // requests
    std::uint32_t completed = 0;
    std::uint32_t resource = 0;  // whose response comes next
    std::uint32_t sending = 0;   // whose request is sent next, but for its first `sent` bytes
    std::uint32_t sent = 0;
    std::uint32_t unsent = 0;  // requests begun and not yet sent
    bool in_body = false;
    bool wrong = false;    // an error was reported for this response
    bool suspect = false;  // the response before had a wrong body: this may be the rest of it
    bool compare = false;  // the body has the reference's length, so its bytes can be compared
    bool close = false;
  };

  HttpClient(const HttpSite& site, ErrorLog& errors) : site_(site), errors_(errors) {}

  void open(State& state, std::uint32_t connection, std::uint32_t incarnation) const;
  void begin(State& state) const noexcept;
  void resume(State& state) const noexcept;
  Outgoing outgoing(const State& state) const noexcept;
  void sent(State& state, std::size_t bytes) const noexcept;
  Received receive(State& state, std::span<const std::byte> bytes);
  bool more_complete(const State&) const noexcept { return false; }
  Outcome end_of_stream(State&) const noexcept { return Outcome::broken; }
  bool conclude(State& state) const noexcept { return state.wrong; }
  std::string progress(const State& state) const;

 private:
  Received receive_head(State& state, std::string_view text);
  Outcome complete(State& state) const noexcept;
  bool start_body(State& state, const HttpHead& head);
  void receive_body(State& state, std::string_view text);
  void report(State& state, ErrorKind kind, std::string_view what);
  std::uint32_t next(std::uint32_t resource) const noexcept {
    return resource + 1 == site_.size() ? 0 : resource + 1;
  }

  const HttpSite& site_;
  ErrorLog& errors_;
};

}  // namespace muxbench::loadgen
