// A program's commands and their options, and how arguments and environment become values of them.
// CLI11 takes the arguments apart; the option table checks what they say.
#pragma once

#include "llmir/support/OptionTable.h"

namespace llmir {

struct CommandSpec {
  std::string name;
  std::string summary;               ///< one line, no full stop
  std::string details;               ///< more for the help; may be empty
  std::vector<std::string> examples; ///< whole command lines
  OptionTable options;
  bool isHidden = false; ///< works, but is in no help
};

struct ProgramSpec {
  std::string name;
  std::string summary;
  std::string version;
  std::vector<std::string> examples;
  OptionTable general; ///< options of every command; allowed before the command too
  std::deque<CommandSpec> commands;

  CommandSpec *find(std::string_view command);
};

/// What the arguments ask for: a command, or help (of a command or of the program), or the version.
struct Invocation {
  CommandSpec *command = nullptr;
  bool wantsHelp = false;
  bool wantsVersion = false;
};

/// Puts the values of `arguments` (without the program's name) into the tables. Errors name an
/// unknown command, option or argument and the nearest that exists, a missing or bad value.
Expected<Invocation> parseArguments(ProgramSpec &program, std::span<const std::string> arguments);

/// Puts the values of LLMIR_… variables into the tables of `command` and of the program. A variable
/// that is empty counts as not set.
Status readEnvironment(ProgramSpec &program, CommandSpec &command);

/// After all sources have spoken: what is required is there, and what excludes or needs another
/// option has it so.
Status checkCombinations(CommandSpec &command);

} // namespace llmir
