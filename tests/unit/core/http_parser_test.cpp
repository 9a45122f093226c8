#include "protocol/http_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace muxbench::http {
namespace {

using namespace std::string_literals;

struct Verdict {
  Status status;
  std::size_t read;  // how much of the input it took to know
};

// The parser between two reads is one saved word, as it is in a session.
Verdict parse_in_steps(std::string_view text, std::size_t step) {
  std::uint64_t saved = Parser().save();
  std::size_t size = 0;
  while (true) {
    size = std::min(size + step, text.size());
    Parser parser(saved);
    const Status status = parser.parse(text.substr(0, size));
    if (status != Status::needs_more || size == text.size()) return {status, size};
    saved = parser.save();
    EXPECT_EQ(saved % 2, 1U);
  }
}

struct Row {
  std::string head;
  Status status;
};

void expect_all(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const std::string shown = row.head.substr(0, 100);
    for (const std::size_t step :
         {row.head.size(), std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
      EXPECT_EQ(parse_in_steps(row.head, step).status, row.status)
          << shown << "\nin steps of " << step;
    }
  }
}

std::string get(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
}

TEST(HttpParser, TakesWellFormedHeads) {
  expect_all({{get(""), Status::ok},
              {"\r\n" + get(""), Status::ok},
              {"HEAD /a?b=/?c HTTP/1.1\r\nhOsT:\tx:80 \t\r\n\r\n", Status::ok},
              {"GET / HTTP/1.0\r\n\r\n", Status::ok},
              {"GET / HTTP/1.7\r\nHost: x\r\n\r\n", Status::ok},
              {"GET http://a.example:8080/x HTTP/1.1\r\nHost: a.example:8080\r\n\r\n", Status::ok},
              {"GET / HTTP/1.1\r\nHost:\r\n\r\n", Status::ok},
              {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", Status::ok},
              {"GET / HTTP/1.1\r\nHost: a%20b\r\n\r\n", Status::ok},
              {get("Empty:\r\n"), Status::ok},
              {get("Value: a \t b, \"c\" \x80\xff\r\n"), Status::ok},
              {get("!#$%&'*+-.^_`|~09az: token characters\r\n"), Status::ok},
              {get("Content-Length: 0\r\n"), Status::ok},
              {get("Content-Length: 00000000000000000000000000000000\r\n"), Status::ok}});
}

TEST(HttpParser, WaitsForTheRest) {
  const std::string whole = "\r\n" + get("Connection: close\r\n");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(Parser().parse(whole.substr(0, size)), Status::needs_more) << size;
  }
}

TEST(HttpParser, StopsAtTheEndOfTheHead) {
  const std::string one = get("A: b\r\n");
  Parser parser;
  const std::string two = one + get("");
  ASSERT_EQ(parser.parse(two), Status::ok);
  EXPECT_EQ(parser.head_size(), one.size());
  EXPECT_EQ(parser.target(two), "/");
}

TEST(HttpParser, RefusesBadRequestLines) {
  for (const char* line : {"",
                           " ",
                           "GET",
                           "GET /",
                           "GET / ",
                           "GET  / HTTP/1.1",
                           "GET /  HTTP/1.1",
                           "GET / HTTP/1.1 ",
                           " GET / HTTP/1.1",
                           "GET\t/ HTTP/1.1",
                           "GET / x HTTP/1.1",
                           "GET / http/1.1",
                           "GET / HTTP/1",
                           "GET / HTTP/1.",
                           "GET / HTTP/11",
                           "GET / HTTP/1.10",
                           "GET / HTTP/a.1",
                           "GET / HTTP 1.1",
                           "GET / HTTPS/1.1",
                           "G(T / HTTP/1.1",
                           "GET /\x01 HTTP/1.1",
                           "GET /\x7f HTTP/1.1",
                           "GET /\xc3\xa4 HTTP/1.1",
                           "GET /# HTTP/1.1",
                           "GET /\" HTTP/1.1",
                           "GET /< HTTP/1.1",
                           "GET /\\ HTTP/1.1",
                           "GET /\r HTTP/1.1",
                           "\rGET / HTTP/1.1",
                           "\x16\x03\x01"}) {
    expect_all({{line + "\r\nHost: x\r\n\r\n"s, Status::bad_request}});
  }
  expect_all({{"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"s, Status::bad_request},
              {"\r\n\r\n" + get(""), Status::bad_request}});
}

TEST(HttpParser, RefusesOtherSpeakersAtOnce) {
  EXPECT_EQ(parse_in_steps("\x16\x03\x01\x02\x00\x01\x00"s, 1).read, 1U) << "TLS";
  EXPECT_EQ(parse_in_steps("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 1).status,
            Status::version_not_supported);
}

TEST(HttpParser, RefusesOtherLineEndings) {
  expect_all({{"GET / HTTP/1.1\nHost: x\n\n", Status::bad_request},
              {"GET / HTTP/1.1\r\nHost: x\n\r\n", Status::bad_request},
              {"GET / HTTP/1.1\r\nHost: x\r\n\n", Status::bad_request},
              {"GET / HTTP/1.1\r\nHost: x\r\r\n\r\n", Status::bad_request},
              {"GET / HTTP/1.1\r\nHost: x\ry\r\n\r\n", Status::bad_request},
              {"GET / HTTP/1.1\rHost: x\r\n\r\n", Status::bad_request},
              {"\n" + get(""), Status::bad_request}});
}

TEST(HttpParser, RefusesBadFields) {
  for (const char* field :
       {"No colon", ": no name", "A : space", "A\t: tab", " A: folded", "\tA: b", "A\x01: b",
        "A: b\x01", "A: b\x7f", "A: \x0b", "A(): b", "\"A\": b", "A: b\r\n folded",
        "A: b\r\n\tfolded", "\xc3\xa4: b", "A: b\rC: d"}) {
    expect_all({{get(field + "\r\n"s), Status::bad_request}});
  }
  expect_all({{get("A: b\0c\r\n"s), Status::bad_request},
              {get("A\0: b\r\n"s), Status::bad_request},
              {"GET / HTTP/1.1\r\n Host: x\r\n\r\n", Status::bad_request}});
}

TEST(HttpParser, WantsOneGoodHost) {
  expect_all({{"GET / HTTP/1.1\r\n\r\n", Status::bad_request},
              {get("Host: x\r\n"), Status::bad_request},
              {"GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n", Status::bad_request}});
  for (const char* host : {"a b", "a/b", "a@b", "a,b", "a:b", "a:1:2", "[::1", "[]", "[::1]x",
                           "[g::]", "a%2", "a%zz", "a?b", "<a>", "::1", "\xc3\xa4"}) {
    const bool passes = host == "a,b"s;  // a comma is a sub-delim, so it may be part of a name
    expect_all({{"GET / HTTP/1.1\r\nHost: "s + host + "\r\n\r\n",
                 passes ? Status::ok : Status::bad_request}});
  }
}

TEST(HttpParser, KnowsMethodsAndVersions) {
  const std::string rest = " / HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const char* method : {"POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}) {
    expect_all({{method + rest, Status::method_not_allowed}});
  }
  for (const char* method : {"get", "GETS", "BREW", "M-SEARCH", "G"}) {
    expect_all({{method + rest, Status::not_implemented}});
  }
  for (const char* version : {"0.9", "2.0", "3.0", "9.9"}) {
    expect_all({{"GET / HTTP/"s + version + "\r\nHost: x\r\n\r\n", Status::version_not_supported}});
  }
}

