// A comparison for a terminal, as Markdown, and as JSON.
#pragma once

#include <string>

#include "analysis/comparison.h"

namespace muxbench {

// Colours only what is significant.
std::string as_terminal_text(const Comparison& comparison, bool colour);
std::string as_markdown(const Comparison& comparison);
Json as_json(const Comparison& comparison);

}  // namespace muxbench
