#include "net/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace muxbench {
namespace {

TEST(Address, TextSurvivesTheRoundTrip) {
  for (const char* text : {"127.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "unix:/tmp/some.sock"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address.ok()) << text << ": " << address.error().message;
    EXPECT_EQ(address->to_string(), text);
  }
}

TEST(Address, RefusesWhatIsNotAnAddress) {
  const std::string long_path = "unix:/" + std::string(200, 'x');
  for (const std::string& text :
       {std::string("80"), std::string("127.0.0.1"), std::string("::1:80"),
        std::string("127.0.0.1:70000"), std::string("127.0.0.1:"), std::string("[::1]"),
        std::string("localhost:80"), std::string("unix:"), std::string("1.2.3:4x"), long_path}) {
    const auto address = Address::parse(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.error().exit, Exit::usage) << text;
  }
}

TEST(Address, KnowsItsPort) {
  EXPECT_EQ(Address::parse("127.0.0.1:80")->port(), 80);
  EXPECT_EQ(Address::parse("[::1]:65535")->port(), 65535);
}

TEST(Address, KnowsWhatStaysOnThisMachine) {
  EXPECT_TRUE(Address::parse("127.1.2.3:1")->is_loopback());
  EXPECT_TRUE(Address::parse("[::1]:1")->is_loopback());
  EXPECT_TRUE(Address::parse("unix:/x")->is_loopback());
  EXPECT_FALSE(Address::parse("0.0.0.0:1")->is_loopback());
  EXPECT_FALSE(Address::parse("10.0.0.1:1")->is_loopback());
  EXPECT_FALSE(Address::parse("[::]:1")->is_loopback());
}

TEST(Address, ResolvesHostNames) {
  std::ifstream hosts("/etc/hosts");
  const std::string names{std::istreambuf_iterator<char>(hosts), {}};
  if (names.find("localhost") == std::string::npos)
    GTEST_SKIP() << "environment: /etc/hosts has no localhost";
  const auto address = Address::resolve("localhost:80");
  ASSERT_TRUE(address.ok()) << address.error().message;
  EXPECT_TRUE(address->is_loopback());
  EXPECT_THAT(address->to_string(), testing::EndsWith(":80"));
}

}  // namespace
}  // namespace muxbench
