// Parses the command line and runs the command; every error ends here, as one line.
#include "llmir/cli/Cli.h"

#include "llmir/cli/BusError.h"
#include "llmir/cli/Commands.h"
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>

namespace llmir {

namespace {

constexpr const Command *commands[] = {&runCommand, &evalCommand, &importCommand, &tokenizeCommand};

int reportError(std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  fmt::print(stderr, "error: {}\n", message);
  return 1;
}

std::string unknownCommand(const char *name) {
  std::string known;
  for (const Command *command : commands)
    known += fmt::format("{}{}", known.empty() ? "" : ", ", command->name);
  return fmt::format("unknown command '{}': the commands are {}; see llmir --help", name, known);
}

} // namespace

int cliMain(int argc, char **argv) {
  CLI::App app("LLMIR compiles language models and runs them.", "llmir");
  app.set_version_flag("--version", "llmir " LLMIR_VERSION);
  app.require_subcommand(1);
  app.footer("Examples:\n"
             "  llmir run model.gguf --chat --prompt 'What is the capital of France?'\n"
             "  llmir eval model.gguf --tokens-file ids.txt --logits logits.npy\n"
             "`llmir COMMAND --help` tells more.");
  Options options;
  for (const Command *command : commands)
    command->declare(*app.add_subcommand(command->name, command->summary), options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0)
      return app.exit(error); // --help, --version
    if (app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-')
      return reportError(unknownCommand(argv[1]));
    return reportError(std::string(error.what()) + "; see llmir --help");
  }
  options.artifact.useCache = !options.noCache;
  signal(SIGPIPE, SIG_IGN); // a closed pipe is a write error like any other
  explainBusErrors(options.model);
  try {
    for (const Command *command : commands)
      if (app.got_subcommand(command->name))
        if (Status status = command->run(options); !status)
          return reportError(status.error().message);
  } catch (const std::bad_alloc &) {
    return reportError("out of memory");
  }
  return 0;
}

} // namespace llmir
