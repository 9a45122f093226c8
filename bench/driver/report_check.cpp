#include "driver/report_check.h"

#include <string_view>

namespace muxbench {
namespace {

bool is_version(std::string_view version) {
  return version.size() > 2 && version.starts_with("1.") &&
         version.substr(2).find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Result<> check_schema_version(const Json& report, const std::string& file) {
  const bool has_section = report.is_object() && report.contains("muxbench") &&
                           report.at("muxbench").is_object() &&
                           report.at("muxbench").contains("schema_version");
  if (!has_section) {
    return usage_error(
        "{} is JSON but no muxbench report, for it has no muxbench.schema_version; give the "
        "report.json that a run wrote",
        file);
  }
  const Json& version = report.at("muxbench").at("schema_version");
  if (version.is_string() && is_version(version.get_ref<const std::string&>())) return {};
  return usage_error(
      "{} has schema version {:.40} and this muxbench reads 1.x, such as \"1.1\"; use the version "
      "of muxbench that wrote it",
      file, version.dump());
}

}  // namespace muxbench
