#include "protocol/http_target.h"

#include <gtest/gtest.h>

namespace muxbench::http {
namespace {

Target resolve(std::string_view target) {
  static char room[64];
  return resolve_target(target, room);
}

TEST(HttpTarget, BecomesAPath) {
  EXPECT_EQ(resolve("/").path, "/");
  EXPECT_EQ(resolve("/a/b.txt").path, "/a/b.txt");
  EXPECT_EQ(resolve("/a?b/../c").path, "/a");
  EXPECT_EQ(resolve("/?").path, "/");
  EXPECT_EQ(resolve("/a%20b%2Fc%2fd").path, "/a b/c/d");
  EXPECT_EQ(resolve("/%252e").path, "/%2e") << "decoded once";
  EXPECT_EQ(resolve("//etc").path, "//etc") << "left to the site, which takes it beneath its root";
  EXPECT_EQ(resolve("/...").path, "/...");
  EXPECT_EQ(resolve("/..a/a../.").path, "/..a/a../.");
  EXPECT_EQ(resolve("http://host/x").path, "/x");
  EXPECT_EQ(resolve("HTTP://host:80").path, "/");
  EXPECT_EQ(resolve("http://[::1]?x").path, "/");
}

TEST(HttpTarget, IsRefusedWhenMalformed) {
  for (const char* target :
       {"*", "a", "host:80", "https://host/", "http:/", "http://", "http:///x", "http://:80/",
        "http://u@h/", "http://h:x/", "/%", "/%2", "/%zz", "/%0", "/a%00b", "/%00"}) {
    EXPECT_EQ(resolve(target).error, TargetError::malformed) << target;
  }
}

TEST(HttpTarget, NeverClimbs) {
  for (const char* target :
       {"/..", "/../", "/../x", "/a/..", "/a/../b", "//..//x", "/%2e%2e/x", "/.%2E/x", "/%2e%2e",
        "/a%2f..%2fb", "/..%2fx", "http://h/../x", "/.../../x"}) {
    EXPECT_EQ(resolve(target).error, TargetError::climbs) << target;
  }
}

}  // namespace
}  // namespace muxbench::http
