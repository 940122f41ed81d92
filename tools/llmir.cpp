// llmir: the command-line program. No MLIR or LLVM in it; models are compiled by llmirc.
#include "llmir/cli/Cli.h"

int main(int argc, char **argv) { return llmir::cliMain(argc, argv); }
