// The one table of options: each is declared once, with its name, group, default, range and help.
// From that one line come the flag (--prefill-chunk), the environment variable
// (LLMIR_PREFILL_CHUNK), the key of a configuration file (prefill-chunk), the help, the shell
// completion and the reference page. Values from all places go through the same checks.
#pragma once

#include "llmir/support/Error.h"
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace llmir {

/// Where a value came from; a later one wins over an earlier one.
enum class OptionSource { Default, File, Environment, CommandLine };

/// What one declaration says.
struct OptionInfo {
  std::string name; ///< "prefill-chunk"; of a positional argument "MODEL"
  char letter = 0;  ///< 't' for -t; 0: none
  std::string group;
  std::string help;
  std::string placeholder; ///< of the value: "N", "FILE"; empty for flags
  std::string defaultText; ///< empty: none
  std::vector<std::string> choices;
  std::optional<double> least, most;
  std::vector<std::string> needs, excludes; ///< names of other options of the command
  bool isFlag = false;
  bool isList = false; ///< "1,8,32", or given several times
  bool isSplit = true; ///< false: a comma belongs to the value of a list
  bool isPositional = false;
  bool isRequired = false;
  bool isCommandLineOnly = false; ///< no environment variable, no key in a file
  bool isInFile = true;           ///< false: flag and environment variable, but no key in a file
};

class Option {
public:
  /// What an option can be written to; it must outlive the table. A bool is a flag. Its value at
  /// the time of the declaration is the default.
  using Variable = std::variant<bool *, int32_t *, int64_t *, uint64_t *, float *, double *,
                                std::string *, std::optional<std::string> *, std::vector<int32_t> *,
                                std::vector<std::string> *>;

  Option(OptionInfo declared, Variable variable);

  // The rest of a declaration: table.add("threads", threads, "…").letter('t').range(1, 64);
  Option &letter(char letter);
  Option &placeholder(std::string text);
  /// Given values must lie in [least, most]; the default may be another one that means "not given".
  Option &range(double least, double most);
  Option &choices(std::vector<std::string> values);
  /// What to call the default where its value says nothing: "the model's".
  Option &defaultText(std::string text);
  Option &required();
  /// Only together with the other option.
  Option &needs(std::string other);
  /// Not together with the other option. Where the two come from different places, the stronger
  /// place wins; from the same place, it is an error.
  Option &excludes(std::string other);
  Option &commandLineOnly();
  Option &notInFile();
  /// Of a list: values may hold commas; several are given by repeating the option.
  Option &repeated();

  const OptionInfo &info() const { return declared; }
  /// "--threads", or "MODEL".
  std::string flag() const;
  /// "LLMIR_THREADS"; empty where there is none.
  std::string environmentName() const;
  /// Whether shells should offer files for the value.
  bool takesFile() const;
  /// "a whole number from 1 to 64".
  std::string expected() const;

  /// Parses, checks and stores. Does nothing where a stronger source has spoken. `place` names the
  /// source in errors: "--threads", "LLMIR_THREADS in the environment", "config.yaml:3: threads".
  Status set(std::span<const std::string> values, OptionSource source, std::string place);
  /// The same without storing.
  Status check(std::span<const std::string> values, const std::string &place) const;
  /// Back to the default: another option that excludes this one comes from a stronger place.
  void reset();

  /// The variable's value as a user would type it.
  std::string valueText() const;
  OptionSource source() const { return from; }
  bool isGiven() const { return from != OptionSource::Default; }
  /// Where its value came from, as `set` was told.
  const std::string &place() const { return givenPlace; }
  /// The value as it was typed; of a list the last one.
  const std::string &text() const { return givenText; }

private:
  using Value =
      std::variant<bool, int32_t, int64_t, uint64_t, float, double, std::string,
                   std::optional<std::string>, std::vector<int32_t>, std::vector<std::string>>;
  Expected<Value> parse(std::span<const std::string> values, const std::string &place) const;
  void store(Value value);

  OptionInfo declared;
  Variable variable;
  Value initial;
  OptionSource from = OptionSource::Default;
  std::string givenPlace, givenText;
};

/// The options of one command, in the order of their declaration.
class OptionTable {
public:
  /// Options declared from now on belong to this group of the help.
  void group(std::string title) { currentGroup = std::move(title); }
  /// No option of this table, from now on, has an environment variable or a key in files.
  void commandLineOnly() { isCommandLineOnly = true; }
  Option &add(std::string name, Option::Variable variable, std::string help);
  /// An argument without a flag, "MODEL"; `required`: its absence is an error.
  Option &positional(std::string name, Option::Variable variable, std::string help,
                     bool required = true);

  std::deque<Option> &options() { return list; }
  const std::deque<Option> &options() const { return list; }
  /// By name, "threads"; nullptr: there is none.
  Option *find(std::string_view name);
  const Option *find(std::string_view name) const;

private:
  std::deque<Option> list; // references to elements stay valid
  std::string currentGroup = "Options";
  bool isCommandLineOnly = false;
};

} // namespace llmir
