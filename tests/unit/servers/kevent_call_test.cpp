// One kevent() call, its errors, its two lists and its time limit, as FreeBSD's kqueue(2) describes
// it. Each test names the sentence that it holds the backend to.
#include <signal.h>
#include <sys/time.h>

#include <array>
#include <cerrno>

#include "base/clock.h"
#include "kevent_fixture.h"

namespace muxbench {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

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

TEST_F(Kevent, NegativeCountsAreRefused) {
  const struct kevent add = change(EVFILT_READ, EV_ADD);
  struct kevent event;
  EXPECT_EQ(::kevent(queue.get(), &add, -1, nullptr, 0, &kAtOnce), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(::kevent(queue.get(), nullptr, 0, &event, -1, &kAtOnce), -1);
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

}  // namespace
}  // namespace muxbench
