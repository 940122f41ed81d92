// The message is made before: a signal handler may do next to nothing.
#include "llmir/cli/BusError.h"

#include <csignal>
#include <fmt/format.h>
#include <unistd.h>

namespace llmir {

namespace {

std::string message;

void onBusError(int) {
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, message.data(), message.size());
  _exit(1);
}

} // namespace

void explainBusErrors(const std::string &file) {
  message = fmt::format("error: {}: the file, or its compiled form, became shorter or unreadable "
                        "while in use: start again when it is whole\n",
                        file);
  struct sigaction action{};
  action.sa_handler = onBusError;
  sigaction(SIGBUS, &action, nullptr);
}

} // namespace llmir
