// SIGBUS: a mapped file became shorter while it was in use.
#pragma once

#include <string>

namespace llmir {

/// From now on a SIGBUS ends the process with one line that names `file`, exit code 1.
void explainBusErrors(const std::string &file);

} // namespace llmir
