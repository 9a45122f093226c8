// Sessions of one pool, driven in random order the way both families of models drive them. A buffer
// that were given back too early, or used twice, would show foreign bytes.
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "conversation.h"

namespace muxbench {
namespace {

using Random = std::mt19937;

std::size_t pick(Random& random, std::size_t from, std::size_t to) {
  return std::uniform_int_distribution<std::size_t>(from, to)(random);
}

std::string echo_input(Random& random) {
  std::string text(pick(random, 0, 60'000), '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

std::string greet_input(Random& random) {
  std::string text(pick(random, 0, 12'000), static_cast<char>(pick(random, 'a', 'z')));
  if (pick(random, 0, 2) > 0) text += '\n';
  if (pick(random, 0, 2) == 0) text += "more";
  return text;
}

std::string http_input(Random& random) {
  static const std::vector<std::string> requests{
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
      "HEAD /large HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /empty HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /a%20b HTTP/1.1\r\nHost: x\r\nX: " + std::string(9'000, 'y') + "\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(12'000, 'z') + "\r\n\r\n"};
  static const std::vector<std::string> endings{"",
                                                "GET / HTTP/1.1\r\n",
                                                "GET / HTTP/1.0\r\n\r\n",
                                                "GET / HTTP/1.0\r\n\r\nmore",
                                                "GET /absent HTTP/1.1\r\nHost: x\r\n\r\n",
                                                "garbage\r\n" + std::string(50'000, 'g')};
  std::string text;
  for (std::size_t n = pick(random, 0, 30); n > 0; --n) {
    text += requests[pick(random, 0, requests.size() - 1)];
  }
  return text + endings[pick(random, 0, endings.size() - 1)];
}

// One connection: a client that sends `input` and FIN, and a server with a receive and a send in
// flight at the same time, or in turn.
class Connection {
 public:
  Connection(SessionContext& context, std::string input, bool completion)
      : session_(std::in_place, context), input_(std::move(input)), completion_(completion) {}

  bool closed() const { return !session_; }
  const std::string& output() const { return output_; }

  void step(Random& random) {
    if (sending_ && pick(random, 0, 1) == 0) return complete_send(random);
    if (receiving_ && pick(random, 0, 1) == 0) return complete_receive(random);
    if (!sending_ && session_->wants_write()) return submit_send();
    if (session_->wants_half_close() && !receiving_) return session_->on_half_closed();
    if (session_->done() && !sending_ && !receiving_) {
      return session_.reset();
    }
    // A readiness model reads when nothing is to be written, a completion model also parks a
    // receive beside a write where then_reads() allows it.
    const bool may_read =
        sending_ ? completion_ && session_->then_reads() : !session_->wants_write();
    if (!receiving_ && may_read) submit_receive();
  }

 private:
  void submit_send() {
    const auto buffers = session_->write_buffers();
    in_flight_.assign(buffers.begin(), buffers.end());  // the kernel's view from now on
    sending_ = true;
  }
  void complete_send(Random& random) {
    sending_ = false;
    std::size_t all = 0;
    for (const iovec& piece : in_flight_) all += piece.iov_len;
    const std::size_t n = pick(random, 0, 3) == 0 ? pick(random, 1, all) : all;
    output_ += first_bytes(in_flight_, n);
    session_->on_written(n);
  }
  void submit_receive() {
    lease_ = session_->lease_read();
    receiving_ = !lease_.empty();
    ASSERT_TRUE(receiving_ || session_->wants_write() || session_->done() ||
                session_->wants_half_close())
        << "stuck";
  }
  void complete_receive(Random& random) {
    receiving_ = false;
    if (pick(random, 0, 7) == 0) return session_->cancel_read();  // EAGAIN or cancelled
    const std::size_t n = std::min({input_.size() - sent_, lease_.size(), pick(random, 1, 20'000)});
    std::memcpy(lease_.data(), input_.data() + sent_, n);
    sent_ += n;
    session_->on_read(n);  // 0: FIN
  }

  std::optional<Session> session_;  // as long as it is open
  std::string input_;
  std::size_t sent_ = 0;
  bool completion_;
  bool sending_ = false;
  bool receiving_ = false;
  std::span<std::byte> lease_;
  std::vector<iovec> in_flight_;
  std::string output_;
};

class Interleaving : public testing::TestWithParam<bool> {
 protected:
  void run(const Protocol& protocol, std::string (*make_input)(Random&), unsigned seed) {
    Random random(seed);
    SessionContext context{.protocol = protocol};
    std::vector<std::string> inputs;
    std::vector<std::unique_ptr<Connection>> connections;
    for (std::size_t n = pick(random, 1, 6); n > 0; --n) {
      inputs.push_back(make_input(random));
      connections.push_back(std::make_unique<Connection>(context, inputs.back(), GetParam()));
    }
    std::size_t open = connections.size();
    for (int steps = 0; open > 0; ++steps) {
      ASSERT_LT(steps, 1'000'000) << "seed " << seed << ": " << open << " never closed";
      const std::size_t i = pick(random, 0, connections.size() - 1);
      if (connections[i]->closed()) continue;
      connections[i]->step(random);
      ASSERT_LE(context.buffers.in_use(), 2 * open) << "seed " << seed;
      if (connections[i]->closed()) --open;
    }
    EXPECT_EQ(context.buffers.in_use(), 0U) << "seed " << seed;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      ASSERT_EQ(connections[i]->output(), converse(protocol, {{inputs[i]}}).output)
          << "seed " << seed << ", connection " << i;
    }
  }
};

TEST_P(Interleaving, Echo) {
  for (unsigned seed = 0; seed < 200; ++seed) run(Echo{}, echo_input, seed);
}

TEST_P(Interleaving, Greet) {
  for (unsigned seed = 0; seed < 500; ++seed) run(Greet{}, greet_input, seed);
}

TEST_P(Interleaving, Http) {
  FakeSite site;
  for (unsigned seed = 0; seed < 300; ++seed) run(Http{site}, http_input, seed);
}

INSTANTIATE_TEST_SUITE_P(, Interleaving, testing::Bool(), [](const auto& instance) {
  return instance.param ? "completion" : "readiness";
});

}  // namespace
}  // namespace muxbench
