// What an HTTP run asks for, and what it must get: made once before the load starts, then shared
// by all threads and never changed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace muxbench::loadgen {

struct HttpResource {
  std::string path;
  std::string request;
  std::string body;  // the reference that every response is compared with
};

// The resources in the order in which they are asked for, again and again. Up to `longest_run`
// requests that follow each other lie in one piece of memory, so a pipeline is one send.
class HttpSite {
 public:
  HttpSite() = default;
  HttpSite(std::vector<HttpResource> resources, std::uint32_t longest_run);

  std::size_t size() const noexcept { return resources_.size(); }
  const HttpResource& operator[](std::size_t index) const noexcept { return resources_[index]; }
  HttpResource& operator[](std::size_t index) noexcept { return resources_[index]; }
  auto begin() noexcept { return resources_.begin(); }
  auto end() noexcept { return resources_.end(); }

  // `count` requests from resource `first` on, without their first `skip` bytes.
  std::span<const std::byte> requests(std::uint32_t first, std::uint32_t count,
                                      std::uint32_t skip) const noexcept {
    const std::size_t begin = offsets_[first] + skip;
    return std::as_bytes(std::span(text_).subspan(begin, offsets_[first + count] - begin));
  }
  std::uint32_t longest_run() const noexcept { return longest_run_; }

 private:
  std::vector<HttpResource> resources_;
  std::uint32_t longest_run_ = 0;
  std::string text_;
  std::vector<std::size_t> offsets_;  // of each request in the text, and of its end
};

// A GET request for each path; the bodies are still empty. With `close` each asks the server to
// close the connection afterwards.
HttpSite make_site(const std::vector<std::string>& paths, const std::string& host,
                   std::uint32_t longest_run = 1, bool close = false);

// The bodies are the files of a folder ("/" stands for index.html).
Result<> read_bodies(HttpSite& site, const std::string& root);

}  // namespace muxbench::loadgen
