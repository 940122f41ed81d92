// The compiler as a child process: whatever happens to it (a crash, a signal, running out of
// memory) becomes a diagnostic here.
#pragma once

#include "llmir/support/Error.h"
#include <string>
#include <vector>

namespace llmir {

/// `llmirc` beside the running executable. Errors: it is not there.
Expected<std::string> findCompiler();

/// Runs `compiler` with `arguments` and waits. Its stdout is ours; its stderr passes through line
/// by line, but for its last line that begins with "error:", which becomes the Error when it fails,
/// with its exit code;
/// lines that begin with "progress:" are shown on a terminal only, each in the place of the last.
/// SIGINT and SIGTERM that reach this process in the meantime are passed on to it.
Status runCompiler(const std::string &compiler, const std::vector<std::string> &arguments);

} // namespace llmir
