// Where the HTTP protocol gets its content from. The protocol opens no file and reads no clock: it
// asks a Site, and a test can be one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace muxbench {

// Content that can be sent as it is. A derived class owns the bytes; they and the head never change
// while a reference to the document lives.
class Document {
 public:
  Document(std::span<const std::byte> bytes, std::string_view content_type)
      : bytes_(bytes),
        head_("Content-Type: " + std::string(content_type) +
              "\r\nContent-Length: " + std::to_string(bytes.size()) + "\r\n") {}
  virtual ~Document() = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // To be handed to the kernel, not looked at: see DocumentRoot about files that shrink.
  std::span<const std::byte> bytes() const noexcept { return bytes_; }
  // The header fields that are the same in every answer, prepared once.
  std::string_view head() const noexcept { return head_; }

 private:
  friend class DocumentRef;

  std::span<const std::byte> bytes_;
  std::string head_;
  std::atomic<std::uint32_t> references_{0};
};

// Owns one reference to a document, or none. One word, because every session keeps room for it;
// atomic, because the sessions of several threads send the same document.
class DocumentRef {
 public:
  DocumentRef() noexcept = default;
  explicit DocumentRef(Document* document) noexcept : document_(document) { add(); }
  DocumentRef(const DocumentRef& other) noexcept : document_(other.document_) { add(); }
  DocumentRef(DocumentRef&& other) noexcept : document_(other.release()) {}
  DocumentRef& operator=(DocumentRef other) noexcept {
    std::swap(document_, other.document_);
    return *this;
  }
  ~DocumentRef() {
    // The last owner must see all that the others did before it destroys the document.
    if (document_ != nullptr &&
        document_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete document_;
    }
  }

  // Takes back what release() let go, without counting it again.
  static DocumentRef adopt(Document* document) noexcept {
    DocumentRef reference;
    reference.document_ = document;
    return reference;
  }
  Document* release() noexcept { return std::exchange(document_, nullptr); }

  Document* get() const noexcept { return document_; }
  const Document* operator->() const noexcept { return document_; }
  explicit operator bool() const noexcept { return document_ != nullptr; }

 private:
  void add() noexcept {
    if (document_ != nullptr) document_->references_.fetch_add(1, std::memory_order_relaxed);
  }

  Document* document_ = nullptr;
};

enum class Lookup : std::uint8_t {
  found,
  not_found,
  forbidden,    // it is there, or may be, but is not to be had
  unavailable,  // this process ran out of something (descriptors, memory); later it may work
};

struct LookupResult {
  Lookup outcome = Lookup::not_found;
  DocumentRef document{};  // if found
};

class Site {
 public:
  virtual ~Site() = default;

  // The path is decoded, begins with '/', holds no NUL and no ".." segment.
  virtual LookupResult find(std::string_view path) noexcept = 0;

  // Now, as an IMF-fixdate (RFC 9110 section 5.6.7). Valid until this thread asks again.
  virtual std::string_view date() noexcept = 0;
};

}  // namespace muxbench
