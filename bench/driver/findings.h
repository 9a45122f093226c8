// What a run supports saying, as Markdown: a table per experiment and sentences. A model is called
// best only where all its trials lie apart from all trials of every other model; otherwise the
// models tie. Flagged cells and cells of fewer than 3 trials are never ranked.
#pragma once

#include <string>

#include "driver/record.h"

namespace muxbench {

std::string findings(const RunRecord& record);

}  // namespace muxbench
