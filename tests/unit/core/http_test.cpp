// HTTP as a client sees it.
#include "protocol/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conversation.h"

namespace muxbench {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpTest : public testing::Test {
 protected:
  Transcript ask(std::string_view request, bool finish = false) {
    return converse(Http{site_}, {{request}, finish});
  }
  // The status of an answer to a well-formed GET of this target.
  std::string status(std::string_view target) {
    return ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n").output.substr(9, 3);
  }

  FakeSite site_;
};

std::string ok(std::string_view body, std::string_view extra = {}) {
  return "HTTP/1.1 200 OK\r\nServer: muxbench\r\nDate: " + std::string(FakeSite::kDate) +
         "\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(extra) + "\r\n" + std::string(body);
}

TEST_F(HttpTest, AnswersGet) {
  const Transcript transcript = ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(transcript.output, ok("home"));
  EXPECT_FALSE(transcript.closed) << "1.1 stays open";
}

TEST_F(HttpTest, AnswersHeadWithoutTheBody) {
  EXPECT_EQ(ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\n").output,
            "HTTP/1.1 200 OK\r\nServer: muxbench\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\n"
            "HTTP/1.1 200 OK\r\nServer: muxbench\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\n");
}

TEST_F(HttpTest, AnEmptyDocumentHasLengthZero) {
  EXPECT_EQ(ask("GET /empty HTTP/1.1\r\nHost: x\r\n\r\n").output, ok(""));
}

TEST_F(HttpTest, TheBodyIsTheDocumentItself) {
  SessionContext context{.protocol = Http{site_}};
  Session session(context);
  const std::string_view request = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto lease = session.lease_read();
  std::memcpy(lease.data(), request.data(), request.size());
  session.on_read(request.size());
  const auto pieces = session.write_buffers();
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[1].iov_base, site_.find("/large").document->bytes().data());
}

TEST_F(HttpTest, ABodyInFlightKeepsItsDocument) {
  SessionContext context{.protocol = Http{site_}};
  Session session(context);
  const std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto lease = session.lease_read();
  std::memcpy(lease.data(), request.data(), request.size());
  session.on_read(request.size());
  site_.add("/", "another");
  EXPECT_THAT(first_bytes(session.write_buffers(), kUnlimited), testing::EndsWith("\r\n\r\nhome"));
  Session moved(std::move(session));
  moved.on_written(pending_bytes(moved) - 1);
  EXPECT_EQ(first_bytes(moved.write_buffers(), 9), "e");
}  // and a session that ends in the middle gives it back: the sanitizer would tell

TEST_F(HttpTest, AnswersPipelinedRequestsInOrder) {
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /a%20b HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /empty HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                .output,
            ok("home") + ok("a name with a space") + ok("") + ok("home", "Connection: close\r\n"))
      << "nothing is answered after close";
}

TEST_F(HttpTest, AHundredPipelinedRequestsSplitAnywhere) {
  std::string requests;
  std::string answers;
  for (int i = 0; i < 50; ++i) {
    requests += "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /a%20b HTTP/1.1\r\nHost: x\r\n\r\n";
    answers += ok("home") + ok("a name with a space");
  }
  for (std::size_t at = 0; at <= requests.size(); ++at) {
    const std::string_view text = requests;
    ASSERT_EQ(converse(Http{site_}, {{text.substr(0, at), text.substr(at)}, false}).output, answers)
        << "split at " << at;
  }
}

TEST_F(HttpTest, HonoursConnectionOptions) {
  const Transcript closes = ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(closes.output, ok("home", "Connection: close\r\n"));
  EXPECT_TRUE(closes.closed);
  EXPECT_FALSE(closes.half_closed) << "the client has said that it has no more to say";

  const Transcript old = ask("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.output, ok("home", "Connection: close\r\n"));
  EXPECT_TRUE(old.closed);

  const Transcript kept = ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.output, ok("home", "Connection: keep-alive\r\n"));
  EXPECT_FALSE(kept.closed);
}

TEST_F(HttpTest, LingersWhenMoreWasSaidThanAnswered) {
  EXPECT_TRUE(ask("GET / HTTP/1.0\r\n\r\nmore").half_closed);
}

