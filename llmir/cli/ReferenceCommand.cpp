// `llmir reference`: the reference page of the command line, printed from the table of options.
// Hidden: `make docs` calls it.
#include "llmir/cli/Commands.h"
#include "llmir/support/HelpText.h"
#include <cstdio>
#include <fmt/ranges.h>

namespace llmir {

namespace {

/// Text as a table cell: a bar would end it.
std::string cell(std::string_view text) {
  std::string result;
  for (char c : text)
    result += c == '|' ? "\\|" : std::string(1, c);
  return result;
}

std::string code(std::string_view text) { return text.empty() ? "" : fmt::format("`{}`", text); }

std::string valuesCell(const Option &option) {
  const OptionInfo &info = option.info();
  if (info.isFlag)
    return "";
  if (!info.choices.empty()) {
    std::vector<std::string> choices;
    for (const std::string &choice : info.choices)
      choices.push_back(code(choice));
    return fmt::format("{}", fmt::join(choices, ", "));
  }
  return option.takesFile() ? (info.isPositional ? "FILE" : info.placeholder) : option.expected();
}

std::string meaningCell(const Option &option) {
  const OptionInfo &info = option.info();
  std::string text = info.help;
  for (const std::string &other : info.needs)
    text += fmt::format("; needs `--{}`", other);
  for (const std::string &other : info.excludes)
    text += fmt::format("; not with `--{}`", other);
  if (info.isRequired)
    text += "; required";
  return text;
}

std::string optionTable(const OptionTable &table) {
  std::string text;
  for (const auto &[title, options] : optionGroups(table)) {
    text += fmt::format("\n{}:\n\n| | value | default | environment | meaning |\n"
                        "|---|---|---|---|---|\n",
                        title);
    for (const Option *option : options) {
      const OptionInfo &info = option->info();
      std::string name = code(option->flag());
      if (info.letter)
        name += fmt::format(", `-{}`", info.letter);
      text += fmt::format("| {} | {} | {} | {} | {} |\n", name, cell(valuesCell(*option)),
                          cell(info.defaultText), code(option->environmentName()),
                          cell(meaningCell(*option)));
    }
  }
  return text;
}

std::string examples(const std::vector<std::string> &lines) {
  return lines.empty() ? "" : fmt::format("\n```sh\n{}\n```\n", fmt::join(lines, "\n"));
}

std::string markdown(const ProgramSpec &program) {
  std::string text = R"(# The command line

An option can come from four places; the first that has it wins:

1. the command line: `--prefill-chunk 256`
2. the environment: `LLMIR_PREFILL_CHUNK=256`
3. a YAML file: the one that `--config FILE` or `LLMIR_CONFIG` names, or else
   `$XDG_CONFIG_HOME/llmir/config.yaml` (`~/.config/llmir/config.yaml`) if it exists
4. its default

Flags are `true` or `false` in the environment and in files. Lists are `1,8,32`, in files also
`[1, 8, 32]`. In a file, a section with a command's name concerns that command alone:

```yaml
threads: 4
run:
  temperature: 0.8
```

| command | |
|---|---|
)";
  for (const CommandSpec &command : program.commands)
    if (!command.isHidden)
      text += fmt::format("| [`{} {}`](#{}-{}) | {} |\n", program.name, command.name, program.name,
                          command.name, cell(command.summary));
  text += "\nOptions of every command\n" + optionTable(program.general);
  for (const CommandSpec &command : program.commands) {
    if (command.isHidden)
      continue;
    text += fmt::format("\n## {} {}\n\n{}: `{}`\n", program.name, command.name, command.summary,
                        usage(program, command));
    if (!command.details.empty())
      text += "\n" + command.details + "\n";
    text += examples(command.examples) + optionTable(command.options);
  }
  return text;
}

class ReferenceCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "reference";
    spec.summary = "Print the reference page of the command line";
    spec.isHidden = true;
    spec.options.add("markdown", &asMarkdown, "As Markdown, the only form").commandLineOnly();
  }

  Status run(const CommandContext &context) override {
    std::string text = markdown(context.program);
    writeTo(stdout, text);
    return {};
  }

  bool asMarkdown = true;
};

} // namespace

std::unique_ptr<Command> makeReferenceCommand() { return std::make_unique<ReferenceCommand>(); }

} // namespace llmir
