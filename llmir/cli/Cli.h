// The command line of `llmir`: one file a command, one table of the options they share.
#pragma once

namespace llmir {

/// Returns the exit code: 0, or 1 with one line "error: …" on stderr.
int cliMain(int argc, char **argv);

} // namespace llmir
