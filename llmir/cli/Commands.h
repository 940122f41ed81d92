// What a command is, and the list of all. A command owns the variables that its options write to.
#pragma once

#include "llmir/support/CommandLine.h"
#include "llmir/support/StandardStreams.h"
#include "llmir/support/Terminal.h"
#include <memory>

namespace llmir {

/// What commands know of the program around them.
struct CommandContext {
  ProgramSpec &program; ///< the table of all commands and options
  std::string color;    ///< "auto", "always" or "never": see usesColor
};

class Command {
public:
  virtual ~Command() = default;
  /// Name, summary, examples, options. Called once, before the arguments are read.
  virtual void declare(CommandSpec &spec) = 0;
  /// Called once the options have their values. An error becomes one line on stderr, exit code 1.
  virtual Status run(const CommandContext &context) = 0;
};

std::unique_ptr<Command> makeRunCommand();
std::unique_ptr<Command> makeChatCommand();
std::unique_ptr<Command> makeBenchCommand();
std::unique_ptr<Command> makeExplainCommand();
std::unique_ptr<Command> makeEvalCommand();
std::unique_ptr<Command> makeCompileCommand();
std::unique_ptr<Command> makeCacheCommand();
std::unique_ptr<Command> makeImportCommand();
std::unique_ptr<Command> makeInspectCommand();
std::unique_ptr<Command> makeTokenizeCommand();
std::unique_ptr<Command> makeTargetsCommand();
std::unique_ptr<Command> makeCompletionCommand();
std::unique_ptr<Command> makeVersionCommand();
std::unique_ptr<Command> makeReferenceCommand();

} // namespace llmir
