#include "base/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace muxbench {
namespace {

TEST(Directory, HasItsNamesInOrder) {
  EXPECT_THAT(names_in("/proc/self"), testing::IsSupersetOf({"exe", "fd", "stat", "task"}));
  EXPECT_TRUE(std::ranges::is_sorted(names_in("/proc/self")));
  EXPECT_THAT(names_in("/proc/self/task"), testing::Not(testing::IsEmpty()));
}

TEST(Directory, ThatIsNotThereHasNone) {
  EXPECT_THAT(names_in("/nowhere/at/all"), testing::IsEmpty());
  EXPECT_THAT(names_in("/proc/self/stat"), testing::IsEmpty());
  EXPECT_FALSE(exists("/nowhere/at/all"));
  EXPECT_TRUE(exists("/proc"));
}

TEST(Directory, ForTemporaryFilesIsTmpdirOrElseTmp) {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/var/tmp", 1);
  EXPECT_EQ(temporary_folder(), "/var/tmp");
  ::setenv("TMPDIR", "", 1);
  EXPECT_EQ(temporary_folder(), "/tmp");
  ::unsetenv("TMPDIR");
  EXPECT_EQ(temporary_folder(), "/tmp");
  if (before != nullptr) ::setenv("TMPDIR", kept.c_str(), 1);
}

TEST(FindProgram, FindsWhatTheShellWouldExecute) {
  EXPECT_EQ(find_program("/bin/sh"), "/bin/sh");
  EXPECT_TRUE(find_program("sh").ends_with("/sh")) << find_program("sh");
  for (const char* none : {"", "no_such_program", "/nowhere/sh", "/proc", "/etc/passwd"}) {
    EXPECT_EQ(find_program(none), "") << none;
  }
}

TEST(Directory, MayVanishWhileItIsRead) {
  for (int round = 0; round < 200; ++round) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    const std::string tasks = "/proc/" + std::to_string(child) + "/task";
    for (int look = 0; look < 20; ++look) names_in(tasks);
    ::waitpid(child, nullptr, 0);
    EXPECT_THAT(names_in(tasks), testing::IsEmpty());
  }
}

}  // namespace
}  // namespace muxbench
