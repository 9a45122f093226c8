#include "engine/connector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "engine/share.h"
#include "net/socket.h"
#include "net/sys.h"

namespace muxbench::loadgen {
namespace {

std::string source_of(const UniqueFd& fd) {
  const std::string address = Address::of_socket(fd.get())->to_string();
  return address.substr(0, address.rfind(':'));
}

void wait_writable(const UniqueFd& fd) {
  pollfd poll{.fd = fd.get(), .events = POLLOUT, .revents = 0};
  ::poll(&poll, 1, 5000);
}

TEST(Connector, ThreadsStartFromDifferentSources) {
  const auto listener = listen_on(*Address::parse("127.0.0.1:0"), {});
  ASSERT_TRUE(listener.ok());
  const Address target = *Address::of_socket(listener->get());
  for (const auto& [thread, source] : {std::pair{0U, "127.0.0.1"}, std::pair{1U, "127.0.0.2"}}) {
    Connector connector(target, thread, 2);
    const Connector::Attempt attempt = connector.start();
    ASSERT_TRUE(attempt.fd) << describe(attempt.error);
    wait_writable(attempt.fd);
    EXPECT_EQ(source_of(attempt.fd), source);
  }
}

TEST(Connector, AMissingSocketFileFailsAtOnce) {
  const Address target = *Address::parse("unix:/tmp/muxbench-no-such-socket");
  const Connector::Attempt attempt = Connector(target, 0, 1).start();
  EXPECT_FALSE(attempt.fd);
  EXPECT_EQ(attempt.error, Errno{ENOENT});
  EXPECT_THAT(explain_failure(attempt.error, target), testing::HasSubstr("does not exist"));
}

TEST(Connector, FailuresHaveKindsAndRemedies) {
  const Address target = *Address::parse("127.0.0.1:9");
  EXPECT_EQ(kind_of_failure(Errno{ECONNREFUSED}), ErrorKind::refused);
  EXPECT_EQ(kind_of_failure(Errno{ETIMEDOUT}), ErrorKind::connect);
  EXPECT_THAT(explain_failure(Errno{ECONNREFUSED}, target), testing::HasSubstr("127.0.0.1:9"));
  EXPECT_THAT(explain_failure(Errno{EADDRNOTAVAIL}, target), testing::HasSubstr("port_range"));
  EXPECT_THAT(explain_failure(Errno{EMFILE}, target), testing::HasSubstr("ulimit -n"));
  EXPECT_THAT(explain_failure(Errno{EHOSTUNREACH}, target), testing::HasSubstr("no way to"));
  EXPECT_THAT(explain_failure(Errno{ETIMEDOUT}, target), testing::HasSubstr("--connect-timeout"));
  EXPECT_THAT(explain_failure(Errno{EACCES}, target), testing::HasSubstr("not permitted"));
}

TEST(Connector, ClosingWithAResetIsSeenAsOne) {
  const auto listener = listen_on(*Address::parse("127.0.0.1:0"), {});
  auto client = connect_to(*Address::of_socket(listener->get()), std::chrono::seconds(120));
  ASSERT_TRUE(client.ok());
  const UniqueFd server(sys::accept(listener->get()).fd());
  close_with_reset(*client);
  EXPECT_FALSE(*client);
  std::byte byte[1];
  EXPECT_EQ(sys::recv(server.get(), byte).error(), Errno{ECONNRESET});
}

TEST(Share, ConnectionsAreSplitWithoutGapOrOverlap) {
  Options options;
  options.connections = 10;
  options.idle = 5;
  options.threads = 4;
  std::vector<bool> taken(15);
  for (unsigned thread = 0; thread < 4; ++thread) {
    const Share share = share_of(options, thread);
    EXPECT_GE(share.active, 2U);
    for (std::uint32_t i = 0; i < share.active; ++i) {
      EXPECT_FALSE(taken.at(share.first_active + i));
      taken.at(share.first_active + i) = true;
    }
    for (std::uint32_t i = 0; i < share.background; ++i) {
      EXPECT_FALSE(taken.at(share.first_background + i));
      taken.at(share.first_background + i) = true;
    }
  }
  EXPECT_THAT(taken, testing::Each(true));
}

}  // namespace
}  // namespace muxbench::loadgen
