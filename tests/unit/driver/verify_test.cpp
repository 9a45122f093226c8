// The checks against servers that are right, and wrong in one way each.
#include "trial/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <thread>

#include "net/socket.h"
#include "trial/check_client.h"

namespace muxbench {
namespace {

using testing::HasSubstr;

// Serves every connection with the same function, one after the other, until destroyed.
class FakeServer {
 public:
  explicit FakeServer(std::function<void(int)> serve)
      : listener_(std::move(*listen_on(*Address::parse("127.0.0.1:0"), {}))),
        address_(*Address::of_socket(listener_.get())),
        thread_([this, serve = std::move(serve)](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            const UniqueFd connection(::accept(listener_.get(), nullptr, nullptr));
            if (connection) serve(connection.get());
          }
        }) {}
  ~FakeServer() {
    thread_.request_stop();
    ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept(2)
  }
  const Address& address() const { return address_; }

 private:
  UniqueFd listener_;
  Address address_;
  std::jthread thread_;
};

void echo_with(int fd, const std::function<void(std::string&)>& change) {
  std::string bytes(65536, '\0');
  while (true) {
    const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (got <= 0) return;
    std::string out = bytes.substr(0, static_cast<std::size_t>(got));
    change(out);
    if (::send(fd, out.data(), out.size(), MSG_NOSIGNAL) < 0) return;
  }
}

std::string error_of(const Result<>& result) { return result ? "ok" : result.error().message; }

TEST(VerifyEcho, AcceptsAnEcho) {
  const FakeServer server([](int fd) { echo_with(fd, [](std::string&) {}); });
  EXPECT_EQ(error_of(verify_echo(server.address(), false)), "ok");
  EXPECT_EQ(error_of(verify_briefly(server.address(), "echo", {})), "ok");
}

TEST(VerifyEcho, SaysWhichByteIsWrong) {
  const FakeServer server(
      [](int fd) { echo_with(fd, [](std::string& out) { out[0] = static_cast<char>(~out[0]); }); });
  EXPECT_THAT(error_of(verify_echo(server.address(), false)),
              HasSubstr("echo of 1 bytes: byte 0 of 1 came back as 0x"));
}

TEST(VerifyEcho, NoticesExtraBytesAtTheEnd) {
  const FakeServer server([](int fd) {
    echo_with(fd, [](std::string&) {});
    ::send(fd, "more", 4, MSG_NOSIGNAL);
  });
  EXPECT_THAT(error_of(verify_briefly(server.address(), "echo", {})),
              HasSubstr("half-close: 4 bytes too many came back"));
}

TEST(VerifyEcho, NoticesAnEarlyClose) {
  const FakeServer server([](int) {});
  EXPECT_THAT(error_of(verify_briefly(server.address(), "echo", {})),
              HasSubstr("echo of 4096 bytes: "));
}

TEST(VerifyGreet, ChecksGreetingLineAndEnd) {
  const auto greet = [](const char* greeting, bool close) {
    return [=](int fd) {
      ::send(fd, greeting, std::strlen(greeting), MSG_NOSIGNAL);
      std::string line;
      char byte = 0;
      while (::recv(fd, &byte, 1, 0) == 1) {
        line += byte;
        if (byte == '\n') break;
      }
      ::send(fd, line.data(), line.size(), MSG_NOSIGNAL);
      if (!close) ::send(fd, "!", 1, MSG_NOSIGNAL);
    };
  };
  EXPECT_EQ(error_of(verify_greet(FakeServer(greet("Hello World!\r\n", true)).address())), "ok");
  EXPECT_THAT(error_of(verify_greet(FakeServer(greet("Hello Earth!\r\n", true)).address())),
              HasSubstr("greeting: byte 6 of 14"));
  EXPECT_THAT(error_of(verify_greet(FakeServer(greet("Hello World!\r\n", false)).address())),
              HasSubstr("end: 1 bytes too many"));
}

TEST(VerifyHttp, ChecksStatusLengthAndBody) {
  const HttpRoot root{.folder = "", .index = "hello"};
  const auto answer = [](std::string head) {
    return [=](int fd) {
      std::string request(4096, '\0');
      if (::recv(fd, request.data(), request.size(), 0) <= 0) return;
      const std::string response = "HTTP/1.1 " + head;
      ::send(fd, response.data(), response.size(), MSG_NOSIGNAL);
    };
  };
  const auto said = [&](const std::string& head) {
    return error_of(verify_http(FakeServer(answer(head)).address(), root));
  };
  EXPECT_THAT(said("500 Oops\r\n\r\n"), HasSubstr("GET /index.html: status 500, expected 200"));
  EXPECT_THAT(said("200 OK\r\nContent-Length: 4\r\n\r\nhell"), HasSubstr("Content-Length 4, expe"));
  EXPECT_THAT(said("200 OK\r\ncontent-length: 5\r\n\r\nhullo"), HasSubstr("byte 1 of 5"));
  EXPECT_THAT(said("200 OK\r\nContent-Length: 5\r\n\r\nhello"), HasSubstr("GET /larger.bin"));
}

}  // namespace
}  // namespace muxbench
