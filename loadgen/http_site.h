// What an HTTP run asks for, and what it must get: made once before the load starts, then shared
// by all threads and never changed.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "loadgen/errors.h"
#include "net/address.h"

namespace muxbench::loadgen {

struct HttpResource {
  std::string path;
  std::string request;
  std::string body;  // the reference that every response is compared with
};

using HttpSite = std::vector<HttpResource>;

// A GET request for each path; the bodies are still empty.
HttpSite make_site(const std::vector<std::string>& paths, const std::string& host);

// The bodies are the files of a folder ("/" stands for index.html).
Result<> read_bodies(HttpSite& site, const std::string& root);

// The bodies are what the server answers now, one blocking request per path. False when one of
// them fails; `errors` says why.
bool learn_bodies(HttpSite& site, const Address& target, Nanoseconds timeout, ErrorLog& errors);

}  // namespace muxbench::loadgen
