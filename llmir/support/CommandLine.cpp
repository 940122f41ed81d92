// CLI11 only splits: its own conversions, groups and help are not used, so that flags, environment
// and files are read and refused in the same words.
#include "llmir/support/CommandLine.h"

#include "llmir/support/Text.h"
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fmt/ranges.h>

namespace llmir {

namespace {

/// An occurrence of an option among the arguments.
struct Given {
  Option *option;
  std::vector<std::string> values;
};

/// Teaches `app` the flags of `table`; what is given goes to `given`.
void declare(CLI::App &app, OptionTable &table, std::vector<Given> &given) {
  for (Option &option : table.options()) {
    const OptionInfo &info = option.info();
    std::string names = option.flag();
    if (info.letter)
      names += fmt::format(",-{}", info.letter);
    CLI::callback_t take = [&option, &given](const CLI::results_t &values) {
      given.push_back({&option, values});
      return true;
    };
    CLI::Option *target = app.add_option(names, take);
    target->expected(info.isFlag ? 0 : 1)->allow_extra_args(false);
    target->multi_option_policy(info.isList ? CLI::MultiOptionPolicy::TakeAll
                                            : CLI::MultiOptionPolicy::TakeLast);
  }
}

Status store(const std::vector<Given> &given) {
  for (const Given &one : given)
    if (Status status = one.option->set(one.values, OptionSource::CommandLine, one.option->flag());
        !status)
      return status;
  return {};
}

std::vector<std::string> optionNames(const OptionTable &general, const OptionTable *own) {
  std::vector<std::string> names = {"help"};
  for (const OptionTable *table : {own, &general})
    if (table)
      for (const Option &option : table->options())
        if (!option.info().isPositional)
          names.push_back(option.info().name);
  return names;
}

/// The error of something on the command line that nothing takes.
tl::unexpected<Error> unexpectedArgument(const ProgramSpec &program, const CommandSpec *command,
                                         const std::string &word) {
  std::string help = program.name + (command ? " " + command->name : "") + " --help";
  if (word.size() > 1 && word[0] == '-') {
    std::string name = word.substr(word[1] == '-' ? 2 : 1);
    name = name.substr(0, name.find('='));
    return fail(
        "unknown option {}{}; see {}", inQuotes(word.substr(0, word.find('='))),
        suggestion(name, optionNames(program.general, command ? &command->options : nullptr), "--"),
        help);
  }
  return fail("unexpected argument {}: quote values with spaces; see {}", inQuotes(word), help);
}

tl::unexpected<Error> unknownCommand(const ProgramSpec &program, const std::string &word) {
  std::vector<std::string> names;
  for (const CommandSpec &command : program.commands)
    if (!command.isHidden)
      names.push_back(command.name);
  return fail("unknown command {}{}: the commands are {}; see {} --help", inQuotes(word),
              suggestion(word, names), fmt::join(names, ", "), program.name);
}

/// The option that an error of CLI11 is about: it begins with the option's names and a colon.
const Option *optionOfError(const ProgramSpec &program, const CommandSpec *command,
                            const std::string &message) {
  std::string_view names = std::string_view(message).substr(0, message.find(':'));
  for (const OptionTable *table : {command ? &command->options : nullptr, &program.general})
    if (table)
      for (const Option &option : table->options())
        if (names == option.flag() || names.ends_with("," + option.flag()) ||
            (option.info().letter && names == fmt::format("-{}", option.info().letter)))
          return &option;
  return nullptr;
}

struct Split {
  std::vector<std::string> rest; // what nothing took
  bool wantsHelp = false, wantsVersion = false;
};

Expected<Split> split(ProgramSpec &program, CommandSpec *command,
                      std::span<const std::string> arguments) {
  CLI::App app;
  app.set_help_flag(); // CLI11's own would hide what else was given, such as --color
  const CLI::Option *help = app.add_flag("-h,--help");
  std::vector<Given> given;
  declare(app, program.general, given);
  if (command) {
    declare(app, command->options, given);
    app.allow_extras();
  } else {
    app.set_version_flag("--version", program.version);
    app.prefix_command(); // the first word that is no option ends it
  }
  Split result;
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForVersion &) {
    result.wantsVersion = true;
    return result;
  } catch (const CLI::ParseError &error) {
    const Option *option = optionOfError(program, command, error.what());
    if (option)
      return fail("{} needs a value: {}", option->flag(), option->expected());
    return fail("{}", error.what());
    return fail("{}", error.what());
  }
  if (help->count() > 0) {
    result.wantsHelp = true;
    for (const Given &one : given) // what is wrong with them does not matter now
      (void)one.option->set(one.values, OptionSource::CommandLine, one.option->flag());
    return result;
  }
  result.rest = app.remaining();
  if (command && !result.rest.empty())
    return unexpectedArgument(program, command, result.rest.front());
  if (Status status = store(given); !status)
    return forward(status);
  return result;
}

} // namespace

CommandSpec *ProgramSpec::find(std::string_view command) {
  for (CommandSpec &candidate : commands)
    if (candidate.name == command)
      return &candidate;
  return nullptr;
}

Expected<Invocation> parseArguments(ProgramSpec &program, std::span<const std::string> arguments) {
  auto outer = split(program, nullptr, arguments);
  if (!outer)
    return forward(outer);
  Invocation result;
  result.wantsHelp = outer->wantsHelp;
  result.wantsVersion = outer->wantsVersion;
  if (result.wantsHelp || result.wantsVersion)
    return result;
  if (outer->rest.empty())
    return fail("a command is missing; see {} --help", program.name);
  const std::string &word = outer->rest.front();
  if (word.starts_with('-'))
    return unexpectedArgument(program, nullptr, word);
  result.command = program.find(word);
  if (!result.command)
    return unknownCommand(program, word);
  auto inner = split(program, result.command, std::span(outer->rest).subspan(1));
  if (!inner)
    return forward(inner);
  result.wantsHelp = inner->wantsHelp;
  return result;
}

Status readEnvironment(ProgramSpec &program, CommandSpec &command) {
  for (OptionTable *table : {&program.general, &command.options})
    for (Option &option : table->options()) {
      std::string name = option.environmentName();
      const char *value = name.empty() ? nullptr : std::getenv(name.c_str());
      if (!value || !*value)
        continue;
      std::string text = value;
      if (Status status =
              option.set({&text, 1}, OptionSource::Environment, name + " in the environment");
          !status)
        return status;
    }
  return {};
}

Status checkCombinations(CommandSpec &command) {
  for (Option &option : command.options.options()) {
    if (!option.isGiven())
      continue;
    for (const std::string &name : option.info().excludes) {
      Option *other = command.options.find(name);
      if (!other || !other->isGiven())
        continue;
      if (other->source() == option.source())
        return fail("{} and {} exclude each other: give one of them", option.place(),
                    other->place());
      if (other->source() < option.source()) {
        other->reset();
        continue;
      }
      option.reset();
      break;
    }
  }
  for (const Option &option : command.options.options()) {
    const OptionInfo &info = option.info();
    if (info.isRequired && !option.isGiven())
      return fail("{} is missing: {}; see --help", option.flag(), info.help);
    // From a file or the environment, an option may stand by for when the other is given.
    if (option.source() != OptionSource::CommandLine)
      continue;
    for (const std::string &name : info.needs)
      if (const Option *other = command.options.find(name); !other || !other->isGiven())
        return fail("{} needs --{}", option.place(), name);
  }
  return {};
}

} // namespace llmir
