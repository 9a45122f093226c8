// kevent(2): changes, data, closing and waiting in an order that the input chooses, against a model
// that follows FreeBSD's kqueue(2). What is ready is asked of poll(2), descriptor by descriptor.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "compat/kevent.h"
#include "input.h"

namespace muxbench {
namespace {

using fuzz::expect;
using fuzz::Input;

constexpr std::size_t kSockets = 3;
constexpr std::array<short, 2> kFilters{EVFILT_READ, EVFILT_WRITE};
constexpr timespec kAtOnce{};

struct Filter {
  bool exists = false;
  bool enabled = false;
  bool oneshot = false;
  bool clear = false;
  bool fresh = false;  // it must fire if it is ready: with EV_CLEAR once, else as long as it is
  std::uintptr_t udata = 0;

  bool active() const { return exists && enabled; }
};

struct Socket {
  UniqueFd ours;
  UniqueFd peer;
  std::array<Filter, 2> filters;
};

struct Ready {
  std::array<bool, 2> fires{};
  std::array<bool, 2> ends{};
};

Ready ready_of(int fd) {
  pollfd asked{.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP, .revents = 0};
  ::poll(&asked, 1, 0);
  const bool broken = (asked.revents & (POLLHUP | POLLERR)) != 0;
  return {.fires = {broken || (asked.revents & (POLLIN | POLLRDHUP)) != 0,
                    broken || (asked.revents & POLLOUT) != 0},
          .ends = {broken || (asked.revents & POLLRDHUP) != 0, broken}};
}

class Play {
 public:
  explicit Play(Input input) : input_(input), queue_(::kqueue()) {
    expect(queue_.get() >= 0, "a queue");
    for (Socket& socket : sockets_) open(socket);
  }

  void run() {
    for (int steps = 0; !input_.empty() && steps < 200; ++steps) step();
    wait(8);
  }

 private:
  static void open(Socket& socket) {
    int pair[2];
    expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0,
           "two sockets");
    socket = {};
    socket.ours.reset(pair[0]);
    socket.peer.reset(pair[1]);
    constexpr int kSmall = 4096;  // so that it is soon full
    ::setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &kSmall, sizeof kSmall);
  }

  void step() {
    const unsigned what = input_.byte();
    Socket& socket = sockets_[what / 16 % kSockets];
    switch (what % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return make_changes(what / 16 % 4);
      case 5:
      case 6:
      case 7:
        return wait(1 + what / 16 % 7);
      case 8:
        return peer_says(socket);
      case 9:
        return take(socket.ours, 4096);
      case 10:
        return take(socket.ours, 1);
      case 11:
        return fill(socket);
      case 12:
        return drain(socket);
      case 13:
        return end(socket, what / 64);
      case 14:
        // Filters go with the descriptor.
        socket.ours.reset();
        socket.filters = {};
        return;
      default:
        return open(socket);
    }
  }

  void refresh(Socket& socket, std::size_t index) { socket.filters[index].fresh = true; }

