// kevent(2) as FreeBSD's kqueue(2) describes it, whatever stands behind it here. Each test names
// the sentence that it holds the backend to.
#include "compat/kevent.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace muxbench {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr timespec kAtOnce{};

struct Kevent : ::testing::Test {
  Kevent() {
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    ours.reset(pair[0]);
    peer.reset(pair[1]);
  }

  static void* tag(std::uintptr_t number) { return reinterpret_cast<void*>(number); }

  struct kevent change(short filter, int flags, void* udata = nullptr) const {
    return change_of(ours.get(), filter, flags, udata);
  }
  static struct kevent change_of(int fd, short filter, int flags, void* udata = nullptr) {
    struct kevent change;
    EV_SET(&change, static_cast<std::uintptr_t>(fd), filter, static_cast<unsigned short>(flags), 0,
           0, udata);
    return change;
  }

  // 0, or errno of a change that is made without room for an event.
  int apply(const struct kevent& change) const {
    return ::kevent(queue.get(), &change, 1, nullptr, 0, nullptr) == 0 ? 0 : errno;
  }

  std::vector<struct kevent> poll(std::size_t room = 8) const {
    std::vector<struct kevent> events(room);
    const int count =
        ::kevent(queue.get(), nullptr, 0, events.data(), static_cast<int>(room), &kAtOnce);
    EXPECT_GE(count, 0) << "errno " << errno;
    events.resize(static_cast<std::size_t>(std::max(count, 0)));
    return events;
  }

  void peer_says(const std::string& text) const {
    ASSERT_EQ(::send(peer.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  void read_all() const {
    char buffer[256];
    while (::recv(ours.get(), buffer, sizeof buffer, 0) > 0) {
    }
  }
  void fill() const {
    const std::vector<char> bytes(65536);
    while (::send(ours.get(), bytes.data(), bytes.size(), 0) > 0) {
    }
  }
  void drain_peer() const {
    std::vector<char> buffer(65536);
    while (::recv(peer.get(), buffer.data(), buffer.size(), 0) > 0) {
    }
  }

  UniqueFd queue{::kqueue()};
  UniqueFd ours;
  UniqueFd peer;
};

auto is(short filter, std::uintptr_t tag) {
  return AllOf(Field(&kevent::filter, filter), Field(&kevent::udata, reinterpret_cast<void*>(tag)));
}

// "EV_ADD: Adds the event to the kqueue."
TEST_F(Kevent, AddReportsReadinessWithItsIdentAndUdata) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD, tag(7))), 0);
  EXPECT_THAT(poll(), IsEmpty());
  peer_says("x");
  const auto events = poll();
  ASSERT_THAT(events, ElementsAre(is(EVFILT_READ, 7)));
  EXPECT_EQ(events[0].ident, static_cast<std::uintptr_t>(ours.get()));
  EXPECT_EQ(events[0].flags & EV_EOF, 0);
}

// Without EV_CLEAR a filter reports for as long as its condition holds.
TEST_F(Kevent, IsLevelTriggeredByDefault) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD)), 0);
  peer_says("x");
  EXPECT_THAT(poll(), SizeIs(1));
  EXPECT_THAT(poll(), SizeIs(1));
  read_all();
  EXPECT_THAT(poll(), IsEmpty());
}

// "EV_CLEAR: After the event is retrieved by the user, its state is reset."
TEST_F(Kevent, ClearReportsEachChangeOnce) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD | EV_CLEAR)), 0);
  peer_says("x");
  EXPECT_THAT(poll(), SizeIs(1));
  EXPECT_THAT(poll(), IsEmpty()) << "nothing has come since";
  peer_says("y");
  EXPECT_THAT(poll(), SizeIs(1)) << "although x was not read";
}

TEST_F(Kevent, ClearReportsWhatWasThereBeforeItWasAdded) {
  peer_says("x");
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD | EV_CLEAR)), 0);
  EXPECT_THAT(poll(), SizeIs(1));
}

// "Re-adding an existing event will modify the parameters of the original event, and not result in
// a duplicate entry."
TEST_F(Kevent, AddingAgainModifies) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD, tag(1))), 0);
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD, tag(2))), 0);
  peer_says("x");
  EXPECT_THAT(poll(), ElementsAre(is(EVFILT_READ, 2)));
}

// "Adding an event automatically enables it, unless overridden by the EV_DISABLE flag."
TEST_F(Kevent, AddEnablesUnlessDisableIsSet) {
  peer_says("x");
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD | EV_DISABLE)), 0);
  EXPECT_THAT(poll(), IsEmpty());
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD)), 0);
  EXPECT_THAT(poll(), SizeIs(1));
}

