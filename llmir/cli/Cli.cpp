// Puts the commands together, reads their options from all places and runs one; every error ends
// here, as one line.
#include "llmir/cli/Cli.h"

#include "llmir/cli/BusError.h"
#include "llmir/cli/Commands.h"
#include "llmir/cli/ConfigFile.h"
#include "llmir/support/HelpText.h"
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace llmir {

namespace {

constexpr std::unique_ptr<Command> (*commandMakers[])() = {
    makeRunCommand,     makeChatCommand,      makeBenchCommand,   makeExplainCommand,
    makeEvalCommand,    makeInspectCommand,   makeCompileCommand, makeCacheCommand,
    makeImportCommand,  makeTokenizeCommand,  makeTargetsCommand, makeCompletionCommand,
    makeVersionCommand, makeReferenceCommand,
};

struct Cli {
  ProgramSpec program;
  std::vector<std::unique_ptr<Command>> commands; // as program.commands
  std::string configFile, color = "auto";

  Cli();
  Status run(std::span<const std::string> arguments);
  Status readConfig(CommandSpec &command);
};

Cli::Cli() {
  program.name = "llmir";
  program.summary = "LLMIR compiles language models and runs them.";
  program.version = "llmir " LLMIR_VERSION;
  program.examples = {"llmir run model.gguf --chat --prompt 'What is the capital of France?'",
                      "llmir eval model.gguf --tokens-file ids.txt --logits logits.npy"};
  program.general.group("General");
  program.general.add("config", &configFile, "YAML file with options")
      .placeholder("FILE")
      .defaultText("~/.config/llmir/config.yaml")
      .notInFile();
  program.general.add("color", &color, "Colours in help and messages; auto: on a terminal")
      .choices({"auto", "always", "never"});
  for (auto make : commandMakers) {
    commands.push_back(make());
    commands.back()->declare(program.commands.emplace_back());
  }
}

Status Cli::readConfig(CommandSpec &command) {
  if (program.general.find("config")->isGiven())
    return readConfigFile(configFile, program, command);
  std::string path = defaultConfigFile();
  std::error_code code;
  return !path.empty() && std::filesystem::exists(path, code)
             ? readConfigFile(path, program, command)
             : Status();
}

Status Cli::run(std::span<const std::string> arguments) {
  auto invocation = parseArguments(program, arguments);
  if (!invocation)
    return forward(invocation);
  CommandSpec *spec = invocation->command;
  if (invocation->wantsVersion) {
    printTo(stdout, "{}\n", program.version);
    return {};
  }
  if (invocation->wantsHelp) {
    Style style{usesColor(color, STDOUT_FILENO)};
    int width = terminalWidth(STDOUT_FILENO);
    std::string text =
        spec ? commandHelp(program, *spec, style, width) : programHelp(program, style, width);
    writeTo(stdout, text);
    return {};
  }
  for (Status status : {readEnvironment(program, *spec), readConfig(*spec)})
    if (!status)
      return status;
  if (Status status = checkCombinations(*spec); !status)
    return status;
  if (const Option *model = spec->options.find("MODEL"); model && model->isGiven())
    explainBusErrors(model->text());
  for (size_t i = 0; i < commands.size(); ++i)
    if (&program.commands[i] == spec)
      return commands[i]->run({program, color});
  return {};
}

} // namespace

int cliMain(int argc, char **argv) {
  prepareStandardStreams();
  Cli cli;
  Status status;
  try {
    std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    status = cli.run(arguments);
  } catch (const std::bad_alloc &) {
    status = fail("out of memory");
  } catch (const std::system_error &error) { // a thread or a folder that is not to be had
    status = fail("{}", error.what());
  }
  if (Status written = flushStdout(); status && !written)
    status = std::move(written);
  if (status)
    return 0;
  std::string message = status.error().message;
  std::replace(message.begin(), message.end(), '\n', ' ');
  printTo(stderr, "{} {}\n", Style{usesColor(cli.color, STDERR_FILENO)}.red("error:"), message);
  return 1;
}

} // namespace llmir
