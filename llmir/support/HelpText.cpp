// Two columns: what to type, and what it means with its default, range and variable behind it.
#include "llmir/support/HelpText.h"

#include <fmt/ranges.h>

namespace llmir {

namespace {

constexpr int textColumn = 28;

/// Words of `text` in lines up to `width`, from the second line on indented to the text column.
std::string wrap(std::string_view text, int width) {
  std::string result;
  int column = textColumn;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find(' ', begin), text.size());
    std::string_view word = text.substr(begin, end - begin);
    begin = end + 1;
    if (column > textColumn && column + 1 + int(word.size()) > width) {
      result += "\n" + std::string(textColumn, ' ');
      column = textColumn;
    } else if (column > textColumn) {
      result += ' ';
      ++column;
    }
    result += word;
    column += int(word.size());
  }
  return result;
}

std::string leftColumn(const Option &option) {
  const OptionInfo &info = option.info();
  if (info.isPositional)
    return "  " + info.name;
  std::string text = info.letter ? fmt::format("  -{}, ", info.letter) : "      ";
  text += option.flag();
  if (!info.isFlag)
    text += " " + info.placeholder;
  return text;
}

/// "default 512; 1 to 65536; LLMIR_PREFILL_CHUNK"
std::string facts(const Option &option) {
  const OptionInfo &info = option.info();
  std::vector<std::string> parts;
  if (!info.defaultText.empty())
    parts.push_back("default: " + info.defaultText);
  if (info.least || (info.isPositional && !info.choices.empty()))
    parts.push_back(option.expected());
  if (info.isRequired && !info.isPositional)
    parts.push_back("required");
  for (const std::string &other : info.needs)
    parts.push_back("needs --" + other);
  for (const std::string &other : info.excludes)
    parts.push_back("not with --" + other);
  if (std::string name = option.environmentName(); !name.empty())
    parts.push_back(name);
  return parts.empty() ? "" : fmt::format("[{}]", fmt::join(parts, "; "));
}

std::string row(std::string left, std::string_view right, Style style, int width,
                const std::string &dimmed = "") {
  std::string line = style.cyan(left);
  if (int(left.size()) + 2 > textColumn)
    line += "\n" + std::string(textColumn, ' ');
  else
    line += std::string(textColumn - left.size(), ' ');
  line += wrap(right, width) + "\n";
  if (!dimmed.empty())
    line += std::string(textColumn, ' ') + style.dim(wrap(dimmed, width)) + "\n";
  return line;
}

std::string examples(const std::vector<std::string> &lines, Style style) {
  if (lines.empty())
    return "";
  std::string text = "\n" + style.bold(lines.size() == 1 ? "Example" : "Examples") + "\n";
  for (const std::string &line : lines)
    text += "  " + line + "\n";
  return text;
}

std::string groups(const OptionTable &table, Style style, int width) {
  std::string text;
  for (const auto &[title, options] : optionGroups(table)) {
    text += "\n" + style.bold(title) + "\n";
    for (const Option *option : options)
      text += row(leftColumn(*option), option->info().help, style, width, facts(*option));
  }
  return text;
}

} // namespace

std::vector<std::pair<std::string, std::vector<const Option *>>>
optionGroups(const OptionTable &table) {
  std::vector<std::pair<std::string, std::vector<const Option *>>> result;
  for (const Option &option : table.options()) {
    auto place = std::find_if(result.begin(), result.end(), [&](const auto &group) {
      return group.first == option.info().group;
    });
    if (place == result.end())
      place = result.insert(place, {option.info().group, {}});
    place->second.push_back(&option);
  }
  return result;
}

std::string usage(const ProgramSpec &program, const CommandSpec &command) {
  std::string text = program.name + " " + command.name;
  for (const Option &option : command.options.options()) {
    const OptionInfo &info = option.info();
    if (info.isPositional)
      text += info.isRequired ? " " + info.name : " [" + info.name + "]";
    else if (info.isRequired)
      text += " " + option.flag() + " " + info.placeholder;
  }
  return text + " [OPTIONS]";
}

std::string programHelp(const ProgramSpec &program, Style style, int width) {
  std::string text = program.summary + "\n\n" + style.bold("Usage") + "\n  " + program.name +
                     " COMMAND [ARGUMENTS] [OPTIONS]\n\n" + style.bold("Commands") + "\n";
  for (const CommandSpec &command : program.commands)
    if (!command.isHidden)
      text += row("  " + command.name, command.summary, style, width);
  text += groups(program.general, style, width);
  text += row("  -h, --help", "This text; of a command: COMMAND --help", style, width);
  text += row("      --version", "Print the version", style, width);
  return text + examples(program.examples, style);
}

std::string commandHelp(const ProgramSpec &program, const CommandSpec &command, Style style,
                        int width) {
  std::string text =
      command.summary + "\n\n" + style.bold("Usage") + "\n  " + usage(program, command) + "\n";
  if (!command.details.empty())
    text += "\n" + command.details + "\n";
  text += groups(command.options, style, width);
  text += groups(program.general, style, width);
  text += row("  -h, --help", "This text", style, width);
  return text + examples(command.examples, style);
}

} // namespace llmir
