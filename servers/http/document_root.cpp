#include "http/document_root.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <mutex>

namespace muxbench {
namespace {

struct ContentType {
  std::string_view extension;
  std::string_view name;
};

constexpr std::array kContentTypes{
    ContentType{"html", "text/html; charset=utf-8"},
    ContentType{"txt", "text/plain; charset=utf-8"},
    ContentType{"css", "text/css; charset=utf-8"},
    ContentType{"js", "text/javascript; charset=utf-8"},
    ContentType{"json", "application/json"},
    ContentType{"xml", "application/xml"},
    ContentType{"svg", "image/svg+xml"},
    ContentType{"png", "image/png"},
    ContentType{"jpg", "image/jpeg"},
    ContentType{"gif", "image/gif"},
    ContentType{"ico", "image/x-icon"},
    ContentType{"wasm", "application/wasm"},
    ContentType{"pdf", "application/pdf"},
};

std::string_view content_type(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos) {
    for (const ContentType& type : kContentTypes) {
      if (type.extension == name.substr(dot + 1)) return type.name;
    }
  }
  return "application/octet-stream";
}

struct Unmap {
  std::size_t size;
  void operator()(void* at) const noexcept { ::munmap(at, size); }
};
using Mapping = std::unique_ptr<void, Unmap>;

class MappedDocument final : public Document {
 public:
  MappedDocument(Mapping mapping, std::string_view type)
      : Document({static_cast<const std::byte*>(mapping.get()), mapping.get_deleter().size}, type),
        mapping_(std::move(mapping)) {}

 private:
  Mapping mapping_;
};

// Empty if there is no memory for it.
DocumentRef map(int file, std::size_t size, std::string_view type) {
  Mapping mapping(nullptr, Unmap{size});
  if (size != 0) {  // mmap(2) refuses a length of 0
    void* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (at == MAP_FAILED) return {};
    mapping.reset(at);
  }
  return DocumentRef(new MappedDocument(std::move(mapping), type));
}

// RESOLVE_BENEATH makes "..", absolute paths and symbolic links that would leave the root fail with
// EXDEV, in the kernel and without a race. O_NONBLOCK: opening a FIFO must not wait for its writer.
UniqueFd open_beneath(int root, const char* path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed while ".." of a link was being resolved, and the kernel cannot
  // tell whether it escaped. openat2(2) says to try again.
  for (int attempt = 0; attempt < 8; ++attempt) {
    const long fd = ::syscall(SYS_openat2, root, path, &how, sizeof(how));
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return {};
}

Lookup outcome_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
      return Lookup::not_found;
    case EACCES:
    case EPERM:
    case EXDEV:
    case ELOOP:
    case ENXIO:  // a socket, or a device without a driver
    case ENODEV:
      return Lookup::forbidden;
    default:
      return Lookup::unavailable;
  }
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

timespec read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);  // the coarse clocks cost about 5 ns and lag by one timer tick
  return now;
}

}  // namespace

Result<std::unique_ptr<DocumentRoot>> DocumentRoot::open(const std::string& folder) {
  return open(folder, Limits{});
}

Result<std::unique_ptr<DocumentRoot>> DocumentRoot::open(const std::string& folder, Limits limits) {
  UniqueFd root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) {
    return make_error("cannot serve the folder {}: {}; name a folder with --root", folder,
                      describe(last_errno()));
  }
  std::unique_ptr<DocumentRoot> site(new DocumentRoot(folder, std::move(root), limits));
  if (const auto checked = site->check(); !checked) return checked.error();
  return site;
}

Result<> DocumentRoot::check() const {
  if (open_beneath(root_.get(), ".", O_DIRECTORY)) return {};
  if (errno == ENOSYS || errno == EPERM) {
    return Error{fmt::format("openat2 is not to be had here ({}), so files cannot be kept "
                             "beneath the root; use Linux 5.6 or newer, or a sandbox that "
                             "allows it",
                             describe(last_errno())),
                 Exit::unavailable};
  }
  return make_error(
      "cannot read the folder {}: {}; make it readable for the user that serves (--user)", folder_,
      describe(last_errno()));
}

