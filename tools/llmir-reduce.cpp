// llmir-reduce: cuts a module that makes something fail down to a small one that still does. A
// script says whether a module does (exit code 1: yes); docs/debugging.md has an example.
#include "llmir/dialect/Llm.h"
#include "llmir/transforms/Passes.h"
#include "llmir/transforms/Reductions.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registry.insert<llmir::llm::LlmDialect>();
  llmir::llm::registerReductions(registry);
  mlir::registerAllPasses();
  llmir::llm::registerLlmPasses();
  mlir::MLIRContext context(registry);
  return mlir::failed(mlir::mlirReduceMain(argc, argv, context));
}