TEST(HttpParser, RefusesContentAndEveryDoubtAboutItsLength) {
  for (const char* length :
       {"", "+1", "-1", "0x1", "1 2", "1,1", "0, 0", "1.0", "a", "1;", "\"1\""}) {
    expect_all({{get("Content-Length: "s + length + "\r\n"), Status::bad_request}});
  }
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  expect_all({
      {get("Content-Length: 1\r\n"), Status::content_too_large},
      {get("Content-Length: 18446744073709551616\r\n"), Status::content_too_large},
      {get("Content-Length: 0\r\nContent-Length: 0\r\n"), Status::bad_request},
      {get("Content-Length: 1\r\nContent-Length: 2\r\n"), Status::bad_request},
      {get(chunked), Status::content_too_large},
      {get("Transfer-Encoding: , CHUNKED\r\n"), Status::content_too_large},
      {get("Content-Length: 0\r\n" + chunked), Status::bad_request},
      {get(chunked + "Content-Length: 0\r\n"), Status::bad_request},
      {"GET / HTTP/1.0\r\n" + chunked + "\r\n", Status::bad_request},
      {"GET / HTTP/1.0\r\nContent-Length: 1\r\n" + chunked + "\r\n", Status::bad_request},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n" + chunked + "\r\n",
       Status::bad_request},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", Status::method_not_allowed},
      {get("Transfer-Encoding:\r\n"), Status::bad_request},
      {get("Transfer-Encoding: gzip\r\n"), Status::bad_request},
      {get("Transfer-Encoding: xchunked\r\n"), Status::bad_request},
      {get("Transfer-Encoding: chunked;q=1\r\n"), Status::bad_request},
      {get("Transfer-Encoding: chunked, gzip\r\n"), Status::bad_request},
      {get("Transfer-Encoding: chunked, chunked\r\n"), Status::bad_request},
      {get(chunked + chunked), Status::bad_request},
      {get("Transfer-Encoding: gzip, chunked\r\n"), Status::not_implemented},
      {get("Transfer-Encoding: gzip\r\n" + chunked), Status::not_implemented},
  });
}

