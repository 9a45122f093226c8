#include "report/point_json.h"

namespace muxbench::report {

Json point_json(const Point& point) {
  Json json = Json::object();
  for (const auto& [key, value] : point) json[key] = value;
  return json;
}

Point read_point(const Json& json) {
  Point point;
  for (const auto& [key, value] : json.items()) point.push_back({key, value.get<std::uint64_t>()});
  return point;
}

}  // namespace muxbench::report
