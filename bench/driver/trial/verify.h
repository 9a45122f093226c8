// Is this server right? The short form runs in every trial before and after the measurement, the
// long form is `muxbench verify`. Each error says which check failed and what came instead.
#pragma once

#include <string>

#include "base/result.h"
#include "net/address.h"
#include "plan/models.h"
#include "trial/server_process.h"

namespace muxbench {

// The files that an http server is given; made inside a folder of the run.
struct HttpRoot {
  std::string folder;
  std::string index;  // what /index.html holds
};
Result<HttpRoot> make_http_root(const std::string& scratch, std::size_t index_bytes);

// Bytes, fragmentation and half-close: under a millisecond.
Result<> verify_briefly(const Address& address, const std::string& protocol, const HttpRoot& root);
// One exchange: the server still serves after the load.
Result<> verify_alive(const Address& address, const std::string& protocol, const HttpRoot& root);

Result<> verify_echo(const Address& address, bool concurrent);
Result<> verify_greet(const Address& address);
Result<> verify_http(const Address& address, const HttpRoot& root);

// Starts, checks and stops the server once per protocol and transport that it claims. The text
// names what was checked.
Result<std::string> verify_model(const Model& model, const std::string& scratch);

}  // namespace muxbench
