// One event loop and a pool of threads: the loop receives and sends, the threads do the work of each
// request and may block in it. Answers go back through the loop.
// Syscalls per request: 2/k epoll_wait (k requests ready at once), 1 recv, 1 send, 1/k write, any
// futex. One wait ends with requests, one with the answers, of which the write to an eventfd tells.
// Limit: two changes of thread for each request, which only work that blocks or is long is worth.
#include <sys/epoll.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "event_loop/mailbox.h"
#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "processes/child_work.h"
#include "processes/worker_group.h"

namespace muxbench {

// 16: some requests may block, and the others still find a thread.
const ModelInfo kModel{.name = "half_sync_half_async",
                       .family = "readiness",
                       .mechanism = "epoll_wait in one thread, a queue and a pool of threads",
                       .capabilities = {.workers = true, .child_work = true, .default_workers = 16},
                       .says_when_ready = true};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  std::uint32_t events = 0;  // what epoll watches for; 0: it is not in the set
  bool at_work = false;      // a thread of the pool has the session; the loop keeps its hands off
};

// What to tell a session: what has been read, or written, may begin a request.
struct Job {
  Token token;
  Session* session;
  void (Session::*tell)(std::size_t) noexcept;
  std::size_t bytes;
};

class JobQueue {
 public:
  void put(const Job& job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(job);
    }
    changed_.notify_one();
  }
  // Waits for the next; none when the queue is closed.
  std::optional<Job> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    if (jobs_.empty()) return {};
    const Job job = jobs_.front();
    jobs_.pop_front();
    return job;
  }
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool closed_ = false;
};

using Answers = Mailbox<Token>;

// The half that may block.
Result<> work(const ServerContext& thread, JobQueue& jobs, Answers& answers) {
  SessionContext sessions = thread.new_session_context();
  sessions.buffers.keep_no_spare();  // the loop takes buffers, and gets others back
  thread.ready();
  while (const std::optional<Job> job = jobs.take()) {
    Session& session = *job->session;
    session.move_to(sessions);
    (session.*job->tell)(job->bytes);
    if (session.awaits_work() && run_child_work()) session.on_work_done();
    count(thread.counters().requests, std::exchange(sessions.requests, 0));
    answers.put(job->token);
  }
  return {};
}

constexpr Token kListener = ~Token{0};
constexpr Token kAnswers = ~Token{1};

// The half that never blocks.
class Reactor {
 public:
  Reactor(const ServerContext& server, JobQueue& jobs, Answers& answers)
      : listener_(server.listener),
        jobs_(jobs),
        answers_(answers),
        sessions_(server.new_session_context()),
        connections_(server) {}

  Result<> run() {
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    set_nonblocking(listener_, true);
    std::uint32_t listener_events = 0, answers_events = 0;
    watch(answers_.descriptor(), kAnswers, answers_events, EPOLLIN | EPOLLET);
    std::array<epoll_event, 512> events;
    while (!connections_.finished()) {
      const auto wanted = connections_.accepting() ? EPOLLIN : EPOLLONESHOT;  // or hang-up, once
      watch(listener_, kListener, listener_events, wanted);
      const int ready =
          ::epoll_wait(epoll_.get(), events.data(), events.size(), connections_.timeout_ms());
      for (int i = 0; i < ready; ++i) on_event(events[static_cast<std::size_t>(i)].data.u64);
      connections_.expire([this](Token token) { connections_.close(token); },
                          [](const Connection& connection) { return connection.at_work; });
    }
    return {};
  }

 private:
  bool watch(int fd, Token token, std::uint32_t& events, std::uint32_t wanted) noexcept {
    if (wanted == events) return true;
    const int operation = events == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    events = wanted;
    epoll_event event{.events = wanted, .data = {.u64 = token}};
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
  }

  void on_event(Token token) {
    if (token == kListener) {
      accept_burst(listener_, connections_, [this](Token t, Connection& c) {
        c.session.move_to(sessions_);
        proceed(t, c);
      });
    } else if (token == kAnswers) {
      answers_.take(answered_);
      for (const Token answered : answered_) on_answer(answered, *connections_.find(answered));
    } else if (Connection* connection = connections_.find(token)) {  // else: closed since the wait
      on_ready(token, *connection);
    }
  }

  void on_answer(Token token, Connection& connection) {
    connection.at_work = false;
    connection.session.move_to(sessions_);
    connections_.touch(token);
    if (connection.session.awaits_work()) return connections_.close(token);  // too many processes
    proceed(token, connection);
  }

  void on_ready(Token token, Connection& connection) {
    Session& session = connection.session;
    const int fd = connection.fd.get();
    // It has sent more, or gone. It is watched again when its answer is there.
    if (connection.at_work) return void(watch(fd, token, connection.events, 0));
    connections_.touch(token);
    if (session.wants_write()) return proceed(token, connection);
    const IoResult got = sys::recv(fd, session.lease_read());
    if (got.ok() && !got.end_of_file()) {
      return hand_over(token, connection, &Session::on_read, got.count());
    }
    if (got.ok()) session.on_read(0);
    if (!got.ok()) session.cancel_read();
    if (!got.ok() && !got.would_block() && !got.interrupted()) return connections_.close(token);
    proceed(token, connection);
  }

  void hand_over(Token token, Connection& connection, void (Session::*tell)(std::size_t) noexcept,
                 std::size_t bytes) {
    connection.at_work = true;
    jobs_.put({token, &connection.session, tell, bytes});
  }

  void proceed(Token token, Connection& connection) {
    Session& session = connection.session;
    const int fd = connection.fd.get();
    while (session.wants_write()) {
      const std::span<const iovec> pieces = session.write_buffers();
      const IoResult sent = sys::send(fd, pieces);
      if (sent.ok()) {
        // The next request may have come with this one. It begins when the session hears that the
        // answer is out.
        const bool may_begin_request = sent.count() == total(pieces) && !session.then_reads();
        if (may_begin_request) {
          return hand_over(token, connection, &Session::on_written, sent.count());
        }
        session.on_written(sent.count());
      } else if (sent.would_block()) {
        break;
      } else if (!sent.interrupted()) {
        return connections_.close(token);
      }
    }
    if (session.wants_half_close()) {
      ::shutdown(fd, SHUT_WR);
      session.on_half_closed();
    }
    const std::uint32_t wanted = session.wants_write() ? EPOLLOUT : EPOLLIN;
    if (session.done() || !watch(fd, token, connection.events, wanted)) connections_.close(token);
  }

  static std::size_t total(std::span<const iovec> pieces) noexcept {
    std::size_t bytes = 0;
    for (const iovec& piece : pieces) bytes += piece.iov_len;
    return bytes;
  }

  const int listener_;
  JobQueue& jobs_;
  Answers& answers_;
  std::vector<Token> answered_;
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  SessionContext sessions_;  // of all sessions that are not at work
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) {
  JobQueue jobs;
  Answers answers;
  if (answers.descriptor() < 0) {
    return make_error("cannot create an eventfd: {}", describe(last_errno()));
  }
  return run_worker_threads(
      server, [&](ServerContext& thread) { return work(thread, jobs, answers); },
      [&](std::size_t) {
        const Result<> served = Reactor(server, jobs, answers).run();
        jobs.close();
        return served;
      });
}

}  // namespace muxbench
