// The http part of verify.h: status, length, body, keep-alive and 404, over one connection.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "trial/check_client.h"
#include "trial/verify.h"

namespace muxbench {
namespace {

struct Response {
  std::string status;  // "200"
  std::size_t length = 0;
  bool has_length = false;
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return result;
}

Result<Response> read_head(CheckClient& client) {
  const auto head = client.read_through("\r\n\r\n", 16 * 1024);
  if (!head) return head.error();
  if (!head->starts_with("HTTP/1.1 ") || head->size() < 13) {
    return make_error("the answer begins with \"{}\", expected HTTP/1.1 and a status",
                      head->substr(0, head->find('\r')));
  }
  Response response{.status = head->substr(9, 3)};
  constexpr std::string_view kLength = "\r\ncontent-length:";
  const std::string lowered = lower(*head);
  if (const auto at = lowered.find(kLength); at != std::string::npos) {
    const char* number = lowered.data() + at + kLength.size();
    while (*number == ' ') ++number;
    const auto read = std::from_chars(number, lowered.data() + lowered.size(), response.length);
    response.has_length = read.ec == std::errc{};
  }
  return response;
}

Result<> get(CheckClient& client, std::string_view path, std::string_view body) {
  const std::string request =
      fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: muxbench\r\n\r\n", path);
  if (auto sent = client.exchange(request, {}); !sent) return sent;
  const auto response = read_head(client);
  if (!response) return make_error("GET {}: {}", path, response.error().message);
  if (response->status != "200") {
    return make_error("GET {}: status {}, expected 200", path, response->status);
  }
  if (!response->has_length || response->length != body.size()) {
    return make_error("GET {}: Content-Length {}, expected {}", path, response->length,
                      body.size());
  }
  if (const auto same = client.expect(body); !same) {
    return make_error("GET {}: {}", path, same.error().message);
  }
  return {};
}

Result<> get_missing(CheckClient& client) {
  constexpr std::string_view kRequest =
      "GET /no-such-file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (auto sent = client.exchange(kRequest, {}); !sent) return sent;
  const auto response = read_head(client);
  if (!response) return make_error("GET of a missing file: {}", response.error().message);
  if (response->status != "404") {
    return make_error("GET of a missing file: status {}, expected 404", response->status);
  }
  return {};
}

bool write_file(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  return static_cast<bool>(file << bytes << std::flush);
}

const std::string& larger_file() {
  static const std::string bytes = pattern(100'000, 3);
  return bytes;
}

}  // namespace

Result<HttpRoot> make_http_root(const std::string& scratch, std::size_t index_bytes) {
  HttpRoot root{.folder = scratch + "/root", .index = pattern(index_bytes, 5)};
  std::error_code error;
  std::filesystem::create_directories(root.folder, error);
  const bool written = !error && write_file(root.folder + "/index.html", root.index) &&
                       write_file(root.folder + "/larger.bin", larger_file());
  // For a server that is no longer root, whatever the umask.
  namespace fs = std::filesystem;
  const auto open_up = [&](const std::string& path, fs::perms more) {
    if (!error) fs::permissions(path, more, fs::perm_options::add, error);
  };
  const auto readable = fs::perms::group_read | fs::perms::others_read;
  open_up(root.folder, readable | fs::perms::group_exec | fs::perms::others_exec);
  for (const char* name : {"/index.html", "/larger.bin"}) open_up(root.folder + name, readable);
  if (!written || error) return make_error("cannot write files for http into {}", root.folder);
  return root;
}

Result<> verify_http(const Address& address, const HttpRoot& root) {
  auto client = CheckClient::connect(address);
  if (!client) return client.error();
  if (auto good = get(*client, "/index.html", root.index); !good) return good;
  // The same connection again: it was kept alive.
  if (auto good = get(*client, "/larger.bin", larger_file()); !good) return good;
  return get_missing(*client);
}

}  // namespace muxbench
