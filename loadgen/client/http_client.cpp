#include "client/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace muxbench::loadgen {

void HttpClient::open(State& state, std::uint32_t connection, std::uint32_t incarnation) const {
  state = State{};
  state.connection = connection;
  // Connections start at different paths, so that all paths are asked for from the beginning.
  state.resource = static_cast<std::uint32_t>((connection + incarnation) % site_.size());
  state.sending = state.resource;
}

void HttpClient::begin(State& state) const noexcept {
  ++state.begun;
  ++state.unsent;
}

Outgoing HttpClient::outgoing(const State& state) const noexcept {
  if (state.unsent == 0) return {};
  const std::uint32_t count = std::min(state.unsent, site_.longest_run());
  Outgoing out(site_.requests(state.sending, count, state.sent));
  out.set_continued(count < state.unsent);
  return out;
}

void HttpClient::sent(State& state, std::size_t bytes) const noexcept {
  state.sent += static_cast<std::uint32_t>(bytes);
  while (state.unsent > 0 && state.sent >= site_[state.sending].request.size()) {
    state.sent -= static_cast<std::uint32_t>(site_[state.sending].request.size());
    state.sending = next(state.sending);
    --state.unsent;
  }
}

// On another connection, in place of one that the server has closed: what it has not answered is
// asked again.
void HttpClient::resume(State& state) const noexcept {
  state.head.reset();
  state.in_body = state.wrong = state.suspect = state.close = false;
  state.sending = state.resource;
  state.sent = 0;
  state.unsent = state.begun - state.completed;
}

Received HttpClient::receive(State& state, std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (state.completed == state.begun) {
    if (!state.suspect) report(state, ErrorKind::extra, "bytes that nobody asked for");
    return {text.size(), Outcome::broken};
  }
  Received done;
  while (!state.in_body) {
    if (done.consumed == text.size()) return done;
    const Received head = receive_head(state, text.substr(done.consumed));
    done.consumed += head.consumed;
    if (head.outcome == Outcome::broken) return {text.size(), Outcome::broken};
  }
  const std::string_view body =
      text.substr(done.consumed, std::min<std::uint64_t>(text.size() - done.consumed,
                                                         state.body_length - state.body_received));
  receive_body(state, body);
  done.consumed += body.size();
  if (state.body_received < state.body_length) return done;

  // Nothing may follow the last response before the next request. After one that was wrong it is
  // the same error still.
  if (done.consumed < text.size() && state.completed + 1 == state.begun) {
    if (!state.wrong) report(state, ErrorKind::extra, "bytes after the end of the response");
    return {text.size(), Outcome::broken};
  }
  done.outcome = complete(state);
  return done;
}

Outcome HttpClient::complete(State& state) const noexcept {
  ++state.completed;
  state.resource = next(state.resource);
  state.in_body = false;
  state.suspect = std::exchange(state.wrong, false);
  if (state.suspect) return state.close ? Outcome::spoiled : Outcome::failed;
  return state.close ? Outcome::finished : Outcome::succeeded;
}

// A head that comes whole, as it nearly always does, is read where it lies. The outcome is `more`,
// or `broken`.
Received HttpClient::receive_head(State& state, std::string_view text) {
  const std::size_t before = state.head ? state.head->size() : 0;
  if (state.head) state.head->append(text);
  const std::string_view all = state.head ? std::string_view(*state.head) : text;
  const HttpHeadEnd end = find_http_head_end(all, before);
  if (!end.error.empty()) {
    if (!state.suspect) report(state, ErrorKind::protocol, end.error);
    return {text.size(), Outcome::broken};
  }
  if (end.size == 0) {
    if (!state.head) state.head = std::make_unique<std::string>(text);
    return {text.size(), Outcome::more};
  }
  const HttpHead head = parse_http_head(all.substr(0, end.size));
  const bool interim = head.error.empty() && is_interim(head.status);
  const bool understood = interim || start_body(state, head);
  if (understood) state.suspect = false;
  state.head.reset();
  return {end.size - before, understood ? Outcome::more : Outcome::broken};
}

bool HttpClient::start_body(State& state, const HttpHead& head) {
  if (!head.error.empty()) {
    if (!state.suspect) report(state, ErrorKind::protocol, head.error);
    return false;
  }
  const std::string& reference = site_[state.resource].body;
  if (head.status != 200) {
    report(state, ErrorKind::unexpected_status, fmt::format("status {}", head.status));
  } else if (!head.content_length) {
    report(state, ErrorKind::protocol, "no Content-Length");
  } else if (*head.content_length != reference.size()) {
    report(state, *head.content_length < reference.size() ? ErrorKind::missing : ErrorKind::extra,
           fmt::format("a body of {} bytes instead of {}", *head.content_length, reference.size()));
  }
  if (!head.content_length) return false;  // Where this response ends cannot be told.
  state.in_body = true;
  state.body_received = 0;
  state.body_length = *head.content_length;
  state.compare = !state.wrong;
  state.close = head.close;
  return true;
}

void HttpClient::receive_body(State& state, std::string_view text) {
  if (state.compare && !state.wrong) {
    const char* expected = site_[state.resource].body.data() + state.body_received;
    if (std::memcmp(text.data(), expected, text.size()) != 0) {
      const auto wrong = std::mismatch(text.begin(), text.end(), expected);
      report(
          state, ErrorKind::corrupt,
          fmt::format("body byte {}: expected 0x{:02x}, got 0x{:02x}",
                      state.body_received + static_cast<std::uint64_t>(wrong.first - text.begin()),
                      static_cast<unsigned char>(*wrong.second),
                      static_cast<unsigned char>(*wrong.first)));
    }
  }
  state.body_received += text.size();
}

void HttpClient::report(State& state, ErrorKind kind, std::string_view what) {
  state.wrong = true;
  errors_.add(kind, [&] {
    return fmt::format("connection {}, request {} ({}): {}", state.connection,
                       std::min(state.completed + 1, state.begun), site_[state.resource].path,
                       what);
  });
}

std::string HttpClient::progress(const State& state) const {
  if (state.completed == state.begun) return fmt::format("after {} requests", state.completed);
  const std::uint32_t request = state.completed + 1;
  const std::string& path = site_[state.resource].path;
  if (!state.in_body) {
    return fmt::format("request {} ({}), {} bytes of the head received", request, path,
                       state.head ? state.head->size() : 0);
  }
  return fmt::format("request {} ({}), {} of {} bytes of the body received", request, path,
                     state.body_received, state.body_length);
}

}  // namespace muxbench::loadgen