// "EV_DISABLE: Disable event so kevent() will not return it. The filter itself is not disabled."
// "EV_ENABLE: Permit kevent() to return the event if it is triggered."
TEST_F(Kevent, DisableHidesAndEnableShowsAgain) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD, tag(3))), 0);
  ASSERT_EQ(apply(change(EVFILT_READ, EV_DISABLE)), 0);
  peer_says("x");
  EXPECT_THAT(poll(), IsEmpty());
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ENABLE, tag(3))), 0);
  EXPECT_THAT(poll(), ElementsAre(is(EVFILT_READ, 3)));
}

TEST_F(Kevent, ADisabledFilterHidesTheEndOfFileTooWithoutBusyWaiting) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD)), 0);
  ASSERT_EQ(apply(change(EVFILT_READ, EV_DISABLE)), 0);
  peer.reset();
  std::array<struct kevent, 4> events;
  const timespec some{.tv_sec = 0, .tv_nsec = 20'000'000};
  EXPECT_EQ(::kevent(queue.get(), nullptr, 0, events.data(), 4, &some), 0);
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ENABLE)), 0);
  EXPECT_THAT(poll(), SizeIs(1));
}

// "EV_ONESHOT: Causes the event to return only the first occurrence of the filter being triggered.
// After the user retrieves the event from the kqueue, it is deleted."
TEST_F(Kevent, OneshotIsDeletedOnceRetrieved) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD | EV_ONESHOT)), 0);
  peer_says("x");
  EXPECT_THAT(poll(), SizeIs(1));
  EXPECT_THAT(poll(), IsEmpty()) << "x is still unread";
  EXPECT_EQ(apply(change(EVFILT_READ, EV_DELETE)), ENOENT);
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD | EV_ONESHOT)), 0);
  EXPECT_THAT(poll(), SizeIs(1)) << "it can be added again";
}

TEST_F(Kevent, OneshotLeavesTheOtherFilterAlone) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD | EV_ONESHOT, tag(1))), 0);
  ASSERT_EQ(apply(change(EVFILT_WRITE, EV_ADD, tag(2))), 0);
  peer_says("x");
  EXPECT_THAT(poll(), UnorderedElementsAre(is(EVFILT_READ, 1), is(EVFILT_WRITE, 2)));
  EXPECT_THAT(poll(), ElementsAre(is(EVFILT_WRITE, 2)));
}

// "EV_DELETE: Removes the event from the kqueue."
TEST_F(Kevent, DeleteRemoves) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD)), 0);
  peer_says("x");
  ASSERT_EQ(apply(change(EVFILT_READ, EV_DELETE)), 0);
  EXPECT_THAT(poll(), IsEmpty());
}

// "[ENOENT] The event could not be found to be modified or deleted."
TEST_F(Kevent, ChangesToWhatWasNeverAddedAreNotFound) {
  for (const int flag : {EV_DELETE, EV_ENABLE, EV_DISABLE}) {
    EXPECT_EQ(apply(change(EVFILT_READ, flag)), ENOENT) << "flag " << flag;
  }
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD)), 0);
  EXPECT_EQ(apply(change(EVFILT_WRITE, EV_DELETE)), ENOENT) << "filters are found one by one";
}

