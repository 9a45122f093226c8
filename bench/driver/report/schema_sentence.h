// Says in plain words what a JSON Schema expects at a place.
#pragma once

#include <string>
#include <vector>

#include "json/json.h"

namespace muxbench {

using JsonPath = std::vector<std::string>;  // keys, and indices as text

// "muxbench.cells[3].point"; as much of it as is too long for a sentence is left out.
std::string place_text(const Json& document, const JsonPath& path);

// "a list of one entry or more": the schema's `title` if it has one, otherwise from its type and bounds.
std::string expected_at(const Json& schema, const Json& document, const JsonPath& path);

}  // namespace muxbench
