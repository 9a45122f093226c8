#include "http/document_root.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace muxbench {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;

// A root with a secret beside it.
class DocumentRootTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "document_root_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    root_ = folder_ / "root";
    fs::create_directories(root_ / "sub");
    write(folder_ / "secret", "secret");
    write(root_ / "index.html", "home");
    write(root_ / "a.txt", "text");
    serve({.most_documents = 16, .trusted_for = Nanoseconds(0)});
  }
  void TearDown() override { fs::remove_all(folder_); }

  void serve(DocumentRoot::Limits limits) {
    auto opened = DocumentRoot::open(root_, limits);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    site_ = std::move(*opened);
  }
  static void write(const fs::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  // For files that are known not to shrink: only then may a program look at a mapping.
  static std::string text_of(const DocumentRef& document) {
    return {reinterpret_cast<const char*>(document->bytes().data()), document->bytes().size()};
  }
  std::string get(std::string_view path) {
    const LookupResult result = site_->find(path);
    switch (result.outcome) {
      case Lookup::found:
        return text_of(result.document);
      case Lookup::not_found:
        return "(404)";
      case Lookup::forbidden:
        return "(403)";
      case Lookup::unavailable:
        break;
    }
    return "(503)";
  }

  fs::path folder_;
  fs::path root_;
  std::unique_ptr<DocumentRoot> site_;
};

TEST_F(DocumentRootTest, FindsFilesAndIndexes) {
  write(root_ / "sub" / "index.html", "sub home");
  write(root_ / "a b", "spaces");
  EXPECT_EQ(get("/"), "home");
  EXPECT_EQ(get("/index.html"), "home");
  EXPECT_EQ(get("/a.txt"), "text");
  EXPECT_EQ(get("/sub"), "sub home");
  EXPECT_EQ(get("/sub/"), "sub home");
  EXPECT_EQ(get("/sub/./index.html"), "sub home");
  EXPECT_EQ(get("/a b"), "spaces");
  EXPECT_EQ(get("//a.txt"), "text") << "absolute paths begin at the root too";
}

TEST_F(DocumentRootTest, SaysWhatIsNotThere) {
  EXPECT_EQ(get("/absent"), "(404)");
  EXPECT_EQ(get("/absent/"), "(404)");
  EXPECT_EQ(get("/a.txt/"), "(404)") << "a file is not a folder";
  EXPECT_EQ(get("/a.txt/b"), "(404)");
  EXPECT_EQ(get("/sub"), "(403)") << "a folder without index.html";
  EXPECT_EQ(get("/" + std::string(300, 'x')), "(404)") << "longer than a name can be";
  EXPECT_EQ(get("/" + std::string(8000, 'x')), "(404)") << "longer than a path can be";
}

// HTTP refuses ".." before it asks; this is the second wall.
TEST_F(DocumentRootTest, NeverLeavesTheRoot) {
  for (const char* path :
       {"/../secret", "/sub/../../secret", "//../secret", "/./../secret", "/..//secret", "/.."}) {
    EXPECT_EQ(get(path), "(403)") << path;
  }
  EXPECT_EQ(get((folder_ / "secret").string()), "(404)");
  EXPECT_EQ(get(fmt::format("/{}", (folder_ / "secret").string())), "(404)");
  EXPECT_EQ(get("/sub/../a.txt"), "text") << "inside, .. is harmless";
}

TEST_F(DocumentRootTest, FollowsLinksOnlyInside) {
  fs::create_symlink("../secret", root_ / "out");
  fs::create_symlink(folder_ / "secret", root_ / "absolute");
  fs::create_symlink(root_ / "a.txt", root_ / "absolute_inside");
  fs::create_directory_symlink("..", root_ / "up");
  fs::create_symlink("/proc/self/root", root_ / "magic");
  fs::create_symlink("a.txt", root_ / "in");
  fs::create_symlink("loop", root_ / "loop");
  EXPECT_EQ(get("/out"), "(403)");
  EXPECT_EQ(get("/absolute"), "(403)");
  EXPECT_EQ(get("/absolute_inside"), "(403)") << "RESOLVE_BENEATH refuses every absolute link";
  EXPECT_EQ(get("/up/secret"), "(403)");
  EXPECT_EQ(get("/magic/etc/passwd"), "(403)");
  EXPECT_EQ(get("/loop"), "(403)");
  EXPECT_EQ(get("/in"), "text");
}

TEST_F(DocumentRootTest, OpensRegularFilesOnlyAndNeverWaits) {
  ASSERT_EQ(::mkfifo((root_ / "fifo").c_str(), 0600), 0);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string path = root_ / "socket";
  ASSERT_LT(path.size(), sizeof(address.sun_path));
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(get("/fifo"), "(403)") << "this test hangs if it waits for a writer";
  EXPECT_EQ(get("/socket"), "(403)");
  EXPECT_EQ(site_->cached(), 0U);
}

TEST_F(DocumentRootTest, RefusesUnreadableFiles) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read every file, so none is unreadable";
  fs::permissions(root_ / "a.txt", fs::perms::none);
  EXPECT_EQ(get("/a.txt"), "(403)");
}

