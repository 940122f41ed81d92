// The help of a program and of its commands, from the table of options.
#pragma once

#include "llmir/support/CommandLine.h"
#include "llmir/support/Terminal.h"

namespace llmir {

/// What `PROGRAM --help` prints.
std::string programHelp(const ProgramSpec &program, Style style, int width);

/// What `PROGRAM COMMAND --help` prints: usage, options by group with default, range and
/// environment variable, examples.
std::string commandHelp(const ProgramSpec &program, const CommandSpec &command, Style style,
                        int width);

/// "llmir run MODEL [OPTIONS]"
std::string usage(const ProgramSpec &program, const CommandSpec &command);

/// The groups of a table in order of their first option, each with its options.
std::vector<std::pair<std::string, std::vector<const Option *>>>
optionGroups(const OptionTable &table);

} // namespace llmir
