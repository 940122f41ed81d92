// yaml-cpp's events, not its tree: each comes with its line, duplicates are seen, and an alias is
// refused where it stands instead of being expanded.
#include "llmir/cli/ConfigFile.h"

#include "llmir/support/MappedFile.h"
#include "llmir/support/Text.h"
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace llmir {

namespace {

constexpr size_t maxBytes = 64 << 10;

struct Entry {
  std::string section, key; // section: empty for all commands
  int line = 0;
  std::vector<std::string> values;
  bool isList = false;
};

/// Collects entries; keeps the first error and ignores what follows it.
class Collector : public YAML::EventHandler {
public:
  std::vector<Entry> entries;
  std::string error;
  int errorLine = 0;

  void OnDocumentStart(const YAML::Mark &mark) override {
    if (++documents > 1)
      refuse(mark, "a second document; one is expected");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark &mark, YAML::anchor_t anchor) override {
    if (levels.empty())
      return; // an empty document
    value(mark, anchor, "", /*isNull=*/true);
  }
  void OnAlias(const YAML::Mark &mark, YAML::anchor_t) override {
    refuse(mark, "an alias (*name); they are not supported here");
  }
  void OnScalar(const YAML::Mark &mark, const std::string &, YAML::anchor_t anchor,
                const std::string &text) override {
    value(mark, anchor, text, /*isNull=*/false);
  }
  void OnSequenceStart(const YAML::Mark &mark, const std::string &, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    checkAnchor(mark, anchor);
    if (levels.empty() || levels.back() != Level::Value)
      refuse(mark, "a list; 'option: value' lines are expected");
    levels.push_back(Level::List);
    begin().isList = true;
  }
  void OnSequenceEnd() override { endValue(); }
  void OnMapStart(const YAML::Mark &mark, const std::string &, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    checkAnchor(mark, anchor);
    if (levels.empty()) {
      levels.push_back(Level::Key);
      return;
    }
    if (levels.back() == Level::Value && section.empty() && levels.size() == 1) {
      section = key;
      if (!sections.insert(section).second)
        refuse(keyLine, fmt::format("the section {} is here a second time", inQuotes(section)));
    } else {
      refuse(mark, fmt::format("{}: nested deeper than a command and its options", inQuotes(key)));
    }
    levels.push_back(Level::Key);
  }
  void OnMapEnd() override {
    levels.pop_back();
    if (!levels.empty()) { // of a section
      section.clear();
      levels.back() = Level::Key;
    }
  }

private:
  enum class Level { Key, Value, List };

  void refuse(const YAML::Mark &mark, std::string message) {
    refuse(mark.line + 1, std::move(message));
  }
  void refuse(int line, std::string message) {
    if (error.empty()) {
      error = std::move(message);
      errorLine = line;
    }
  }
  void checkAnchor(const YAML::Mark &mark, YAML::anchor_t anchor) {
    if (anchor)
      refuse(mark, "an anchor (&name); they are not supported here");
  }
  Entry &begin() { return entries.emplace_back(Entry{section, key, keyLine, {}, false}); }
  void endValue() {
    levels.pop_back();
    if (!levels.empty())
      levels.back() = Level::Key;
  }

  void value(const YAML::Mark &mark, YAML::anchor_t anchor, const std::string &text, bool isNull) {
    checkAnchor(mark, anchor);
    if (levels.empty())
      return refuse(mark, "plain text; 'option: value' lines are expected");
    switch (levels.back()) {
    case Level::Key:
      key = text;
      keyLine = mark.line + 1;
      levels.back() = Level::Value;
      if (!keys.insert({section, key}).second)
        refuse(mark, fmt::format("{} is here a second time", inQuotes(key)));
      return;
    case Level::Value:
      if (isNull)
        refuse(keyLine, fmt::format("{} has no value", inQuotes(key)));
      begin().values.push_back(text);
      levels.back() = Level::Key;
      return;
    case Level::List:
      if (isNull)
        refuse(mark, fmt::format("{} has an item without a value", inQuotes(key)));
      if (!entries.empty())
        entries.back().values.push_back(text);
      return;
    }
  }

  int documents = 0;
  std::vector<Level> levels;
  std::string section, key;
  int keyLine = 0;
  std::set<std::string> sections;
  std::set<std::pair<std::string, std::string>> keys;
};

Expected<std::vector<Entry>> readEntries(const std::string &path) {
  auto file = MappedFile::open(path);
  if (!file)
    return forward(file);
  if (file->bytes().size() > maxBytes)
    return fail("{}: has {} bytes; a configuration file has at most {}", path, file->bytes().size(),
                maxBytes);
  std::istringstream stream(
      std::string(reinterpret_cast<const char *>(file->bytes().data()), file->bytes().size()));
  Collector collector;
  try {
    YAML::Parser parser(stream);
    while (collector.error.empty() && parser.HandleNextDocument(collector))
      ;
  } catch (const YAML::Exception &error) {
    return fail("{}:{}: no valid YAML: {}", path, error.mark.line + 1, error.msg);
  }
  if (!collector.error.empty())
    return fail("{}:{}: {}", path, collector.errorLine, collector.error);
  return std::move(collector.entries);
}

void addFileOptions(const OptionTable &table, std::vector<std::string> &names) {
  for (const Option &option : table.options())
    if (option.info().isInFile)
      names.push_back(option.info().name);
}

Option *findFileOption(OptionTable &table, const std::string &name) {
  Option *option = table.find(name);
  return option && option->info().isInFile ? option : nullptr;
}

tl::unexpected<Error> unknownKey(const Entry &entry, const std::string &where, ProgramSpec &program,
                                 CommandSpec *section) {
  std::vector<std::string> names;
  addFileOptions(program.general, names);
  if (section) {
    addFileOptions(section->options, names);
    return fail("{}: unknown option {} of {}{}", where, inQuotes(entry.key), section->name,
                suggestion(entry.key, names));
  }
  for (const CommandSpec &command : program.commands)
    addFileOptions(command.options, names);
  return fail("{}: unknown option {}{}", where, inQuotes(entry.key), suggestion(entry.key, names));
}

/// Stores where the option is of the running command, checks otherwise.
Status apply(const Entry &entry, const std::string &path, ProgramSpec &program,
             CommandSpec &running) {
  std::string where = fmt::format("{}:{}", path, entry.line);
  std::string place = fmt::format("{}: {}", where, entry.key);
  std::vector<CommandSpec *> sections;
  if (!entry.section.empty()) {
    CommandSpec *section = program.find(entry.section);
    if (!section) {
      std::vector<std::string> names;
      for (const CommandSpec &command : program.commands)
        names.push_back(command.name);
      return fail("{}: unknown section {}{}: sections are named as commands", where,
                  inQuotes(entry.section), suggestion(entry.section, names));
    }
    sections.push_back(section);
  } else {
    for (CommandSpec &command : program.commands)
      sections.push_back(&command);
  }
  Option *own = nullptr; // what the running command takes from here
  if (entry.section.empty() || entry.section == running.name) {
    own = findFileOption(program.general, entry.key);
    if (!own)
      own = findFileOption(running.options, entry.key);
  }
  std::vector<Option *> others;
  if (Option *option = findFileOption(program.general, entry.key))
    others.push_back(option);
  for (CommandSpec *section : sections)
    if (Option *option = findFileOption(section->options, entry.key))
      others.push_back(option);
  if (others.empty())
    return unknownKey(entry, where, program, entry.section.empty() ? nullptr : sections[0]);
  auto check = [&](const Option &option) -> Status {
    if (entry.isList && !option.info().isList)
      return fail("{}: one value is expected, not a list", place);
    return option.check(entry.values, place);
  };
  if (own) {
    Status status = check(*own);
    return status ? own->set(entry.values, OptionSource::File, place) : status;
  }
  // Commands may give one name different ranges: outside of a section, one that agrees is enough.
  Status status;
  for (Option *option : others)
    if (status = check(*option); status)
      break;
  return status;
}

} // namespace

std::string defaultConfigFile() {
  for (auto [variable, below] : {std::pair{"XDG_CONFIG_HOME", ""}, {"HOME", ".config"}})
    if (const char *value = std::getenv(variable); value && *value)
      return (std::filesystem::path(value) / below / "llmir" / "config.yaml").string();
  return "";
}

Status readConfigFile(const std::string &path, ProgramSpec &program, CommandSpec &command) {
  auto entries = readEntries(path);
  if (!entries)
    return forward(entries);
  // A section is nearer to the command than the lines for all: it is applied last and wins.
  for (bool inSections : {false, true})
    for (const Entry &entry : *entries)
      if (entry.section.empty() != inSections)
        if (Status status = apply(entry, path, program, command); !status)
          return status;
  return {};
}

} // namespace llmir
