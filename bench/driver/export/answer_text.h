// The answer of a report in words, for a terminal and for Markdown.
#pragma once

#include <string>

#include "report/report.h"

namespace muxbench {

// How far the machine's figures can be trusted, in one sentence. Empty where nothing is known.
std::string trust_sentence(const report::Report& report);

// At most 15 lines: the sentence above, two for each question, one for those that were not measured.
// Empty in a report that has none of the questions.
std::string answer_lines(const report::Report& report);

// The same as a table, with all models. Empty likewise.
std::string answer_markdown(const report::Report& report);

}  // namespace muxbench
