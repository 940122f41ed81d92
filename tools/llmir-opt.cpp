// llmir-opt: runs passes on IR in text, for tests and for looking at one pass alone. It knows all
// of MLIR's dialects and passes besides ours.
#include "llmir/dialect/Llm.h"
#include "llmir/transforms/Passes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<llmir::llm::LlmDialect>();
  mlir::registerAllPasses();
  llmir::llm::registerLlmPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "LLMIR's pass driver\n", registry));
}
