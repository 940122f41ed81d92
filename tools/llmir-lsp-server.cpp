// llmir-lsp-server: the language server for .mlir files with llm ops. An editor starts it and
// speaks the Language Server Protocol with it over stdin and stdout.
#include "llmir/dialect/Llm.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<llmir::llm::LlmDialect>();
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
