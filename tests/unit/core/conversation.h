// Test help: plays a client's part against a Session, in memory, and holds the session to its
// promises about buffers at every step.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/session.h"

namespace muxbench {

class TextDocument final : public Document {
 public:
  explicit TextDocument(std::unique_ptr<std::string> text)
      : Document(std::as_bytes(std::span(*text)), "text/plain"), text_(std::move(text)) {}

 private:
  std::unique_ptr<std::string> text_;
};

// A site in memory whose clock stands still.
class FakeSite final : public Site {
 public:
  static constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

  FakeSite() {
    add("/", "home");
    add("/empty", "");
    add("/a b", "a name with a space");
    add("/large", std::string(40'000, 'x'));
  }
  void add(std::string path, std::string text) {
    documents_[std::move(path)] =
        DocumentRef(new TextDocument(std::make_unique<std::string>(std::move(text))));
  }
  LookupResult find(std::string_view path) noexcept override {
    asked.assign(path);
    if (path == "/forbidden") return {Lookup::forbidden};
    if (path == "/busy") return {Lookup::unavailable};
    const auto found = documents_.find(path);
    if (found == documents_.end()) return {Lookup::not_found};
    return {Lookup::found, found->second};
  }
  std::string_view date() noexcept override { return kDate; }

  std::string asked;  // the last path

 private:
  std::map<std::string, DocumentRef, std::less<>> documents_;
};

// One for all tests of a program.
inline FakeSite& site() {
  static FakeSite instance;
  return instance;
}

struct Transcript {
  std::string output;
  bool closed = false;       // the session was done()
  bool half_closed = false;  // it asked for shutdown(SHUT_WR)

  // Whether a half-close comes first may depend on how much the client was heard to say.
  bool operator==(const Transcript& other) const {
    return output == other.output && closed == other.closed;
  }
};

inline std::ostream& operator<<(std::ostream& out, const Transcript& transcript) {
  return out << "[" << transcript.output << "]" << (transcript.closed ? " closed" : " open")
             << (transcript.half_closed ? " after half-close" : "");
}

inline std::size_t pending_bytes(const Session& session) {
  std::size_t sum = 0;
  for (const iovec& piece : session.write_buffers()) sum += piece.iov_len;
  return sum;
}

// The first n bytes of what write_buffers() held.
inline std::string first_bytes(std::span<const iovec> pieces, std::size_t n) {
  std::string text;
  for (const iovec& piece : pieces) {
    text.append(static_cast<const char*>(piece.iov_base), std::min(piece.iov_len, n - text.size()));
  }
  return text;
}

inline constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

struct Play {
  std::vector<std::string_view> pieces;  // what each read returns at most
  bool finish = true;                    // then the client sends FIN
  std::size_t longest_write = kUnlimited;
};

// The loop of a readiness model: write all there is, then read.
inline Transcript converse(const Protocol& protocol, const Play& play) {
  SessionContext context{.protocol = protocol};
  Transcript transcript;
  {
    Session session(context);
    auto piece = play.pieces.begin();
    std::size_t used = 0;
    while (true) {
      while (session.wants_write()) {
        const std::size_t n = std::min(pending_bytes(session), play.longest_write);
        EXPECT_GT(n, 0U) << "an empty piece was offered for writing";
        transcript.output += first_bytes(session.write_buffers(), n);
        session.on_written(n);
        EXPECT_LE(context.buffers.in_use(), 2U);
      }
      if (session.wants_half_close()) {
        transcript.half_closed = true;
        session.on_half_closed();
      }
      if (session.done()) break;
      const std::span<std::byte> lease = session.lease_read();
      EXPECT_LE(context.buffers.in_use(), 2U);
      if (lease.empty()) {
        ADD_FAILURE() << "nothing to write and nowhere to read to: the connection would hang";
        break;
      }
      if (piece != play.pieces.end()) {
        const std::size_t n = std::min(piece->size() - used, lease.size());
        std::memcpy(lease.data(), piece->data() + used, n);
        used = used + n == piece->size() ? 0 : used + n;
        if (used == 0) ++piece;
        if (n == 0) {
          session.cancel_read();  // an empty piece: the wake-up was spurious
        } else {
          session.on_read(n);
        }
      } else if (play.finish) {
        session.on_read(0);
        EXPECT_TRUE(session.wants_write() || session.wants_half_close() || session.done());
      } else {
        session.cancel_read();
        EXPECT_LE(context.buffers.in_use(), 1U) << "only an incomplete request may hold a buffer";
        break;
      }
    }
    transcript.closed = session.done();
  }
  EXPECT_EQ(context.buffers.in_use(), 0U) << "a buffer leaked";
  return transcript;
}

inline std::vector<std::string_view> byte_by_byte(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < text.size(); ++i) pieces.push_back(text.substr(i, 1));
  return pieces;
}

}  // namespace muxbench