TEST_F(DocumentRootTest, ServesEmptyFiles) {
  write(root_ / "empty.txt", "");
  const LookupResult result = site_->find("/empty.txt");
  ASSERT_EQ(result.outcome, Lookup::found);
  EXPECT_TRUE(result.document->bytes().empty());
  EXPECT_EQ(result.document->head(),
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\n");
}

TEST_F(DocumentRootTest, KnowsContentTypes) {
  const auto type_of = [&](const std::string& name) {
    write(root_ / name, "x");
    const LookupResult result = site_->find("/" + name);
    return result.document ? std::string(result.document->head()) : "";
  };
  using testing::StartsWith;
  EXPECT_THAT(type_of("a.html"), StartsWith("Content-Type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(type_of("a.min.js"), StartsWith("Content-Type: text/javascript"));
  EXPECT_THAT(type_of("a.png"), StartsWith("Content-Type: image/png\r\n"));
  EXPECT_THAT(type_of("plain"), StartsWith("Content-Type: application/octet-stream\r\n"));
  EXPECT_THAT(site_->find("/").document->head(), StartsWith("Content-Type: text/html"));
}

TEST_F(DocumentRootTest, TrustsAFreshDocument) {
  serve({.most_documents = 16, .trusted_for = hours(1)});
  EXPECT_EQ(get("/a.txt"), "text");
  const Document* const before = site_->find("/a.txt").document.get();
  fs::rename(root_ / "a.txt", root_ / "moved");
  EXPECT_EQ(site_->find("/a.txt").document.get(), before);
}

TEST_F(DocumentRootTest, SeesChangesWhenItLooksAgain) {
  EXPECT_EQ(get("/a.txt"), "text");
  const DocumentRef before = site_->find("/a.txt").document;
  EXPECT_EQ(site_->find("/a.txt").document.get(), before.get()) << "unchanged: not mapped again";

  write(root_ / "new", "a longer text");
  fs::rename(root_ / "new", root_ / "a.txt");
  EXPECT_EQ(get("/a.txt"), "a longer text");
  EXPECT_EQ(text_of(before), "text") << "a body in flight keeps what it was";

  fs::remove(root_ / "a.txt");
  EXPECT_EQ(get("/a.txt"), "(404)");
  EXPECT_EQ(site_->cached(), 0U);
}

TEST_F(DocumentRootTest, AFileThatShrinksFailsTheSendAndNothingElse) {
  const std::size_t size = 1 << 20;
  write(root_ / "large", std::string(size, 'x'));
  const DocumentRef document = site_->find("/large").document;
  ASSERT_TRUE(document);
  fs::resize_file(root_ / "large", 0);

  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const UniqueFd mine(pair[0]);
  const UniqueFd theirs(pair[1]);
  EXPECT_EQ(::send(mine.get(), document->bytes().data(), size, MSG_NOSIGNAL | MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, EFAULT);
  EXPECT_EQ(get("/large"), "") << "the next request sees the file as it is";
}

TEST_F(DocumentRootTest, KeepsABoundedNumber) {
  serve({.most_documents = 4, .trusted_for = hours(1)});
  const DocumentRef held = site_->find("/a.txt").document;
  for (int i = 0; i < 20; ++i) {
    write(root_ / std::to_string(i), fmt::format("number {}", i));
    EXPECT_EQ(get(fmt::format("/{}", i)), fmt::format("number {}", i));
    EXPECT_LE(site_->cached(), 4U);
  }
  EXPECT_EQ(site_->cached(), 4U);
  EXPECT_EQ(text_of(held), "text") << "forgotten, but still held here";
}

TEST_F(DocumentRootTest, ServesManyThreads) {
  serve({.most_documents = 4, .trusted_for = std::chrono::microseconds(50)});
  for (int i = 0; i < 8; ++i) write(root_ / std::to_string(i), std::to_string(i));
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 4000; ++i) {
          const std::string name = std::to_string((i * 7 + t) % 8);
          const LookupResult result = site_->find(fmt::format("/{}", name));
          if (result.outcome != Lookup::found || text_of(result.document) != name) ++wrong;
          if (site_->date().size() != 29) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(site_->cached(), 4U);
}

TEST_F(DocumentRootTest, WorksInAForkedChild) {
  EXPECT_EQ(get("/a.txt"), "text");
  const pid_t child = ::fork();
  if (child == 0) ::_exit(get("/a.txt") == "text" && get("/") == "home" ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(DocumentRootTest, TellsTheDate) {
  const std::time_t before = std::time(nullptr) - 1;  // the coarse clock may lag by a tick
  const std::string date(site_->date());
  const std::time_t after = std::time(nullptr);
  std::tm parsed{};
  const char* const end = ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parsed);
  ASSERT_TRUE(end != nullptr && *end == '\0') << date;
  char again[40];
  const std::time_t time = ::timegm(&parsed);
  std::strftime(again, sizeof(again), "%a, %d %b %Y %H:%M:%S GMT", &parsed);
  EXPECT_EQ(date, again) << "the weekday too";
  EXPECT_GE(time, before);
  EXPECT_LE(time, after);
}

TEST_F(DocumentRootTest, AFolderThatIsNotThereIsNamed) {
  const auto absent = DocumentRoot::open(folder_ / "absent");
  ASSERT_FALSE(absent.ok());
  EXPECT_THAT(absent.error().message, testing::HasSubstr("absent"));
  EXPECT_THAT(absent.error().message, testing::HasSubstr("--root"));
  EXPECT_FALSE(DocumentRoot::open(folder_ / "secret").ok()) << "a file is not a folder";
}

}  // namespace
}  // namespace muxbench
