// Ctrl-C as a question instead of an end: programs that go on after it ask whether it came.
#pragma once

#include <csignal>

namespace llmir {

/// While it lives, SIGINT does nothing but set a flag; waiting system calls return with EINTR.
class InterruptFlag {
public:
  InterruptFlag();
  ~InterruptFlag();

  bool isSet() const;
  void clear();

private:
  struct sigaction previous{};
};

} // namespace llmir
