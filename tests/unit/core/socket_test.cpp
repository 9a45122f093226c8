#include "net/socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "net/sys.h"

namespace muxbench {
namespace {

using std::chrono::seconds;

Address loopback() { return *Address::parse("127.0.0.1:0"); }

TEST(Socket, ListenerTakesAConnectionAndPassesBytes) {
  const auto listener = listen_on(loopback(), {});
  ASSERT_TRUE(listener.ok()) << listener.error().message;
  const auto address = Address::of_socket(listener->get());
  ASSERT_TRUE(address.ok());
  const auto client = connect_to(*address, seconds(5));
  ASSERT_TRUE(client.ok()) << client.error().message;
  const IoResult accepted = sys::accept(listener->get());
  ASSERT_TRUE(accepted.ok());
  const UniqueFd server(accepted.fd());

  char text[] = "hello, world";
  const iovec two[] = {{text, 5}, {text + 5, 7}};
  EXPECT_EQ(sys::send(client->get(), two).count(), 12U);
  std::byte got[64];
  EXPECT_EQ(sys::recv(server.get(), got).count(), 12U);
  EXPECT_EQ(std::memcmp(got, text, 12), 0);
}

TEST(Socket, AnAddressInUseIsNamed) {
  const auto first = listen_on(loopback(), {});
  const auto address = Address::of_socket(first->get());
  const auto second = listen_on(*address, {});
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, testing::HasSubstr(address->to_string()));
  EXPECT_THAT(second.error().message, testing::HasSubstr("in use"));
  EXPECT_EQ(second.error().exit, Exit::failure);
}

TEST(Socket, AStaleSocketFileIsReplacedAndALiveOneIsNot) {
  const std::string path = fmt::format("/tmp/muxbench-socket-test-{}", ::getpid());
  const auto address = *Address::parse("unix:" + path);
  {
    const auto live = listen_on(address, {});
    ASSERT_TRUE(live.ok()) << live.error().message;
    EXPECT_FALSE(listen_on(address, {}).ok());
  }
  EXPECT_TRUE(listen_on(address, {}).ok());
  ::unlink(path.c_str());
}

TEST(Socket, ReceiveGivesUpAfterTheTimeout) {
  const auto listener = listen_on(loopback(), {});
  const auto client =
      connect_to(*Address::of_socket(listener->get()), std::chrono::milliseconds(20));
  std::byte got[1];
  EXPECT_TRUE(sys::recv(client->get(), got).would_block());
}

}  // namespace
}  // namespace muxbench
