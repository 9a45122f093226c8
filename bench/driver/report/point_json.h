// A point in a report: {"idle": 8000, "connections": 100}.
#pragma once

#include "json/json.h"
#include "report/point.h"

namespace muxbench::report {

Json point_json(const Point& point);
// Of a report that was checked against the schema.
Point read_point(const Json& json);

}  // namespace muxbench::report
