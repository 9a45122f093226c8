// A command from a command line or a file, taken apart without a shell.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace muxbench {

// As a shell takes a plain command apart: at blanks, with '...', "..." and \. Nothing is expanded, so
// that the text can do no more than name one program and its arguments. Nothing: no words, or a quote
// that is not closed.
std::optional<std::vector<std::string>> split_words(const std::string& text);

}  // namespace muxbench