// "[EBADF] The specified descriptor is invalid."
TEST_F(Kevent, ABadDescriptorIsRefused) {
  const int closed = ours.get();
  ours.reset();
  EXPECT_EQ(apply(change_of(closed, EVFILT_READ, EV_ADD)), EBADF);
  EXPECT_EQ(apply(change_of(1'000'000'000, EVFILT_READ, EV_ADD)), EBADF);
  struct kevent event;
  EXPECT_EQ(::kevent(-1, nullptr, 0, &event, 1, &kAtOnce), -1);
  EXPECT_EQ(errno, EBADF);
}

// "[EINVAL] The specified time limit or filter is invalid."
TEST_F(Kevent, ABadFilterOrTimeIsRefused) {
  EXPECT_EQ(apply(change(-77, EV_ADD)), EINVAL);
  struct kevent event;
  const timespec bad{.tv_sec = 0, .tv_nsec = 1'000'000'000};
  EXPECT_EQ(::kevent(queue.get(), nullptr, 0, &event, 1, &bad), -1);
  EXPECT_EQ(errno, EINVAL);
}

// "All changes contained in the changelist are applied before any pending events are read from the
// queue."
TEST_F(Kevent, ChangesAndEventsGoInOneCall) {
  peer_says("x");
  const std::array changes{change(EVFILT_READ, EV_ADD, tag(1)),
                           change(EVFILT_WRITE, EV_ADD, tag(2))};
  std::array<struct kevent, 4> events;
  ASSERT_EQ(::kevent(queue.get(), changes.data(), 2, events.data(), 4, nullptr), 2);
  EXPECT_THAT(std::vector(events.begin(), events.begin() + 2),
              UnorderedElementsAre(is(EVFILT_READ, 1), is(EVFILT_WRITE, 2)));
}

// "The same array may be used for the changelist and eventlist."
TEST_F(Kevent, OneArrayServesForChangesAndEvents) {
  peer_says("x");
  std::array both{change(EVFILT_READ, EV_ADD, tag(1)), change(EVFILT_WRITE, EV_ADD, tag(2))};
  EXPECT_EQ(::kevent(queue.get(), both.data(), 2, both.data(), 2, nullptr), 2);
  EXPECT_THAT(both, UnorderedElementsAre(is(EVFILT_READ, 1), is(EVFILT_WRITE, 2)));
}

// "If an error occurs while processing an element of the changelist and there is enough room in the
// eventlist, then the event will be placed in the eventlist with EV_ERROR set in flags and the
// system error in data."
TEST_F(Kevent, AFailedChangeComesBackAndTheOthersAreMade) {
  peer_says("x");
  std::array both{change(EVFILT_WRITE, EV_DELETE, tag(1)), change(EVFILT_READ, EV_ADD, tag(2))};
  ASSERT_EQ(::kevent(queue.get(), both.data(), 2, both.data(), 2, nullptr), 1);
  EXPECT_NE(both[0].flags & EV_ERROR, 0);
  EXPECT_EQ(both[0].data, ENOENT);
  EXPECT_EQ(both[0].udata, tag(1));
  EXPECT_THAT(poll(), ElementsAre(is(EVFILT_READ, 2)));
}

// "Otherwise, -1 will be returned, and errno will be set to indicate the error condition."
TEST_F(Kevent, AFailedChangeWithoutRoomIsTheCallsError) {
  EXPECT_EQ(apply(change(EVFILT_READ, EV_DELETE)), ENOENT);
}

// "EV_RECEIPT: This flag is useful for making bulk changes to a kqueue without draining any pending
// events. When passed as input, it forces EV_ERROR to always be returned. When a filter is
// successfully added the data field will be zero."
TEST_F(Kevent, ReceiptAnswersEachChangeInsteadOfEvents) {
  peer_says("x");
  std::array both{change(EVFILT_READ, EV_ADD | EV_RECEIPT)};
  ASSERT_EQ(::kevent(queue.get(), both.data(), 1, both.data(), 1, nullptr), 1);
  EXPECT_NE(both[0].flags & EV_ERROR, 0);
  EXPECT_EQ(both[0].data, 0);
  EXPECT_THAT(poll(), SizeIs(1));
}

// "When nevents is zero, kevent() will return immediately even if there is a timeout specified
// unlike select(2)."
TEST_F(Kevent, WithoutRoomItNeverWaits) {
  const timespec long_time{.tv_sec = 100, .tv_nsec = 0};
  const auto begin = Clock::now();
  EXPECT_EQ(::kevent(queue.get(), nullptr, 0, nullptr, 0, &long_time), 0);
  EXPECT_EQ(::kevent(queue.get(), nullptr, 0, nullptr, 0, nullptr), 0);
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(50));
}

// "If the time limit expires, then kevent() returns 0."
TEST_F(Kevent, TheTimeoutIsWaitedFor) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD)), 0);
  struct kevent event;
  const timespec limit{.tv_sec = 0, .tv_nsec = 30'000'000};
  const auto begin = Clock::now();
  EXPECT_EQ(::kevent(queue.get(), nullptr, 0, &event, 1, &limit), 0);
  EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds(30));
}

// "[EINTR] A signal was delivered before the timeout expired and before any events were placed on
// the kqueue for return"; "all changes contained in the changelist have been applied".
TEST_F(Kevent, ASignalInterruptsAfterTheChangesAreMade) {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &action, nullptr);
  // Again and again, so that one that comes too early does no harm.
  const itimerval soon{.it_interval = {.tv_sec = 0, .tv_usec = 5'000},
                       .it_value = {.tv_sec = 0, .tv_usec = 5'000}};
  ::setitimer(ITIMER_REAL, &soon, nullptr);
  const struct kevent add = change(EVFILT_READ, EV_ADD);
  struct kevent event;
  const int count = ::kevent(queue.get(), &add, 1, &event, 1, nullptr);
  const int error = errno;
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  EXPECT_EQ(count, -1);
  EXPECT_EQ(error, EINTR);
  peer_says("x");
  EXPECT_THAT(poll(), SizeIs(1));
}

// "EVFILT_WRITE: Returns whenever it is possible to write to the descriptor."
TEST_F(Kevent, WriteReportsRoom) {
  ASSERT_EQ(apply(change(EVFILT_WRITE, EV_ADD)), 0);
  EXPECT_THAT(poll(), SizeIs(1));
  fill();
  EXPECT_THAT(poll(), IsEmpty());
  drain_peer();
  EXPECT_THAT(poll(), SizeIs(1));
}

// "If the read direction of the socket has shutdown, then the filter also sets EV_EOF in flags."
// "It is possible for EOF to be returned while there is still data pending in the socket buffer."
TEST_F(Kevent, EndOfFileIsFlaggedWithDataStillToRead) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD)), 0);
  peer_says("x");
  ::shutdown(peer.get(), SHUT_WR);
  const auto events = poll();
  ASSERT_THAT(events, ElementsAre(is(EVFILT_READ, 0)));
  EXPECT_NE(events[0].flags & EV_EOF, 0);
  char byte = 0;
  EXPECT_EQ(::recv(ours.get(), &byte, 1, 0), 1);
}

