#include "protocol/http.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "protocol/buffer_pool.h"
#include "protocol/http_target.h"

namespace muxbench {

using http::Status;

static_assert(sizeof(Http) <= 16, "a session has no room for more");
static_assert(sizeof(void*) <= sizeof(std::uint64_t) && alignof(Document) >= 2);
static_assert(http::kLongestHead <= BufferPool::kBufferBytes, "or a head would never be whole");

namespace {

std::string_view reason(Status status) noexcept {
  switch (status) {
    case Status::bad_request:
      return "400 Bad Request";
    case Status::forbidden:
      return "403 Forbidden";
    case Status::not_found:
      return "404 Not Found";
    case Status::method_not_allowed:
      return "405 Method Not Allowed";
    case Status::content_too_large:
      return "413 Content Too Large";
    case Status::uri_too_long:
      return "414 URI Too Long";
    case Status::head_too_large:
      return "431 Request Header Fields Too Large";
    case Status::not_implemented:
      return "501 Not Implemented";
    case Status::version_not_supported:
      return "505 HTTP Version Not Supported";
    default:
      return "503 Service Unavailable";
  }
}

// Was this one request, to be counted and worked for, or bytes that are none?
bool is_request(Status status) noexcept {
  return status == Status::forbidden || status == Status::not_found ||
         status == Status::method_not_allowed || status == Status::not_implemented ||
         status == Status::unavailable;
}

Status status_of(Lookup outcome) noexcept {
  switch (outcome) {
    case Lookup::found:
      return Status::ok;
    case Lookup::not_found:
      return Status::not_found;
    case Lookup::forbidden:
      return Status::forbidden;
    case Lookup::unavailable:
      break;
  }
  return Status::unavailable;
}

// Lays text end to end. Answers take a few hundred bytes of the scratch buffer's 16 KiB; what would
// not fit is cut, so that no content type, however long, can write past its end.
class TextWriter {
 public:
  explicit TextWriter(std::span<char> room) noexcept : room_(room) {}
  TextWriter& operator<<(std::string_view text) noexcept {
    const std::size_t size = std::min(text.size(), room_.size() - used_);
    std::memcpy(room_.data() + used_, text.data(), size);
    used_ += size;
    return *this;
  }
  TextWriter& operator<<(std::size_t number) noexcept {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
    return *this << std::string_view(digits, static_cast<std::size_t>(end - digits));
  }
  std::string_view text() const noexcept { return {room_.data(), used_}; }

 private:
  std::span<char> room_;
  std::size_t used_ = 0;
};

constexpr std::string_view kServerAndDate = "\r\nServer: muxbench\r\nDate: ";

void write_connection_field(TextWriter& out, const http::Parser& parser) noexcept {
  if (!parser.keep_alive()) {
    out << "Connection: close\r\n";
  } else if (parser.is_http_1_0()) {
    out << "Connection: keep-alive\r\n";  // a 1.0 client would take silence for no
  }
}

// An answer whose body is its own reason; `write_fields` adds header fields.
template <typename WriteFields>
void write_error(TextWriter& out, Status status, std::string_view date, bool head_only,
                 WriteFields write_fields) noexcept {
  const std::string_view text = reason(status);
  out << "HTTP/1.1 " << text << kServerAndDate << date
      << "\r\nContent-Type: text/plain\r\nContent-Length: " << text.size() + 1 << "\r\n";
  write_fields();
  out << "\r\n";
  if (!head_only) out << text << "\n";
}

}  // namespace

Reaction Http::feed(std::span<const std::byte> input, std::span<std::byte> scratch) noexcept {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const std::span<char> room(reinterpret_cast<char*>(scratch.data()), scratch.size());
  http::Parser parser(std::exchange(state_, 0));
  const Status status = parser.parse(text);
  if (status == Status::needs_more) {
    state_ = parser.save();
    return {};
  }
  if (status != Status::ok) return refuse(status, parser, input.size(), room);
  return answer(parser, text, room);
}

Reaction Http::answer(const http::Parser& parser, std::string_view input,
                      std::span<char> scratch) noexcept {
  // The decoded path lies in the scratch buffer only until the document is found; then the answer
  // takes its place.
  const http::Target target = http::resolve_target(parser.target(input), scratch);
  if (target.error == http::TargetError::malformed) {
    return refuse(Status::bad_request, parser, input.size(), scratch);
  }
  LookupResult found;
  if (target.error == http::TargetError::none) {
    found = site_->find(target.path);
  } else {
    found.outcome = Lookup::forbidden;
  }

  Reaction reaction{.consumed = parser.head_size(), .answers_request = true};
  TextWriter out(scratch);
  if (found.outcome == Lookup::found) {
    out << "HTTP/1.1 200 OK" << kServerAndDate << site_->date() << "\r\n" << found.document->head();
    write_connection_field(out, parser);
    out << "\r\n";
    reaction.say(out.text());
    if (!parser.is_head_method()) {
      reaction.say(found.document->bytes().data(), found.document->bytes().size());
      state_ = reinterpret_cast<std::uintptr_t>(found.document.release());
    }
  } else {
    write_error(out, status_of(found.outcome), site_->date(), parser.is_head_method(),
                [&] { write_connection_field(out, parser); });
    reaction.say(out.text());
  }
  if (!parser.keep_alive()) {
    // A client that asked for the end has nothing more to say (RFC 9112 section 9.6), and lingering
    // would cost two system calls; but one that said more must not lose its answer to a reset.
    reaction.after = input.size() > parser.head_size() ? After::linger : After::close;
  }
  return reaction;
}

// Where a request cannot be told from the next, or is not one that we take, the connection ends.
Reaction Http::refuse(Status status, const http::Parser& parser, std::size_t input_size,
                      std::span<char> scratch) noexcept {
  TextWriter out(scratch);
  write_error(out, status, site_->date(), parser.is_head_method(), [&] {
    out << "Connection: close\r\n";
    if (status == Status::method_not_allowed) out << "Allow: GET, HEAD\r\n";
  });
  Reaction reaction{
      .consumed = input_size, .after = After::linger, .answers_request = is_request(status)};
  reaction.say(out.text());
  return reaction;
}

void Http::on_flushed() noexcept {
  if (state_ != 0 && state_ % 2 == 0) {
    const auto word = static_cast<std::uintptr_t>(std::exchange(state_, 0));
    DocumentRef::adopt(reinterpret_cast<Document*>(word));
  }
}

}  // namespace muxbench
