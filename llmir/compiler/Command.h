// The command line of llmirc, the compiler process: `llmirc compile MODEL -o FILE`, `llmirc plan
// MODEL`, `llmirc import MODEL`.
#pragma once

namespace llmir {

/// Returns the exit code; exitOutputFailed (Artifact.h) where only the place of the artifact is to
/// blame. Progress goes to stderr; what was asked for goes to files or stdout; an
/// error is one line.
int compilerMain(int argc, char **argv);

} // namespace llmir
