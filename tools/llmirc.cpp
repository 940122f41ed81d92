// llmirc: the compiler as a process of its own, so that nothing of LLVM lives in the programs that
// run models.
#include "llmir/compiler/Command.h"

int main(int argc, char **argv) { return llmir::compilerMain(argc, argv); }
