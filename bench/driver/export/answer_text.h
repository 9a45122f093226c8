// The answer of a report in words, for a terminal and for Markdown.
#pragma once

#include <string>
#include <vector>

#include "report/report.h"

namespace muxbench {

// How far the machine's figures can be trusted, in one sentence. Empty where nothing is known.
std::string trust_sentence(const report::Report& report);

// The sentence above, a line for each question, and one for those that were not measured: with what
// follows it on a terminal at most 15 lines. Empty in a report that has none of the questions.
std::string answer_lines(const report::Report& report);

// A line for each question that is measured, with the leading models, in columns: what is known while
// a run goes on. Empty likewise.
std::vector<std::string> leader_lines(const report::Report& report);

// The same as a table, with all models. Empty likewise.
std::string answer_markdown(const report::Report& report);

}  // namespace muxbench
