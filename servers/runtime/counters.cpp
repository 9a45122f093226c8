#include "runtime/counters.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>
#include <span>
#include <string>
#include <string_view>

namespace muxbench::counters {
namespace {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "it is shared between processes");

struct alignas(WorkerCounters) Shared {
  std::atomic<unsigned> ready = 0;
  std::atomic<Clock::time_point> next_accept_attempt{};
};
Shared* shared = nullptr;                    // a group's memory begins with this,
std::span<WorkerCounters> workers_counters;  // and goes on with these
std::atomic<int> output = -1;
std::string output_name;
int memory_fd = -1;
pid_t owner = 0;

constexpr int kInherited = STDERR_FILENO + 1;  // where an executed program finds the memory

// fmt allocates and std::ofstream locks, and neither is allowed where the stop signal's deadline
// ends the process. std::to_chars does neither.
class Writer {
 public:
  explicit Writer(int fd) noexcept : fd_(fd) {}
  Writer(const Writer&) = delete;

  Writer& operator<<(std::string_view text) noexcept {
    if (buffer_.size() - used_ < text.size()) flush();
    text.copy(buffer_.data() + used_, text.size());
    used_ += text.size();
    return *this;
  }
  Writer& operator<<(std::uint64_t number) noexcept {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    return *this << std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
  }

  // Is everything so far in the file? Else errno tells why.
  bool flush() noexcept {
    for (std::size_t done = 0; done < used_ && ok_;) {
      const ssize_t written = ::write(fd_, buffer_.data() + done, used_ - done);
      ok_ = written > 0 || (written < 0 && errno == EINTR);
      if (written > 0) done += static_cast<std::size_t>(written);
    }
    used_ = 0;
    return ok_;
  }

 private:
  int fd_;
  std::array<char, 1024> buffer_;
  std::size_t used_ = 0;
  bool ok_ = true;
};

std::uint64_t sum(std::atomic<std::uint64_t> WorkerCounters::*counter) noexcept {
  std::uint64_t total = 0;
  for (const WorkerCounters& worker : workers_counters) total += worker.*counter;
  return total;
}

std::size_t size_for(unsigned workers) noexcept {
  return sizeof(Shared) + workers * sizeof(WorkerCounters);
}

void* map(int fd, std::size_t size) noexcept {
  return ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

// Not a FIFO or a socket: a reader would have to be waited for, and could go away again. O_NONBLOCK
// is for them alone.
Result<> open_output(const std::string& file) {
  output_name = file;
  output = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0644);
  struct stat status {};
  if (output >= 0 && ::fstat(output, &status) == 0 &&
      (S_ISREG(status.st_mode) || S_ISCHR(status.st_mode))) {
    return {};
  }
  const std::string reason =
      output >= 0 || errno == ENXIO ? "it is no regular file" : describe(last_errno());
  return make_error("cannot write {}: {}; name another file with --counters", file, reason);
}

}  // namespace

Result<> set_up(unsigned workers, const std::string& file) {
  owner = ::getpid();
  const std::size_t size = size_for(workers);
  memory_fd = ::memfd_create("counters", MFD_CLOEXEC);
  void* const memory =
      ::ftruncate(memory_fd, static_cast<off_t>(size)) == 0 ? map(memory_fd, size) : MAP_FAILED;
  if (memory == MAP_FAILED) {
    return make_error("cannot share memory for counters: {}", describe(last_errno()));
  }
  shared = new (memory) Shared;
  workers_counters = {new (shared + 1) WorkerCounters[workers], workers};
  if (file.empty()) return {};
  return open_output(file);
}

// dup2(2) clears close-on-exec.
void share_with_program() noexcept { ::dup2(memory_fd, kInherited); }

Result<> join() {
  void* const memory = map(kInherited, size_for(1));
  if (memory == MAP_FAILED) return set_up(1, {});
  ::close(kInherited);
  shared = static_cast<Shared*>(memory);
  workers_counters = {reinterpret_cast<WorkerCounters*>(shared + 1), 1};
  return {};
}

WorkerCounters& of_worker(unsigned worker) noexcept { return workers_counters[worker]; }

std::uint64_t fewest_open() noexcept {
  std::uint64_t fewest = UINT64_MAX;
  for (const WorkerCounters& worker : workers_counters) {
    fewest = std::min(fewest, worker.open.load(std::memory_order_relaxed));
  }
  return fewest;
}

unsigned one_more_is_ready() noexcept { return ++shared->ready; }

std::atomic<Clock::time_point>& next_accept_attempt() noexcept {
  return shared->next_accept_attempt;
}

bool write_file_at_once() noexcept {
  if (::getpid() != owner) return true;  // a child that inherited the descriptor
  const int fd = output.exchange(-1);
  if (fd < 0) return true;
  Writer json(fd);
  json << R"({"accepted":)" << sum(&WorkerCounters::accepted);
  json << R"(,"requests":)" << sum(&WorkerCounters::requests);
  json << R"(,"refused":)" << sum(&WorkerCounters::refused);
  const std::uint64_t rounds = sum(&WorkerCounters::rounds);
  if (rounds != 0) json << R"(,"rounds":)" << rounds;
  json << R"(,"workers":[)";
  std::string_view separator = "";
  for (const WorkerCounters& worker : workers_counters) {
    json << separator << R"({"accepted":)" << worker.accepted;
    json << R"(,"requests":)" << worker.requests << "}";
    separator = ",";
  }
  json << "]}\n";
  // A disk of another machine may say only here that it is full.
  return json.flush() && ::close(fd) == 0;
}

Result<> write_file() {
  if (write_file_at_once()) return {};
  return make_error("cannot write {}: {}; make room for it, or name another file with --counters",
                    output_name, describe(last_errno()));
}

}  // namespace muxbench::counters
