#include "client/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace muxbench::loadgen {
namespace {

using testing::HasSubstr;

constexpr std::string_view kBody = "a body that is checked";

HttpSite two_paths() {
  HttpSite site = make_site({"/a", "/b"}, "localhost:80");
  for (HttpResource& resource : site) resource.body = kBody;
  return site;
}

std::string response(std::string_view body = kBody, std::string_view status = "200 OK",
                     std::string_view fields = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

struct Exchange {
  HttpSite site = two_paths();
  ErrorLog errors;
  HttpClient client{site, errors};
  HttpClient::State state;

  Exchange() { client.open(state, 3, 1); }

  std::string request() {
    client.begin(state);
    std::string text;
    const Outgoing out = client.outgoing(state);
    for (const iovec& piece : out.pieces()) {
      text.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    client.sent(state, text.size());
    return text;
  }

  // Cuts the text after `cut` bytes.
  Outcome answer(std::string_view text, std::size_t cut = std::string_view::npos) {
    Outcome last = Outcome::more;
    for (std::string_view read : {text.substr(0, cut), text.substr(std::min(cut, text.size()))}) {
      while (!read.empty() && last != Outcome::broken) {
        const auto bytes = std::as_bytes(std::span(read.data(), read.size()));
        const Received received = client.receive(state, bytes);
        read.remove_prefix(received.consumed);
        last = received.outcome;
      }
    }
    return last;
  }
};

TEST(HttpClient, AsksForThePathsInTurn) {
  Exchange exchange;
  std::string all;
  for (int i = 0; i < 4; ++i) {
    all += exchange.request().substr(0, 6);
    EXPECT_EQ(exchange.answer(response()), Outcome::succeeded);
  }
  EXPECT_THAT(all, testing::AnyOf("GET /aGET /bGET /aGET /b", "GET /bGET /aGET /bGET /a"));
  exchange.client.begin(exchange.state);
  EXPECT_THAT(exchange.site[0].request, HasSubstr("Host: localhost:80\r\n\r\n"));
}

TEST(HttpClient, AnotherConnectionBeginsWithNothingOfTheOneBefore) {
  Exchange exchange;
  exchange.request();
  EXPECT_EQ(exchange.answer(response().substr(0, 60)), Outcome::more);
  exchange.client.open(exchange.state, 3, 2);
  EXPECT_EQ(exchange.client.outgoing(exchange.state).size(), 0U);
  exchange.request();
  EXPECT_EQ(exchange.answer(response()), Outcome::succeeded);
  EXPECT_EQ(exchange.errors.total(), 0U);
}

TEST(HttpClient, ARightResponseSucceedsAtEverySplit) {
  const std::string text = response();
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Exchange exchange;
    exchange.request();
    EXPECT_EQ(exchange.answer(text, cut), Outcome::succeeded) << cut;
    EXPECT_EQ(exchange.errors.total(), 0U) << cut;
  }
}

TEST(HttpClient, ByteByByteIsTheSame) {
  Exchange exchange;
  exchange.request();
  const std::string text = response();
  Outcome last = Outcome::more;
  for (const char& c : text) {
    EXPECT_EQ(last, Outcome::more);
    last = exchange.answer({&c, 1});
  }
  EXPECT_EQ(last, Outcome::succeeded);
}

struct Lie {
  const char* name;
  std::string text;
  Outcome outcome;
  ErrorKind kind;
};

void PrintTo(const Lie& lie, std::ostream* out) { *out << lie.name; }

class HttpLies : public testing::TestWithParam<Lie> {};

TEST_P(HttpLies, AreCountedOnceAtEverySplit) {
  const Lie& lie = GetParam();
  for (std::size_t cut = 0; cut < lie.text.size(); ++cut) {
    Exchange exchange;
    exchange.request();
    EXPECT_EQ(exchange.answer(lie.text, cut), lie.outcome) << "cut at " << cut;
    EXPECT_EQ(exchange.errors.total(), 1U) << "cut at " << cut;
    EXPECT_EQ(exchange.errors.count(lie.kind), 1U) << "cut at " << cut;
    EXPECT_THAT(exchange.errors.first(lie.kind), HasSubstr("connection 3, request 1 (/"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, HttpLies,
    testing::Values(
        Lie{"wrong_byte", response("a body that is chXcked"), Outcome::failed, ErrorKind::corrupt},
        Lie{"wrong_last_byte", response("a body that is checkeX"), Outcome::failed,
            ErrorKind::corrupt},
        Lie{"short_body", response("a body"), Outcome::failed, ErrorKind::missing},
        Lie{"long_body", response("a body that is checked twice"), Outcome::failed,
            ErrorKind::extra},
        Lie{"not_found", response("gone", "404 Not Found"), Outcome::failed,
            ErrorKind::unexpected_status},
        Lie{"server_error_and_close", response("", "500 Oops", "Connection: close\r\n"),
            Outcome::spoiled, ErrorKind::unexpected_status},
        Lie{"no_length", "HTTP/1.1 200 OK\r\n\r\n", Outcome::broken, ErrorKind::protocol},
        Lie{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Outcome::broken,
            ErrorKind::protocol},
        Lie{"not_http", "SSH-2.0-OpenSSH\r\n", Outcome::broken, ErrorKind::protocol},
        Lie{"bad_header", "HTTP/1.1 200 OK\r\nbad header\r\n\r\n", Outcome::broken,
            ErrorKind::protocol},
        Lie{"bare_line_feeds", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", Outcome::broken,
            ErrorKind::protocol},
        Lie{"a_bare_line_feed_at_the_end", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n",
            Outcome::broken, ErrorKind::protocol},
        Lie{"switching_protocols", "HTTP/1.1 101 Switching Protocols\r\n\r\n", Outcome::broken,
            ErrorKind::unexpected_status},
        Lie{"wrong_after_an_interim_response",
            "HTTP/1.1 100 Continue\r\n\r\n" + response("a body that is chXcked"), Outcome::failed,
            ErrorKind::corrupt}),
    [](const auto& lie) { return lie.param.name; });

TEST(HttpClient, AResponseThatClosesFinishesTheConnection) {
  Exchange exchange;
  exchange.request();
  EXPECT_EQ(exchange.answer(response(kBody, "200 OK", "Connection: close\r\n")), Outcome::finished);
}

TEST(HttpClient, BytesAfterTheResponseAreExtra) {
  Exchange exchange;
  exchange.request();
  EXPECT_EQ(exchange.answer(response() + "x"), Outcome::broken);
  EXPECT_EQ(exchange.errors.count(ErrorKind::extra), 1U);
}

TEST(HttpClient, BytesAfterAWrongResponseAreTheSameError) {
  Exchange exchange;
  exchange.request();
  EXPECT_EQ(exchange.answer(response("a body that is chXcked") + "x"), Outcome::broken);
  exchange.client.open(exchange.state, 3, 2);
  exchange.request();
  EXPECT_EQ(exchange.answer(response("a body that is chXcked")), Outcome::failed);
  exchange.request();
  EXPECT_EQ(exchange.answer("x"), Outcome::broken) << "in a read of its own";
  EXPECT_EQ(exchange.errors.total(), 2U);
  EXPECT_EQ(exchange.errors.count(ErrorKind::corrupt), 2U);
}

TEST(HttpClient, ARightResponseEndsTheSuspicion) {
  Exchange exchange;
  for (const std::string_view body : {std::string_view("a body that is chXcked"), kBody}) {
    exchange.request();
    exchange.answer(response(body));
  }
  exchange.request();
  EXPECT_EQ(exchange.answer("x"), Outcome::broken);
  EXPECT_EQ(exchange.errors.count(ErrorKind::protocol), 1U);
}

TEST(HttpClient, InterimResponsesAreSkippedAtEverySplit) {
  const std::string text =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\n" +
      response();
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Exchange exchange;
    exchange.request();
    EXPECT_EQ(exchange.answer(text, cut), Outcome::succeeded) << cut;
    EXPECT_EQ(exchange.errors.total(), 0U) << cut;
  }
}

TEST(HttpClient, WhatTheServerHasNotAnsweredIsAskedAgain) {
  HttpSite site = make_site({"/a", "/b", "/c"}, "h", 8);
  for (HttpResource& resource : site) resource.body = resource.path;
  ErrorLog errors;
  HttpClient client(site, errors);
  HttpClient::State state;
  client.open(state, 0, 3);
  for (int i = 0; i < 4; ++i) client.begin(state);
  client.sent(state, site[0].request.size() + 5);
  const std::string text = response("/a", "200 OK", "Connection: close\r\n");
  const auto received = client.receive(state, std::as_bytes(std::span(text)));
  EXPECT_EQ(received.outcome, Outcome::finished);
  client.resume(state);
  const Outgoing out = client.outgoing(state);
  ASSERT_EQ(out.pieces().size(), 1U);
  const std::string again(static_cast<const char*>(out.pieces()[0].iov_base), out.size());
  EXPECT_EQ(again, site[1].request + site[2].request + site[0].request);
}

TEST(HttpClient, AWrongResponseExplainsWhyItIsNotComplete) {
  Exchange exchange;
  exchange.request();
  EXPECT_FALSE(exchange.client.conclude(exchange.state));
  exchange.answer("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + std::string(kBody));
  EXPECT_EQ(exchange.errors.count(ErrorKind::extra), 1U);
  EXPECT_TRUE(exchange.client.conclude(exchange.state));
}

TEST(HttpClient, BytesBeforeARequestAreExtra) {
  Exchange exchange;
  EXPECT_EQ(exchange.answer("HTTP/1.1 "), Outcome::broken);
  EXPECT_EQ(exchange.errors.count(ErrorKind::extra), 1U);
}

TEST(HttpClient, APipelineIsOnePieceOfMemoryInTheOrderOfThePaths) {
  HttpSite site = make_site({"/a", "/bb", "/ccc"}, "h", 8);
  for (HttpResource& resource : site) resource.body = resource.path;
  ErrorLog errors;
  HttpClient client(site, errors);
  HttpClient::State state;
  client.open(state, 0, 1);
  for (int i = 0; i < 8; ++i) client.begin(state);
  std::string sent;
  while (client.outgoing(state).size() != 0) {  // seven bytes at a time
    const Outgoing out = client.outgoing(state);
    ASSERT_EQ(out.pieces().size(), 1U);
    const std::size_t size = std::min<std::size_t>(7, out.size());
    sent.append(static_cast<const char*>(out.pieces()[0].iov_base), size);
    client.sent(state, size);
  }
  std::string expected;
  std::string responses;
  for (std::size_t i = 0; i < 8; ++i) {
    expected += site[(1 + i) % 3].request;
    responses += response(site[(1 + i) % 3].path);
  }
  EXPECT_EQ(sent, expected);
  for (std::size_t step = 1; step <= responses.size(); ++step) {
    HttpClient::State again;
    client.open(again, 0, 1);
    for (int i = 0; i < 8; ++i) client.begin(again);
    int succeeded = 0;
    for (std::string_view rest = responses; !rest.empty();) {
      std::string_view read = rest.substr(0, step);
      rest.remove_prefix(read.size());
      while (!read.empty()) {
        const auto bytes = std::as_bytes(std::span(read.data(), read.size()));
        const Received received = client.receive(again, bytes);
        read.remove_prefix(received.consumed);
        succeeded += received.outcome == Outcome::succeeded;
      }
    }
    EXPECT_EQ(succeeded, 8) << "reads of " << step;
  }
  EXPECT_EQ(errors.total(), 0U);
}

TEST(HttpClient, ASiteCanAskForTheConnectionToBeClosed) {
  const HttpSite site = make_site({"/"}, "h", 1, true);
  EXPECT_EQ(site[0].request, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
}

TEST(HttpClient, AnEndlessHeadIsRefused) {
  Exchange exchange;
  exchange.request();
  std::string text = "HTTP/1.1 200 OK\r\n";
  while (text.size() < 20'000) text += "X: y\r\n";
  EXPECT_EQ(exchange.answer(text, 100), Outcome::broken);
  EXPECT_EQ(exchange.errors.count(ErrorKind::protocol), 1U);
}

TEST(HttpClient, AnEmptyBodyIsComplete) {
  Exchange exchange;
  for (HttpResource& resource : exchange.site) resource.body.clear();
  exchange.request();
  EXPECT_EQ(exchange.answer(response("")), Outcome::succeeded);
}

}  // namespace
}  // namespace muxbench::loadgen
