// The command line of llmirc, the compiler process: `llmirc compile MODEL -o FOLDER` and `llmirc
// import MODEL`.
#pragma once

namespace llmir {

/// Returns the exit code. Progress goes to stderr; what was asked for goes to files or stdout; an
/// error is one line.
int compilerMain(int argc, char **argv);

} // namespace llmir
