// One walk over the table for each shell. Nothing is asked of the program when a key is pressed.
#include "llmir/cli/Completion.h"

#include <fmt/ranges.h>

namespace llmir {

namespace {

/// In single quotes for a shell.
std::string singleQuoted(std::string_view text) {
  std::string result = "'";
  for (char c : text)
    result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

std::vector<const CommandSpec *> visible(const ProgramSpec &program) {
  std::vector<const CommandSpec *> commands;
  for (const CommandSpec &command : program.commands)
    if (!command.isHidden)
      commands.push_back(&command);
  return commands;
}

std::vector<const Option *> optionsOf(const ProgramSpec &program, const CommandSpec *command) {
  std::vector<const Option *> options;
  for (const OptionTable *table : {command ? &command->options : nullptr, &program.general})
    if (table)
      for (const Option &option : table->options())
        options.push_back(&option);
  return options;
}

// --- bash

/// The action for a value: words, files, or nothing to offer.
std::string bashValue(const Option &option) {
  if (!option.info().choices.empty())
    return fmt::format("words {}",
                       singleQuoted(fmt::format("{}", fmt::join(option.info().choices, " "))));
  return option.takesFile() ? "files" : ":";
}

std::string bashCommand(const ProgramSpec &program, const CommandSpec *command) {
  std::string values, positional = "files";
  std::vector<std::string> flags = {"--help"};
  for (const Option *option : optionsOf(program, command)) {
    const OptionInfo &info = option->info();
    if (info.isPositional) {
      positional = bashValue(*option);
      continue;
    }
    flags.push_back(option->flag());
    if (info.isFlag)
      continue;
    std::string pattern = option->flag();
    if (info.letter)
      pattern += fmt::format("|-{}", info.letter);
    values += fmt::format("        {}) {}; return ;;\n", pattern, bashValue(*option));
  }
  std::string words = fmt::format("{}", fmt::join(flags, " "));
  if (!command) {
    std::vector<std::string> names;
    for (const CommandSpec *each : visible(program))
      names.push_back(each->name);
    positional = fmt::format("words '{}'", fmt::join(names, " "));
    words += " --version";
  }
  return fmt::format("    {})\n      case $before in\n{}      esac\n"
                     "      if [[ $word == -* ]]; then words '{}'; else {}; fi ;;\n",
                     command ? command->name : "''", values, words, positional);
}

// --- zsh

/// In a specification of _arguments, brackets and colons have a meaning.
std::string zshText(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\')
      result += '\\';
    result += c;
  }
  return result;
}

std::string zshValue(const Option &option) {
  const OptionInfo &info = option.info();
  std::string message = zshText(info.isPositional ? info.name : info.placeholder);
  if (!info.choices.empty())
    return fmt::format(":{}:({})", message, fmt::join(info.choices, " "));
  return fmt::format(":{}:{}", message, option.takesFile() ? "_files" : " ");
}

std::string zshArguments(const ProgramSpec &program, const CommandSpec *command,
                         const std::string &indent) {
  std::string text = "_arguments -s " + std::string(command ? "" : "-C ");
  auto line = [&](const std::string &specification) {
    text += "\\\n" + indent + "  " + singleQuoted(specification) + " ";
  };
  line("(-h --help)-h[Help]");
  line("(-h --help)--help[Help]");
  for (const Option *option : optionsOf(program, command)) {
    const OptionInfo &info = option->info();
    if (info.isPositional) {
      line((info.isRequired ? "" : ":") + zshValue(*option));
      continue;
    }
    std::string flag = option->flag(), value = info.isFlag ? "" : zshValue(*option);
    std::string help = fmt::format("[{}]", zshText(info.help));
    std::string before = info.isList ? "*" : "";
    if (info.letter && !info.isList)
      before = fmt::format("(-{} {})", info.letter, flag);
    line(before + flag + (info.isFlag ? "" : "=") + help + value);
    if (info.letter)
      line(before + fmt::format("-{}", info.letter) + (info.isFlag ? "" : "+") + help + value);
  }
  return text;
}

} // namespace

std::string bashCompletion(const ProgramSpec &program) {
  std::vector<std::string> names;
  for (const CommandSpec *command : visible(program))
    names.push_back(command->name);
  std::string cases = bashCommand(program, nullptr);
  for (const CommandSpec *command : visible(program))
    cases += bashCommand(program, command);
  // To bash, --kv=f16 is three words.
  return fmt::format(R"(# bash completion of {0}: source <({0} completion bash)
_{0}() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command= i
  if [[ $word == = ]]; then
    word=
  elif [[ $before == = ]]; then
    before=${{COMP_WORDS[COMP_CWORD-2]}}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
      {1}) command=${{COMP_WORDS[i]}}; break ;;
    esac
  done
  COMPREPLY=()
  words() {{ mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); }}
  files() {{ compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$word"); }}
  case $command in
{2}  esac
}}
complete -F _{0} {0}
)",
                     program.name, fmt::join(names, "|"), cases);
}

std::string zshCompletion(const ProgramSpec &program) {
  std::string commands, cases;
  for (const CommandSpec *command : visible(program)) {
    commands += fmt::format("    {}\n",
                            singleQuoted(zshText(command->name) + ":" + zshText(command->summary)));
    cases += fmt::format("        {})\n          {};;\n", command->name,
                         zshArguments(program, command, "          "));
  }
  return fmt::format(R"(#compdef {0}
# zsh completion of {0}: {0} completion zsh > a folder of $fpath, as _{0}
_{0}() {{
  local state line
  typeset -A opt_args
  local -a commands=(
{1}  )
  {2}\
    '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
{3}      esac ;;
  esac
}}
if [ "$funcstack[1]" = _{0} ]; then _{0} "$@"; else compdef _{0} {0}; fi
)",
                     program.name, commands, zshArguments(program, nullptr, "  "), cases);
}

std::string fishCompletion(const ProgramSpec &program) {
  std::string text = fmt::format("# fish completion of {0}: {0} completion fish | source\n"
                                 "complete -c {0} -f\n"
                                 "complete -c {0} -s h -l help -d Help\n",
                                 program.name);
  for (const CommandSpec *command : visible(program))
    text += fmt::format("complete -c {} -n __fish_use_subcommand -a {} -d {}\n", program.name,
                        command->name, singleQuoted(command->summary));
  auto add = [&](const Option &option, const std::string &condition) {
    const OptionInfo &info = option.info();
    std::string line = fmt::format("complete -c {}{}", program.name, condition);
    std::string choices = singleQuoted(fmt::format("{}", fmt::join(info.choices, " ")));
    if (info.isPositional) {
      if (option.takesFile())
        text += line + " -F\n";
      else if (!info.choices.empty())
        text += line + " -a " + choices + "\n";
      return;
    }
    line += " -l " + info.name;
    if (info.letter)
      line += fmt::format(" -s {}", info.letter);
    if (!info.choices.empty())
      line += " -x -a " + choices;
    else if (!info.isFlag)
      line += option.takesFile() ? " -r -F" : " -x";
    text += line + " -d " + singleQuoted(info.help) + "\n";
  };
  for (const Option &option : program.general.options())
    add(option, "");
  for (const CommandSpec *command : visible(program))
    for (const Option &option : command->options.options())
      add(option, fmt::format(" -n '__fish_seen_subcommand_from {}'", command->name));
  return text;
}

} // namespace llmir
