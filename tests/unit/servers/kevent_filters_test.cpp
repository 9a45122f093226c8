// What the filters report, and when they end, as FreeBSD's kqueue(2) describes it. Each test names
// the sentence that it holds the backend to.
#include "kevent_fixture.h"

namespace muxbench {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

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

// "EV_CLEAR: After the event is retrieved by the user, its state is reset." Its own state: what
// happens to one filter is nothing to the other.
TEST_F(Kevent, ClearOnBothFiltersKeepsThemApart) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD | EV_CLEAR, tag(1))), 0);
  ASSERT_EQ(apply(change(EVFILT_WRITE, EV_ADD | EV_CLEAR, tag(2))), 0);
  EXPECT_THAT(poll(), ElementsAre(is(EVFILT_WRITE, 2)));
  peer_says("x");
  EXPECT_THAT(poll(), ElementsAre(is(EVFILT_READ, 1))) << "there was room for output all the time";
  fill();
  drain_peer();
  EXPECT_THAT(poll(), ElementsAre(is(EVFILT_WRITE, 2))) << "x has been reported already";
}

TEST_F(Kevent, OneFilterMayBeClearAndTheOtherNot) {
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD, tag(1))), 0);
  ASSERT_EQ(apply(change(EVFILT_WRITE, EV_ADD | EV_CLEAR, tag(2))), 0);
  peer_says("x");
  EXPECT_THAT(poll(), UnorderedElementsAre(is(EVFILT_READ, 1), is(EVFILT_WRITE, 2)));
  EXPECT_THAT(poll(), ElementsAre(is(EVFILT_READ, 1)));
}

// A descriptor is closed while its file stays open under another number, and its own number goes to
// another file. Nobody asks for events of the first file any more, which is ready all the time.
struct KeventOfClosed : Kevent {
  void close_one_that_stays_open(short filter) {
    ASSERT_EQ(apply(change(filter, EV_ADD, tag(1))), 0);
    peer_says("x");
    elsewhere.reset(::dup(ours.get()));
    const int number = ours.get();
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    ASSERT_EQ(::dup2(pair[0], number), number);
    ::close(pair[0]);
    second_peer.reset(pair[1]);
  }

  UniqueFd elsewhere;
  UniqueFd second_peer;
};

TEST_F(KeventOfClosed, IsForgottenOnceTheNumberIsRegisteredAnew) {
  for (const short filter : {EVFILT_READ, EVFILT_WRITE}) {
    close_one_that_stays_open(filter);
    ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD, tag(3))), 0);
    if (filter == EVFILT_WRITE) {
      EXPECT_EQ(apply(change(EVFILT_WRITE, EV_DELETE)), ENOENT);
    }
    EXPECT_THAT(poll(), IsEmpty());
    struct kevent event;
    const timespec some{.tv_sec = 0, .tv_nsec = 20'000'000};
    EXPECT_EQ(::kevent(queue.get(), nullptr, 0, &event, 1, &some), 0);
    ASSERT_EQ(::send(second_peer.get(), "y", 1, 0), 1);
    EXPECT_THAT(poll(1), ElementsAre(is(EVFILT_READ, 3)));
    peer = std::move(second_peer);
  }
}

TEST_F(KeventOfClosed, TheOtherFiltersStay) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
  const UniqueFd watched(pair[0]);
  const UniqueFd its_peer(pair[1]);
  ASSERT_EQ(apply(change_of(watched.get(), EVFILT_READ, EV_ADD, tag(7))), 0);
  ASSERT_EQ(apply(change_of(watched.get(), EVFILT_WRITE, EV_ADD | EV_DISABLE, tag(8))), 0);
  close_one_that_stays_open(EVFILT_READ);
  ASSERT_EQ(apply(change(EVFILT_READ, EV_ADD, tag(3))), 0);
  EXPECT_THAT(poll(), IsEmpty());
  ASSERT_EQ(::send(its_peer.get(), "z", 1, 0), 1);
  EXPECT_THAT(poll(), ElementsAre(is(EVFILT_READ, 7)));
  ASSERT_EQ(apply(change_of(watched.get(), EVFILT_WRITE, EV_ENABLE, tag(8))), 0);
  EXPECT_THAT(poll(), UnorderedElementsAre(is(EVFILT_READ, 7), is(EVFILT_WRITE, 8)));
}

}  // namespace
}  // namespace muxbench