  void peer_says(Socket& socket) {
    if (socket.peer && ::send(socket.peer.get(), "x", 1, MSG_NOSIGNAL) == 1) refresh(socket, 0);
  }
  static void take(const UniqueFd& fd, std::size_t most) {
    std::array<char, 4096> room;
    if (fd) static_cast<void>(::recv(fd.get(), room.data(), std::min(most, room.size()), 0));
  }
  static void fill(const Socket& socket) {
    const std::array<char, 4096> bytes{};
    while (socket.ours && ::send(socket.ours.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
    }
  }
  void drain(Socket& socket) {
    if (!socket.peer || !socket.ours) return;
    const bool was_full = !ready_of(socket.ours.get()).fires[1];
    std::array<char, 4096> room;
    while (::recv(socket.peer.get(), room.data(), room.size(), 0) > 0) {
    }
    if (was_full && ready_of(socket.ours.get()).fires[1]) refresh(socket, 1);
  }
  // An end that was there before is nothing new.
  void end(Socket& socket, unsigned how) {
    const Ready before = socket.ours ? ready_of(socket.ours.get()) : Ready{};
    if (how == 0 && socket.peer) ::shutdown(socket.peer.get(), SHUT_WR);
    if (how == 1 && socket.ours) ::shutdown(socket.ours.get(), SHUT_RD);
    if (how >= 2) socket.peer.reset();
    const Ready after = socket.ours ? ready_of(socket.ours.get()) : Ready{};
    for (std::size_t index = 0; index < 2; ++index) {
      if (after.ends[index] && !before.ends[index]) refresh(socket, index);
    }
  }

  struct Change {
    Socket* socket;
    std::size_t index;
    unsigned short flags;
    bool known;  // the filter and all flags
    struct kevent event;
  };

  Change any_change() {
    const unsigned what = input_.byte();
    const unsigned how = input_.byte();
    Socket& socket = sockets_[what % kSockets];
    const std::size_t index = what / 4 % 2;
    unsigned flags = 0;
    switch (how % 8) {
      case 0:
        flags = EV_DELETE;
        break;
      case 1:
        flags = EV_ENABLE;
        break;
      case 2:
        flags = EV_DISABLE;
        break;
      default:
        flags = EV_ADD;
        if ((how & 8) != 0) flags |= EV_CLEAR;
        if ((how & 16) != 0) flags |= EV_ONESHOT;
        if ((how & 32) != 0) flags |= EV_DISABLE;
    }
    if ((how & 64) != 0) flags |= EV_RECEIPT;
    bool known = true;
    short filter = kFilters[index];
    if (what >= 250) {
      filter = -77;
      known = false;
    } else if (what >= 245) {
      flags |= 0x0800;
      known = false;
    }
    Change change{&socket, index, static_cast<unsigned short>(flags), known, {}};
    EV_SET(&change.event, static_cast<std::uintptr_t>(socket.ours.get()), filter, change.flags, 0,
           0, reinterpret_cast<void*>(++last_tag_));
    return change;
  }

  // Makes the change in the model, and returns the errors that it may have.
  std::set<int> expected_errors(const Change& change) {
    if (!change.known) return {EINVAL};
    Filter& filter = change.socket->filters[change.index];
    if (!change.socket->ours) return {EBADF};
    if ((change.flags & EV_ADD) != 0) {
      filter = {.exists = true,
                .enabled = (change.flags & EV_DISABLE) == 0,
                .oneshot = (change.flags & EV_ONESHOT) != 0,
                .clear = (change.flags & EV_CLEAR) != 0,
                .fresh = true,
                .udata = last_tag_};
      return {0};
    }
    if (!filter.exists) return {ENOENT};
    if ((change.flags & EV_DELETE) != 0) filter = {};
    if ((change.flags & EV_ENABLE) != 0) filter.enabled = filter.fresh = true;
    if ((change.flags & EV_DISABLE) != 0) filter.enabled = false;
    return {0};
  }

  // One call with changes and with room for `room` events, which may be fewer than there are errors.
  void make_changes(unsigned room) {
    std::vector<struct kevent> changes;
    std::vector<std::pair<std::uintptr_t, std::set<int>>> told;  // what comes back, by tag
    bool over = false;
    bool fails = false;
    for (unsigned count = 1 + input_.byte() % 3; count > 0 && !over; --count) {
      const Change change = any_change();
      const std::set<int> errors = expected_errors(change);
      const bool is_error = !errors.contains(0);
      changes.push_back(change.event);
      if (!is_error && (change.flags & EV_RECEIPT) == 0) continue;
      if (told.size() < room) {
        told.emplace_back(last_tag_, errors);
      } else if (is_error) {
        over = fails = true;  // The changes after it are not made.
      }
    }
    std::vector<struct kevent> events(8);
    // Room for nothing else, or what is ready would come back too.
    const auto most = static_cast<int>(told.empty() ? 0 : room);
    const int count = ::kevent(queue_.get(), changes.data(), static_cast<int>(changes.size()),
                               events.data(), fails ? static_cast<int>(room) : most, &kAtOnce);
    if (fails) return expect(count == -1, "-1 where there is no room to tell an error");
    expect(count == static_cast<int>(told.size()), "each change that failed, and no event");
    for (std::size_t i = 0; i < told.size(); ++i) {
      expect((events[i].flags & EV_ERROR) != 0, "EV_ERROR");
      expect(told[i].second.contains(static_cast<int>(events[i].data)), "the documented error");
      expect(reinterpret_cast<std::uintptr_t>(events[i].udata) == told[i].first, "the change");
    }
  }

  struct Due {
    std::size_t must = 0;
    std::size_t may = 0;
  };

  void wait(std::size_t room) {
    std::array<Ready, kSockets> ready{};
    Due due;
    for (std::size_t i = 0; i < kSockets; ++i) {
      if (!sockets_[i].ours) continue;
      ready[i] = ready_of(sockets_[i].ours.get());
      for (std::size_t index = 0; index < 2; ++index) {
        const Filter& filter = sockets_[i].filters[index];
        if (!filter.active() || !ready[i].fires[index]) continue;
        ++due.may;
        if (filter.fresh || !filter.clear) ++due.must;
      }
    }
    std::vector<struct kevent> events(room);
    const int count =
        ::kevent(queue_.get(), nullptr, 0, events.data(), static_cast<int>(room), &kAtOnce);
    expect(count >= 0, "a number of events");
    events.resize(static_cast<std::size_t>(count));
    std::size_t reported = 0;  // of those that must be
    for (const struct kevent& event : events) reported += check(event, ready) ? 1 : 0;
    // A descriptor whose filters are all disabled may take a place when it is broken, and say nothing.
    if (room >= due.may + kSockets) expect(reported == due.must, "every filter that is ready");
    expect(due.must == 0 || count > 0, "one event at least");
  }

  // Whether the event is one that must come; it is dealt with in the model.
  bool check(const struct kevent& event, const std::array<Ready, kSockets>& ready) {
    const auto socket = std::find_if(sockets_.begin(), sockets_.end(), [&](const Socket& one) {
      return one.ours && static_cast<std::uintptr_t>(one.ours.get()) == event.ident;
    });
    expect(socket != sockets_.end(), "the event of an open descriptor");
    expect(event.filter == EVFILT_READ || event.filter == EVFILT_WRITE, "a filter");
    const std::size_t index = event.filter == EVFILT_READ ? 0 : 1;
    Filter& filter = socket->filters[index];
    const Ready& state = ready[static_cast<std::size_t>(socket - sockets_.begin())];
    expect(filter.active(), "a filter that is enabled");
    expect(state.fires[index], "a filter that is ready");
    expect(reinterpret_cast<std::uintptr_t>(event.udata) == filter.udata, "its own udata");
    expect(((event.flags & EV_EOF) != 0) == state.ends[index], "EV_EOF at the end only");
    expect((event.flags & EV_ERROR) == 0, "no error");
    const bool must = filter.fresh || !filter.clear;
    filter.fresh = false;
    if (filter.oneshot) filter = {};
    return must;
  }

  Input input_;
  UniqueFd queue_;
  std::array<Socket, kSockets> sockets_;
  std::uintptr_t last_tag_ = 0;
};

}  // namespace
}  // namespace muxbench

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muxbench::Play({data, size}).run();
  return 0;
}
