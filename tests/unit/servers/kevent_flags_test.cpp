// What the flags of a change do, as FreeBSD's kqueue(2) describes it, whatever stands behind it
// here. Each test names the sentence that it holds the backend to.
#include <array>

#include "kevent_fixture.h"

namespace muxbench {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

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

}  // namespace
}  // namespace muxbench
