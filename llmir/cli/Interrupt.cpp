// A signal handler may do little more than this.
#include "llmir/cli/Interrupt.h"

namespace llmir {

static volatile sig_atomic_t interrupted = 0;

InterruptFlag::InterruptFlag() {
  interrupted = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };
  sigaction(SIGINT, &action, &previous);
}

InterruptFlag::~InterruptFlag() { sigaction(SIGINT, &previous, nullptr); }

bool InterruptFlag::isSet() const { return interrupted; }

void InterruptFlag::clear() { interrupted = 0; }

} // namespace llmir
