#include "trial/accept_queue.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <vector>

#include "base/unique_fd.h"

namespace muxbench {
namespace {

TEST(AcceptQueue, CountsWhatNobodyHasAccepted) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), generic, size), 0);
  ASSERT_EQ(::getsockname(listener.get(), generic, &size), 0);
  const auto target = *Address::parse("127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  EXPECT_FALSE(accept_queue(target).has_value());  // nobody listens yet

  ASSERT_EQ(::listen(listener.get(), 16), 0);
  EXPECT_EQ(accept_queue(target), 0U);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::connect(clients.back().get(), generic, size), 0);
  }
  EXPECT_EQ(accept_queue(target), 3U);
  EXPECT_EQ(await_accepted(target, std::chrono::milliseconds(5)), 3U);  // it gives up
  const UniqueFd accepted(::accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(accept_queue(target), 2U);
  for (int i = 0; i < 2; ++i) UniqueFd(::accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(await_accepted(target, std::chrono::seconds(120)), 0U);
}

TEST(AcceptQueue, IsUnknownForUnixSockets) {
  EXPECT_FALSE(accept_queue(*Address::parse("unix:/tmp/nobody.sock")).has_value());
}

}  // namespace
}  // namespace muxbench
