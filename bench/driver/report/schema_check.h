// Whether a document has the form that results/schema.json describes.
#pragma once

#include <optional>
#include <string>

#include "json/json.h"

namespace muxbench {

// What is wrong and where, such as "muxbench.cells[3].status should be a string"; nothing if all is
// well. Reports of newer minor versions pass too: those add members and words, so members that the
// schema does not name may be there, and a word need not be one that it lists.
std::optional<std::string> schema_mistake(const Json& report);

}  // namespace muxbench