// "EVFILT_WRITE ... for sockets EV_EOF will be set when the reader disconnects."
TEST_F(Kevent, TheWriteFilterTellsThatTheReaderHasGone) {
  ASSERT_EQ(apply(change(EVFILT_WRITE, EV_ADD, tag(5))), 0);
  peer.reset();
  const auto events = poll();
  ASSERT_THAT(events, ElementsAre(is(EVFILT_WRITE, 5)));
  EXPECT_NE(events[0].flags & EV_EOF, 0);
}

// "Events which are attached to file descriptors are automatically deleted on the last close of the
// descriptor." What has the number next starts with nothing.
TEST_F(Kevent, FiltersGoWhenTheDescriptorIsClosed) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD, tag(1))), 0);
  ASSERT_EQ(apply(change(EVFILT_WRITE, EV_ADD, tag(2))), 0);
  const int number = ours.get();
  ours.reset();
  EXPECT_THAT(poll(), IsEmpty());

  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
  ASSERT_EQ(pair[0], number) << "the number was expected to be given out again";
  ours.reset(pair[0]);
  peer.reset(pair[1]);
  EXPECT_THAT(poll(), IsEmpty());
  EXPECT_EQ(apply(change(EVFILT_WRITE, EV_DELETE)), ENOENT);
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD, tag(3))), 0);
  EXPECT_THAT(poll(), IsEmpty()) << "the old write filter must not have come along";
  peer_says("x");
  EXPECT_THAT(poll(), ElementsAre(is(EVFILT_READ, 3)));
}

TEST_F(Kevent, ADisabledFilterGoesWithItsDescriptorToo) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD | EV_DISABLE)), 0);
  ours.reset();
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
  ours.reset(pair[0]);
  peer.reset(pair[1]);
  EXPECT_EQ(apply(change(EVFILT_READ, EV_ENABLE)), ENOENT);
}

// No filter starves when there is room for one event only, and no edge is lost.
TEST_F(Kevent, BothFiltersGetTheirTurnWithRoomForOne) {
  for (const int flags : {EV_ADD + 0, EV_ADD | EV_CLEAR}) {
    ASSERT_EQ(apply(change(EVFILT_READ, flags, tag(1))), 0);
    ASSERT_EQ(apply(change(EVFILT_WRITE, flags, tag(2))), 0);
    peer_says("x");
    auto events = poll(1);
    for (const auto& event : poll(1)) events.push_back(event);
    EXPECT_THAT(events, UnorderedElementsAre(is(EVFILT_READ, 1), is(EVFILT_WRITE, 2)))
        << "flags " << flags;
    ASSERT_EQ(apply(change(EVFILT_READ, EV_DELETE)), 0);
    ASSERT_EQ(apply(change(EVFILT_WRITE, EV_DELETE)), 0);
  }
}

TEST_F(Kevent, QueuesAreSeparate) {
  const UniqueFd other(::kqueue());
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD)), 0);
  peer_says("x");
  struct kevent event;
  EXPECT_EQ(::kevent(other.get(), nullptr, 0, &event, 1, &kAtOnce), 0);
  EXPECT_THAT(poll(), SizeIs(1));
}

// A queue that gets the number of one that was closed begins empty.
TEST_F(Kevent, ANewQueueKnowsNothingOfTheOneBefore) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD)), 0);
  const int number = queue.get();
  queue.reset();
  queue.reset(::kqueue());
  ASSERT_EQ(queue.get(), number);
  EXPECT_EQ(apply(change(EVFILT_READ, EV_DELETE)), ENOENT);
}

#ifndef MUXBENCH_HAVE_SYS_EVENT_H
// What the shim cannot do is refused, and leaves the other filter as it was.
TEST_F(Kevent, ShimRefusesToMixEdgeAndLevelOnOneDescriptor) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD, tag(1))), 0);
  EXPECT_EQ(apply(change(EVFILT_WRITE, EV_ADD | EV_CLEAR, tag(2))), ENOTSUP);
  peer_says("x");
  EXPECT_THAT(poll(), ElementsAre(is(EVFILT_READ, 1)));
}
#endif

}  // namespace
}  // namespace muxbench
