// A server that root starts serves as an ordinary user: it listens, opens what only root may open,
// and then gives root's rights up for good (--user).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"

namespace muxbench::privileges {

struct User {
  std::string name;  // empty: only its number is known
  uid_t uid = 0;
  gid_t gid = 0;
  bool is_default = false;  // nobody asked for it
};

// Whom to serve as; `asked` is a name, a number or empty. Nothing: as whoever started the server.
Result<std::optional<User>> choose_user(const std::string& asked);

// The listener becomes that user's too: further listeners may share its address (SO_REUSEPORT is
// for sockets of one user), and a socket file can be removed by who serves.
Result<> become(const User& user, int listener, const std::string& socket_file);

// For --describe, which has no listener.
inline Result<> become(const User& user) { return become(user, -1, {}); }

}  // namespace muxbench::privileges
