// Lines that a user types, with editing and history on a terminal, or lines from a pipe.
#pragma once

#include "llmir/support/Error.h"
#include <memory>
#include <string>

namespace llmir {

class LineReader {
public:
  enum class Outcome {
    Line,
    Cancelled, ///< Ctrl-C: the line is dropped
    End,       ///< Ctrl-D, or the end of the pipe
  };

  virtual ~LineReader() = default;
  /// Reads one line without its newline. Errors: the input cannot be read, a line over 16 MiB.
  virtual Expected<Outcome> read(const std::string &prompt, std::string &line) = 0;

  /// Editing and history (libedit). `historyFile` is read now and written after each line; one
  /// that cannot be is left alone. Empty: no history is kept.
  static std::unique_ptr<LineReader> onTerminal(const std::string &historyFile);
  /// Lines of stdin as they come; prompts are not shown.
  static std::unique_ptr<LineReader> onPipe();
};

/// $XDG_STATE_HOME/llmir/history or ~/.local/state/llmir/history; empty where neither variable is
/// set.
std::string defaultHistoryFile();

} // namespace llmir
