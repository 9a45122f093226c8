#include "client/http_site.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace muxbench::loadgen {

HttpSite::HttpSite(std::vector<HttpResource> resources, std::uint32_t longest_run)
    : resources_(std::move(resources)), longest_run_(longest_run) {
  for (std::size_t i = 0; i < resources_.size() + longest_run; ++i) {
    offsets_.push_back(text_.size());
    text_ += resources_[i % resources_.size()].request;
  }
  offsets_.push_back(text_.size());
}

HttpSite make_site(const std::vector<std::string>& paths, const std::string& host,
                   std::uint32_t longest_run, bool close) {
  std::vector<HttpResource> resources;
  for (const std::string& path : paths) {
    resources.push_back({.path = path,
                         .request = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", path, host,
                                                close ? "Connection: close\r\n" : ""),
                         .body = {}});
  }
  return {std::move(resources), longest_run};
}

Result<> read_bodies(HttpSite& site, const std::string& root) {
  for (HttpResource& resource : site) {
    std::string name = root + resource.path.substr(0, resource.path.find('?'));
    if (name.back() == '/') name += "index.html";
    std::ifstream file(name, std::ios::binary);
    resource.body.assign(std::istreambuf_iterator<char>(file), {});
    if (!file.is_open() || file.bad()) {
      return usage_error("cannot read {}, the body that {} must have; check --body-root and --path",
                         name, resource.path);
    }
  }
  return {};
}

}  // namespace muxbench::loadgen
