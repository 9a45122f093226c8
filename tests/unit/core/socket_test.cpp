#include "net/socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <thread>

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
  const auto client = connect_to(*address, seconds(120));
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

TEST(Socket, ASocketOfAnotherTypeIsNotReplaced) {
  const std::string path = fmt::format("/tmp/muxbench-socket-test-{}", ::getpid());
  const auto address = *Address::parse("unix:" + path);
  const UniqueFd other(::socket(AF_UNIX, SOCK_DGRAM, 0));
  ASSERT_EQ(::bind(other.get(), address.data(), address.size()), 0);
  EXPECT_FALSE(listen_on(address, {}).ok());
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  ::unlink(path.c_str());
}

TEST(Socket, ReceiveGivesUpAfterTheTimeout) {
  const auto listener = listen_on(loopback(), {});
  const auto client =
      connect_to(*Address::of_socket(listener->get()), std::chrono::milliseconds(20));
  std::byte got[1];
  EXPECT_TRUE(sys::recv(client->get(), got).would_block());
}

TEST(Socket, ConnectGoesOnAfterASignal) {
  struct sigaction ignore {};
  ignore.sa_handler = [](int) {};
  struct sigaction before {};
  ::sigaction(SIGUSR1, &ignore, &before);
  const std::string path = "/tmp/connect_" + std::to_string(::getpid());
  const auto address = Address::parse("unix:" + path);
  ASSERT_TRUE(address.ok());
  const auto listener = listen_on(*address, {.backlog = 0});
  ASSERT_TRUE(listener.ok()) << listener.error().message;
  const auto first =
      connect_to(*address, seconds(120));  // fills the backlog, so the next one waits
  ASSERT_TRUE(first.ok());
  std::jthread other([&, caller = ::pthread_self()] {
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ::pthread_kill(caller, SIGUSR1);
    }
    const UniqueFd accepted(sys::accept(listener->get()).fd());
  });
  const auto second = connect_to(*address, seconds(120));
  EXPECT_TRUE(second.ok()) << second.error().message;
  other.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace muxbench