TEST_F(HttpTest, ARefusalIsAnsweredAndEndsTheConnection) {
  const Transcript refused = ask("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(
      refused.output,
      "HTTP/1.1 400 Bad Request\r\nServer: muxbench\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
      "Content-Type: text/plain\r\nContent-Length: 16\r\nConnection: close\r\n\r\n"
      "400 Bad Request\n");
  EXPECT_TRUE(refused.half_closed) << "lingers, so that a reset cannot destroy the answer";
}

TEST_F(HttpTest, ARefusedHeadGetsNoBody) {
  const std::string output = ask("HEAD /absent HTTP/1.1\r\nHost: x\r\n\r\n").output;
  EXPECT_THAT(output, HasSubstr("404 Not Found\r\n"));
  EXPECT_THAT(output, HasSubstr("Content-Length: 14\r\n"));
  EXPECT_THAT(output, testing::EndsWith("\r\n\r\n"));
}

TEST_F(HttpTest, AnAbsentDocumentDoesNotEndTheConnection) {
  const std::string output =
      ask("GET /absent HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n").output;
  EXPECT_THAT(output, StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(output, Not(HasSubstr("Connection: close")));
  EXPECT_THAT(output, HasSubstr("HTTP/1.1 200 OK"));
}

TEST_F(HttpTest, NamesTheAllowedMethods) {
  const std::string output = ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\n\r\nGET /a "
                                 "HTTP/1.1\r\nHost: x\r\n\r\n")
                                 .output;
  EXPECT_THAT(output, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(output, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_THAT(output, Not(HasSubstr("200"))) << "content is not taken for a request";
  EXPECT_THAT(ask("BREW / HTTP/1.1\r\nHost: x\r\n\r\n").output, StartsWith("HTTP/1.1 501 "));
}

TEST_F(HttpTest, TellsWhyThereIsNoDocument) {
  EXPECT_EQ(status("/"), "200");
  EXPECT_EQ(status("/absent"), "404");
  EXPECT_EQ(status("/forbidden"), "403");
  EXPECT_EQ(status("/busy"), "503");
  EXPECT_EQ(status("/../etc/passwd"), "403");
  EXPECT_EQ(status("/%2e%2e/etc/passwd"), "403");
  EXPECT_EQ(status("/%zz"), "400");
  EXPECT_EQ(status("/%00"), "400");
  EXPECT_EQ(status("*"), "400");
}

TEST_F(HttpTest, AsksTheSiteForTheDecodedPath) {
  ask("GET http://x/a%2Bb/%7Ec?d=%00 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(site_.asked, "/a+b/~c");
}

TEST_F(HttpTest, RefusesLimitlessHeadsInBoundedMemory) {
  const std::string line = "GET /" + std::string(1 << 20, 'a');
  EXPECT_THAT(ask(line, true).output, StartsWith("HTTP/1.1 414 "));
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(1 << 20, 'a');
  EXPECT_THAT(ask(head, true).output, StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpTest, TakesTheLongestHeadWhereverItBegins) {
  const std::string get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string frame = "GET / HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n";
  const std::string longest =
      "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(http::kLongestHead - frame.size(), 'a') +
      "\r\n\r\n";
  const std::string all = get + longest + get;
  EXPECT_EQ(ask(all).output, ok("home") + ok("home") + ok("home"));
  EXPECT_EQ(converse(Http{site_}, {byte_by_byte(all), false}).output, ask(all).output);
}

int requests_counted = 0;

TEST_F(HttpTest, CountsRequestsAndNotNoise) {
  const auto count = [&](std::string_view input) {
    requests_counted = 0;
    SessionContext context{.protocol = Http{site_}};
    context.on_request = []() noexcept { ++requests_counted; };
    Session session(context);
    const auto lease = session.lease_read();
    std::memcpy(lease.data(), input.data(), input.size());
    session.on_read(input.size());
    while (session.wants_write()) session.on_written(pending_bytes(session));
    return requests_counted;
  };
  EXPECT_EQ(count("GET / HTTP/1.1\r\nHost: x\r\n\r\nHEAD /absent HTTP/1.1\r\nHost: x\r\n\r\n"), 2);
  EXPECT_EQ(count("GET / HTTP/1.1\r\nHost: x\r\n"), 0);
  EXPECT_EQ(count("noise\r\n"), 0);
}

}  // namespace
}  // namespace muxbench
