// An example of a pass plugin for --pass-plugin: counts the products of a model. A plugin sees the
// llm dialect with its headers and links nothing of ours: the program that loads it has it.
#include "llmir/dialect/Llm.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

namespace {
struct CountProducts : PassWrapper<CountProducts, OperationPass<llmir::llm::ModelOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CountProducts)
  StringRef getArgument() const override { return "count-products"; }
  StringRef getDescription() const override { return "Write the number of llm.linear ops down"; }
  void runOnOperation() override {
    int64_t products = 0;
    getOperation().walk([&](llmir::llm::LinearOp) { ++products; });
    getOperation()->setAttr("products", Builder(&getContext()).getI64IntegerAttr(products));
    getOperation().emitRemark() << products << " products";
  }
};
} // namespace

extern "C" PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "count-products", LLMIR_VERSION,
          [] { PassRegistration<CountProducts>(); }};
}
