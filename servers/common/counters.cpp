#include "common/counters.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>
#include <span>
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
int memory_fd = -1;
pid_t owner = 0;

constexpr int kInherited = STDERR_FILENO + 1;  // where an executed program finds the memory

// fmt allocates and std::ofstream locks, and neither is allowed where the stop signal's deadline
// ends the process. std::to_chars does neither.
class Writer {
 public:
  explicit Writer(int fd) noexcept : fd_(fd) {}
  ~Writer() { flush(); }
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

 private:
  void flush() noexcept {
    for (std::size_t done = 0; done < used_;) {
      const ssize_t written = ::write(fd_, buffer_.data() + done, used_ - done);
      if (written < 0 && errno != EINTR) break;
      if (written > 0) done += static_cast<std::size_t>(written);
    }
    used_ = 0;
  }

  int fd_;
  std::array<char, 1024> buffer_;
  std::size_t used_ = 0;
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
  output = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (output < 0) {
    return make_error("cannot write {}: {}; name another file with --counters", file,
                      describe(last_errno()));
  }
  return {};
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

void write_file() noexcept {
  if (::getpid() != owner) return;  // a child that inherited the descriptor
  const int fd = output.exchange(-1);
  if (fd < 0) return;
  {
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
  }
  ::close(fd);
}

}  // namespace muxbench::counters
