#include "trial/verify.h"

#include <algorithm>
#include <array>

#include "trial/check_client.h"

namespace muxbench {
namespace {

constexpr std::string_view kGreeting = "Hello World!\r\n";

// A check by name: the name goes in front of what went wrong.
Result<> check(std::string_view name, const Result<>& result) {
  if (result) return result;
  return make_error("{}: {}", name, result.error().message);
}

Result<> echo_whole(const Address& address, std::size_t size,
                    std::chrono::seconds patience = CheckClient::kPatience) {
  auto client = CheckClient::connect(address, patience);
  if (!client) return client.error();
  const std::string bytes = pattern(size, static_cast<std::uint32_t>(size));
  return client->exchange(bytes, bytes);
}

Result<> echo_bytewise(const Address& address, std::size_t size) {
  auto client = CheckClient::connect(address);
  if (!client) return client.error();
  const std::string bytes = pattern(size, 7);
  if (auto sent = client->send_bytewise(bytes); !sent) return sent;
  return client->expect(bytes);
}

Result<> echo_half_close(const Address& address, std::size_t size) {
  auto client = CheckClient::connect(address);
  if (!client) return client.error();
  const std::string bytes = pattern(size, 11);
  // The answer is left unread until the server knows that no more will come.
  if (auto sent = client->exchange(bytes, {}); !sent) return sent;
  if (auto ended = client->finish_sending(); !ended) return ended;
  if (auto same = client->expect(bytes); !same) return same;
  return client->expect_end();
}

Result<> echo_interleaved(const Address& address) {
  auto one = CheckClient::connect(address);
  if (!one) return one.error();
  auto two = CheckClient::connect(address);
  if (!two) return two.error();
  for (std::uint32_t round = 0; round < 8; ++round) {
    const std::string first = pattern(100, 2 * round);
    const std::string second = pattern(200, 2 * round + 1);
    if (auto sent = one->exchange(first, {}); !sent) return sent;
    if (auto same = two->exchange(second, second); !same) return same;
    if (auto same = one->expect(first); !same) return same;
  }
  return {};
}

Result<> greet_line(const Address& address, std::string_view line) {
  auto client = CheckClient::connect(address);
  if (!client) return client.error();
  if (auto greeted = check("greeting", client->expect(kGreeting)); !greeted) return greeted;
  if (auto sent = client->send_bytewise(line); !sent) return sent;
  if (auto same = check("line", client->expect(line)); !same) return same;
  return check("end", client->expect_end());
}

Result<> verify_protocol(const Address& address, const std::string& protocol, bool concurrent,
                         const HttpRoot& root) {
  if (protocol == "greet") return verify_greet(address);
  if (protocol == "http") return verify_http(address, root);
  return verify_echo(address, concurrent);
}

}  // namespace

Result<> verify_echo(const Address& address, bool concurrent) {
  for (const std::size_t size : std::array<std::size_t, 4>{1, 2, 4096, 65537}) {
    const std::string name = fmt::format("echo of {} bytes", size);
    if (auto good = check(name, echo_whole(address, size)); !good) return good;
  }
  // All are written before any is read, and an AF_UNIX socket holds only some 270 packets of a byte.
  if (auto good = check("echo byte by byte", echo_bytewise(address, 128)); !good) return good;
  if (auto good = check("half-close", echo_half_close(address, 10'000)); !good) return good;
  if (!concurrent) return {};
  return check("two connections interleaved", echo_interleaved(address));
}

Result<> verify_greet(const Address& address) {
  if (auto good = greet_line(address, "hello\r\n"); !good) return good;
  return greet_line(address, "\n");
}

Result<> verify_briefly(const Address& address, const std::string& protocol, const HttpRoot& root) {
  if (protocol == "greet") return greet_line(address, "hello\r\n");
  if (protocol == "http") return verify_http(address, root);
  if (auto good = check("echo of 4096 bytes", echo_whole(address, 4096)); !good) return good;
  if (auto good = check("echo byte by byte", echo_bytewise(address, 16)); !good) return good;
  return check("half-close", echo_half_close(address, 5'000));
}

Result<> verify_alive(const Address& address, const std::string& protocol, const HttpRoot& root) {
  // Thousands of connections were closed a moment ago, and a model may have a process or a thread
  // of each to bury first: 2,100 programs of inetd_nowait took over 10 s where a process takes 5 ms.
  constexpr auto kPatience = std::chrono::seconds(30);
  if (protocol == "echo") return check("echo after the load", echo_whole(address, 64, kPatience));
  return check("after the load", verify_protocol(address, protocol, false, root));
}

Result<std::string> verify_model(const Model& model, const std::string& scratch) {
  const auto root = make_http_root(scratch, 1000);
  if (!root) return root.error();
  std::string checked;
  for (const std::string& transport : model.capabilities.transports) {
    for (const std::string& protocol : model.capabilities.protocols) {
      const std::string what = protocol + (transport == "tcp" ? "" : " over " + transport);
      auto server =
          ServerProcess::start(model, {.protocol = protocol,
                                       .transport = transport,
                                       .scratch = scratch,
                                       .root = protocol == "http" ? root->folder : std::string()});
      if (!server) return make_error("{}: {}", what, server.error().message);
      auto good =
          verify_protocol(server->address(), protocol, model.capabilities.concurrent, *root);
      if (!good) {
        const auto died = server->death();
        server->kill_now();
        return make_error("{}: {}", what, died ? *died : good.error().message);
      }
      if (const auto stopped = server->stop(); !stopped) {
        return make_error("{}: {}", what, stopped.error().message);
      }
      checked += (checked.empty() ? "" : ", ") + what;
    }
  }
  return checked;
}

}  // namespace muxbench
