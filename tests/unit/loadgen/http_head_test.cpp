#include "client/http_head.h"

#include <gtest/gtest.h>

#include <string>

namespace muxbench::loadgen {
namespace {

TEST(HttpHead, ReadsWhatAServerWrites) {
  const HttpHead head =
      parse_http_head("HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: \t12 \r\nX-Empty:\r\n\r\n");
  EXPECT_EQ(head.error, "");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_FALSE(head.close);
}

TEST(HttpHead, KnowsWhetherTheConnectionStays) {
  const auto closes = [](std::string_view version, std::string_view field) {
    const std::string head =
        std::string(version) + " 200 OK\r\nContent-Length: 0\r\n" + std::string(field) + "\r\n";
    return parse_http_head(head).close;
  };
  EXPECT_FALSE(closes("HTTP/1.1", ""));
  EXPECT_TRUE(closes("HTTP/1.1", "Connection: close\r\n"));
  EXPECT_TRUE(closes("HTTP/1.1", "connection: foo, Close\r\n"));
  EXPECT_TRUE(closes("HTTP/1.0", ""));
  EXPECT_FALSE(closes("HTTP/1.0", "Connection: keep-alive\r\n"));
}

TEST(HttpHead, AnEmptyReasonAndARepeatedLengthAreFine) {
  const HttpHead head =
      parse_http_head("HTTP/1.1 404 \r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(head.error, "");
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.content_length, 3U);
}

TEST(HttpHead, RefusesWhatACorrectServerWouldNotWrite) {
  for (const char* text : {
           "\r\n\r\n",
           "HTTP/1.1\r\n\r\n",
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/1.1 2x0 OK\r\n\r\n",
           "HTTP/1.1 200OK\r\n\r\n",
           "HTTP/1.1 200\r\n\r\n",
           "HTTP/1.1  200 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
           "HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
           "HTTP/1.1 200 OK\r\nspace : x\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
           "HTTP/1.1 200 OK\nA: b\r\n\r\n",
           "HTTP/1.1 200 O\rK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\r\n",
       }) {
    EXPECT_NE(parse_http_head(text).error, "") << text;
  }
}

TEST(HttpHead, EndsBehindItsEmptyLineHoweverItCame) {
  const std::string head = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
  for (std::size_t searched = 0; searched < head.size(); ++searched) {
    const HttpHeadEnd before = find_http_head_end(head.substr(0, searched));
    EXPECT_EQ(before.size, 0U) << searched;
    EXPECT_EQ(before.error, "") << searched;
    EXPECT_EQ(find_http_head_end(head + "body", searched).size, head.size()) << searched;
  }
}

TEST(HttpHead, WithLineFeedsAloneItHasNoEnd) {
  for (const std::string text : {"HTTP/1.1 200 OK\n", "HTTP/1.1 200 OK\r\nA: b\n",
                                 "HTTP/1.1 200 OK\r\n\n", "HTTP/1.1 200 OK\r\nA: b\r\n\n"}) {
    for (std::size_t searched = 0; searched < text.size(); ++searched) {
      EXPECT_NE(find_http_head_end(text, searched).error, "") << text << searched;
    }
  }
}

TEST(HttpHead, WhatCannotBecomeAHeadIsSeenEarly) {
  EXPECT_EQ(find_http_head_end("HTT").error, "");
  EXPECT_NE(find_http_head_end("HTX").error, "");
  EXPECT_NE(find_http_head_end("HTTP/2").error, "");
  const std::string long_head = "HTTP/1.1 200 OK\r\nA: " + std::string(kLongestHttpHead, 'x');
  EXPECT_NE(find_http_head_end(long_head).error, "");
  EXPECT_NE(find_http_head_end(long_head + "\r\n\r\n").error, "");
}

TEST(HttpHead, AllOfTheFirstHundredButOneAreInterim) {
  EXPECT_TRUE(is_interim(100) && is_interim(102) && is_interim(103) && is_interim(199));
  EXPECT_FALSE(is_interim(101) || is_interim(99) || is_interim(200));
}

}  // namespace
}  // namespace muxbench::loadgen
