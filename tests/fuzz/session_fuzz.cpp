// Two sessions of one pool, driven in an order, with sizes and with interruptions that the input
// chooses, as readiness and completion models drive them. Each must say what its protocol by itself
// says to all of the text at once.
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "input.h"
#include "protocol/session.h"

namespace muxbench {
namespace {

using fuzz::expect;
using fuzz::Input;

constexpr std::size_t kLongestText = 48 * 1024;

class TextDocument final : public Document {
 public:
  explicit TextDocument(std::unique_ptr<std::string> text)
      : Document(std::as_bytes(std::span(*text)), "text/plain"), text_(std::move(text)) {}

 private:
  std::unique_ptr<std::string> text_;
};

class SmallSite final : public Site {
 public:
  LookupResult find(std::string_view path) noexcept override {
    if (path == "/") return {Lookup::found, home_};
    if (path == "/e") return {Lookup::found, empty_};
    if (path == "/l") return {Lookup::found, large_};
    return {path == "/b" ? Lookup::unavailable : Lookup::not_found};
  }
  std::string_view date() noexcept override { return "Sun, 06 Nov 1994 08:49:37 GMT"; }

 private:
  static DocumentRef document(std::string text) {
    return DocumentRef(new TextDocument(std::make_unique<std::string>(std::move(text))));
  }
  DocumentRef home_ = document("home");
  DocumentRef empty_ = document("");
  DocumentRef large_ = document(std::string(20'000, 'x'));
};

std::string bytes_of(std::span<const iovec> pieces, std::size_t most) {
  std::string text;
  for (const iovec& piece : pieces) {
    text.append(static_cast<const char*>(piece.iov_base),
                std::min(piece.iov_len, most - text.size()));
  }
  return text;
}

std::size_t size_of(std::span<const iovec> pieces) {
  std::size_t sum = 0;
  for (const iovec& piece : pieces) sum += piece.iov_len;
  return sum;
}

struct Said {
  std::string text;
  std::uint64_t requests = 0;
};

// The protocol without a session.
Said said_by(const Protocol& model, std::string_view text) {
  Protocol protocol = model;
  std::vector<std::byte> scratch(BufferPool::kBufferBytes);
  Said said;
  const auto take = [&](const Reaction& reaction) {
    said.text += bytes_of({reaction.output.data(), reaction.output_count}, SIZE_MAX);
    said.requests += reaction.answers_request ? 1 : 0;
    std::visit([](auto& one) { one.on_flushed(); }, protocol);
  };
  take(std::visit([](auto& one) { return one.open(); }, protocol));
  while (!text.empty()) {
    const Reaction reaction = std::visit(
        [&](auto& one) { return one.feed(std::as_bytes(std::span(text)), scratch); }, protocol);
    if (reaction.consumed == 0 && reaction.output_count == 0) break;
    expect(reaction.consumed <= text.size(), "no more consumed than there is");
    take(reaction);
    if (reaction.after != After::read_on) break;
    text.remove_prefix(reaction.consumed);
  }
  return said;
}

// A client that sends `text` and FIN, and a server with a receive and a send under way at the same
// time, or in turn.
class Connection {
 public:
  Connection(SessionContext& context, std::string_view text, bool completion)
      : session_(std::in_place, context), text_(text), completion_(completion) {}

  bool closed() const { return !session_; }
  const std::string& output() const { return output_; }

  // With zeros for decisions it does whatever comes next, whole.
  void step(Input& input) {
    const unsigned choice = input.byte();
    if (sending_ && (choice & 1) == 0) return complete_send(input);
    if (receiving_ && (choice & 2) == 0) return complete_receive(input);
    if (session_->awaits_work() && (choice & 4) == 0) return session_->on_work_done();
    if ((choice & 8) != 0 && !sending_ && !receiving_) move();
    if (!sending_ && session_->wants_write()) return submit_send();
    if (!receiving_ && session_->wants_half_close()) return session_->on_half_closed();
    if (session_->done() && !sending_ && !receiving_) return session_.reset();
    const bool answers = session_->wants_write() || session_->awaits_work();
    const bool may_read = sending_ ? completion_ && session_->then_reads() : !answers;
    if (!receiving_ && may_read) submit_receive();
  }

 private:
  void move() {
    Session moved(std::move(*session_));
    session_.reset();
    session_.emplace(std::move(moved));
  }
  void submit_send() {
    const auto buffers = session_->write_buffers();
    in_flight_.assign(buffers.begin(), buffers.end());  // the kernel's view from now on
    expect(size_of(in_flight_) > 0, "something to write");
    sending_ = true;
  }
  void complete_send(Input& input) {
    sending_ = false;
    const std::size_t all = size_of(in_flight_);
    const std::size_t n = input.byte() % 4 == 3 ? input.number(1, all) : all;
    output_ += bytes_of(in_flight_, n);
    session_->on_written(n);
  }
  void submit_receive() {
    lease_ = session_->lease_read();
    receiving_ = !lease_.empty();
    expect(
        receiving_ || session_->wants_write() || session_->done() || session_->wants_half_close(),
        "a session that is not stuck");
  }
  void complete_receive(Input& input) {
    receiving_ = false;
    const unsigned choice = input.byte() % 4;
    if (choice == 3) return session_->cancel_read();  // EAGAIN, or cancelled
    const std::size_t most = std::min(text_.size(), lease_.size());
    const std::size_t n = choice == 2 && most > 0 ? input.number(1, most) : most;
    std::memcpy(lease_.data(), text_.data(), n);
    text_.remove_prefix(n);
    session_->on_read(n);  // 0: FIN
  }

  std::optional<Session> session_;  // as long as it is open
  std::string_view text_;           // that is still to come
  bool completion_;
  bool sending_ = false;
  bool receiving_ = false;
  std::span<std::byte> lease_;
  std::vector<iovec> in_flight_;
  std::string output_;
};

void try_input(Input input) {
  static SmallSite site;
  const unsigned mode = input.byte();
  Protocol protocol = Echo{};
  if (mode % 3 == 1) protocol = Greet{};
  if (mode % 3 == 2) protocol = Http{site};
  SessionContext context{.protocol = protocol, .holds_answers = (mode & 64) != 0};
  const std::size_t repetitions = input.number(1, 16);
  // Decisions are taken from a copy, and so overlap with the text: any text is also an order.
  std::string text;
  for (std::size_t i = 0; i < repetitions && text.size() < kLongestText; ++i) text += input.text();
  text.resize(std::min(text.size(), kLongestText));
  const std::array<std::string_view, 2> texts{text, std::string_view(text).substr(text.size() / 2)};
  std::vector<Connection> connections;
  std::uint64_t requests = 0;
  for (const std::string_view one : texts) {
    connections.emplace_back(context, one, (mode & 128) != 0);
  }
  for (int steps = 0; !connections[0].closed() || !connections[1].closed(); ++steps) {
    expect(steps < 1'000'000, "connections that come to an end");
    const std::size_t other = connections[0].closed() ? 1 : 0;
    const std::size_t chosen = input.byte() % 2;
    connections[connections[chosen].closed() ? other : chosen].step(input);
    expect(context.buffers.in_use() <= 4, "two buffers at most for each connection");
  }
  expect(context.buffers.in_use() == 0, "no buffer that leaks");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Said said = said_by(protocol, texts[i]);
    expect(connections[i].output() == said.text, "what the protocol says by itself");
    requests += said.requests;
  }
  // An echo is a request for each read.
  if (mode % 3 != 0) expect(context.requests == requests, "each request counted once");
}

}  // namespace
}  // namespace muxbench

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muxbench::try_input({data, size});
  return 0;
}
