// How the programs of muxbench write their --help, and what is wrong with a command line: on top of
// CLI11, whose own words are for those who know C++.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/error.h"

namespace muxbench {

// Before subcommands are added, which take over what their parent has.
void set_up_help(CLI::App& app);

// What options take, in a word that their --help shows: "N", "TIME".
struct Placeholder {
  const char* word;
  std::vector<const char*> options;
};
void name_values(CLI::App& app, std::initializer_list<Placeholder> placeholders);

// Checks whose complaints are sentences. A whole number has digits only.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most);
CLI::Validator whole_number(std::uint64_t least);
CLI::Validator number(double least, double most);
CLI::Validator one_of(std::vector<std::string> words);
CLI::Validator folder();

// What a command line lacks or has too much, in one sentence, and where to look.
Error command_line_error(const CLI::ParseError& error, const std::string& program);

}  // namespace muxbench