TEST(HttpParser, KnowsWhetherTheConnectionStays) {
  const auto stays = [](std::string_view version, std::string_view fields) {
    Parser parser;
    EXPECT_EQ(parser.parse("GET / HTTP/" + std::string(version) + "\r\nHost: x\r\n" +
                           std::string(fields) + "\r\n"),
              Status::ok);
    return parser.keep_alive();
  };
  EXPECT_TRUE(stays("1.1", ""));
  EXPECT_TRUE(stays("1.1", "Connection: closed, upgrade\r\n"));
  EXPECT_FALSE(stays("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(stays("1.1", "connection: te ,, CLOSE\t\r\n"));
  EXPECT_FALSE(stays("1.1", "Connection: close\r\nConnection: keep-alive\r\n"));
  EXPECT_FALSE(stays("1.0", ""));
  EXPECT_TRUE(stays("1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(stays("1.0", "Connection: keep-alive, close\r\n"));
}

TEST(HttpParser, LimitsTheRequestLine) {
  const std::string frame = "GET  HTTP/1.1";
  const auto with_line = [&](std::size_t size) {
    return "GET /" + std::string(size - frame.size() - 1, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n";
  };
  expect_all({{with_line(kLongestRequestLine), Status::ok},
              {with_line(kLongestRequestLine + 1), Status::uri_too_long},
              {"\r\n" + with_line(kLongestRequestLine), Status::ok},
              {"\r\n" + with_line(kLongestRequestLine + 1), Status::uri_too_long},
              {with_line(1'000'000), Status::uri_too_long},
              {std::string(20'000, 'A'), Status::uri_too_long}});
  EXPECT_LE(parse_in_steps(std::string(20'000, 'A'), 1).read, kLongestRequestLine + 2);
}

TEST(HttpParser, LimitsTheHead) {
  const std::size_t frame = get("A: \r\n").size();
  const auto with_head = [&](std::size_t size) {
    return get("A: " + std::string(size - frame, 'a') + "\r\n");
  };
  ASSERT_EQ(with_head(5000).size(), 5000U);
  expect_all({{with_head(kLongestHead), Status::ok},
              {with_head(kLongestHead + 1), Status::head_too_large},
              {with_head(kLongestHead + 2), Status::head_too_large},
              {with_head(kLongestHead + 3), Status::head_too_large},
              {with_head(1'000'000), Status::head_too_large}});
  EXPECT_LE(parse_in_steps(with_head(20'000), 1).read, kLongestHead);

  std::string many;
  while (many.size() < 20'000) many += "A:b\r\n";
  expect_all({{get(many), Status::head_too_large}});
}

}  // namespace
}  // namespace muxbench::http
