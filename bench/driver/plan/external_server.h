// Servers of other people, as --server names them.
#pragma once

#include "plan/models.h"

namespace muxbench {

// "NAME=COMMAND" or "NAME:PROTOCOL=COMMAND": echo unless it says http. The shell runs the command,
// {port} and {root} (of http) replaced; it must serve 127.0.0.1:{port} until SIGTERM.
//
// "FILE.json" is an entry, which tells the same three things and where {folder} is its own folder:
// {"name": "nginx", "protocol": "http", "command": "{folder}/nginx.sh {port} {root}"}
Result<Model> external_server(const std::string& text);

// The command with every place for `what`, such as "{port}", filled in.
std::string replaced(std::string command, const std::string& what, const std::string& with);

}  // namespace muxbench