LookupResult DocumentRoot::find(std::string_view path) noexcept {
  try {
    const std::int64_t now = nanoseconds(read_clock(CLOCK_MONOTONIC_COARSE));
    DocumentRef known;
    Version version{};
    {
      const std::shared_lock lock(mutex_);
      if (const auto at = entries_.find(path); at != entries_.end()) {
        Entry& entry = at->second;
        std::int64_t checked = entry.checked_ns.load(std::memory_order_relaxed);
        // The thread that moves the time on looks at the file; the others need not wait for it.
        if (now - checked < limits_.trusted_for.count() ||
            !entry.checked_ns.compare_exchange_strong(checked, now, std::memory_order_relaxed)) {
          return {Lookup::found, entry.document};
        }
        known = entry.document;
        version = entry.version;
      }
    }
    return refresh(path, now, std::move(known), version);
  } catch (const std::exception&) {  // no memory, or no lock
    return {Lookup::unavailable};
  }
}

// What the path means now; `known` is what it meant before, if anything.
LookupResult DocumentRoot::refresh(std::string_view path, std::int64_t now_ns, DocumentRef known,
                                   const Version& version) {
  UniqueFd file;
  struct stat status {};
  std::string name(path.substr(std::min(path.find_first_not_of('/'), path.size())));
  const Lookup outcome = open_file(name, file, status);
  // Out of descriptors: better content that was right a second ago than none.
  if (outcome == Lookup::unavailable && known) return {Lookup::found, std::move(known)};
  if (outcome != Lookup::found) {
    if (known) {
      const std::unique_lock lock(mutex_);
      if (const auto at = entries_.find(path); at != entries_.end()) entries_.erase(at);
    }
    return {outcome};
  }
  const Version current{status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
                        nanoseconds(status.st_ctim)};
  if (known && current == version) return {Lookup::found, std::move(known)};

  DocumentRef document =
      map(file.get(), static_cast<std::size_t>(status.st_size), content_type(name));
  if (!document) return {Lookup::unavailable};
  keep(path, now_ns, document, current);
  return {Lookup::found, std::move(document)};
}

// On success `path` is the name of the file, which for a directory is its index.html.
Lookup DocumentRoot::open_file(std::string& path, UniqueFd& file, struct stat& status) const {
  if (path.empty()) path = ".";
  for (const bool may_be_directory : {true, false}) {
    UniqueFd opened = open_beneath(root_.get(), path.c_str(), 0);
    if (!opened) {
      // The directory is there, only its index is not: as if its list were not to be had.
      const bool no_index = !may_be_directory && errno == ENOENT;
      return no_index ? Lookup::forbidden : outcome_of(errno);
    }
    file = std::move(opened);
    if (::fstat(file.get(), &status) != 0) return Lookup::unavailable;
    if (S_ISREG(status.st_mode)) return Lookup::found;
    if (!S_ISDIR(status.st_mode)) return Lookup::forbidden;
    path += path.ends_with('/') ? "index.html" : "/index.html";
  }
  return Lookup::forbidden;
}

// Makes room by forgetting whatever was not asked for longest: since a document in use is checked
// every second, the time of its check tells. A body in flight holds its document on its own.
void DocumentRoot::keep(std::string_view path, std::int64_t now_ns, const DocumentRef& document,
                        const Version& version) {
  const std::unique_lock lock(mutex_);
  auto at = entries_.find(path);
  if (at == entries_.end()) {
    while (!entries_.empty() && entries_.size() >= limits_.most_documents) {
      entries_.erase(
          std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
            return a.second.checked_ns.load(std::memory_order_relaxed) <
                   b.second.checked_ns.load(std::memory_order_relaxed);
          }));
    }
    at = entries_.try_emplace(std::string(path)).first;
  }
  at->second.document = document;
  at->second.version = version;
  at->second.checked_ns.store(now_ns, std::memory_order_relaxed);
}

std::size_t DocumentRoot::cached() const {
  const std::shared_lock lock(mutex_);
  return entries_.size();
}

// Each thread writes its own text once a second, so nobody waits and nobody reads half a date. Not
// strftime(3), which follows the locale, nor gmtime_r(3), which takes a lock that a forked child
// could inherit locked.
std::string_view DocumentRoot::date() noexcept {
  thread_local std::time_t written = -1;
  thread_local std::array<char, 40> text;
  thread_local std::size_t size = 0;
  const std::time_t now = read_clock(CLOCK_REALTIME_COARSE).tv_sec;
  if (now != written) {
    written = now;
    constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
    constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const std::chrono::sys_seconds time{std::chrono::seconds(now)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    const auto end = fmt::format_to_n(
        text.data(), text.size(), "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        kDays.substr(std::size_t{3} * std::chrono::weekday(day).c_encoding(), 3),
        unsigned{date.day()}, kMonths.substr(std::size_t{3} * (unsigned{date.month()} - 1), 3),
        int{date.year()}, clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    size = std::min(end.size, text.size());
  }
  return {text.data(), size};
}

}  // namespace muxbench
