// What shares memory with what: phases, and functions of single elements that overwrite their
// operand.
#include "llmir/codegen/cpu/BufferPlan.h"

#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace llmir;
using namespace mlir;

namespace {

struct Function {
  MLIRContext context;
  OwningOpRef<ModuleOp> module;

  explicit Function(const std::string &body) {
    context.loadDialect<llm::LlmDialect, func::FuncDialect, arith::ArithDialect>();
    module = parseSourceString<ModuleOp>(
        "func.func @f(%x: tensor<?x32xf32>, %w: tensor<1000x32xf32>) -> tensor<?x1000xf32> {\n" +
            body + "return %r : tensor<?x1000xf32>\n}\n",
        &context);
    EXPECT_TRUE(module);
  }
  func::FuncOp get() { return *module->getOps<func::FuncOp>().begin(); }
  Value returned() { return get().getBody().front().getTerminator()->getOperand(0); }
};

/// A product, whose result is %p, and what else its phase does.
std::string phase(const std::string &rest) {
  return "%r = llm.fuse features (%a = %x, %b = %w) : (tensor<?x32xf32>, tensor<1000x32xf32>) -> "
         "tensor<?x1000xf32> {\n"
         "  %p = llm.linear %a, %b : (tensor<?x32xf32>, tensor<1000x32xf32>) -> "
         "tensor<?x1000xf32>\n" +
         rest + "}\n";
}

TEST(BufferPlan, ASoftcapOverwritesItsOperand) {
  Function function(phase("  %c = llm.softcap %p at 30.0 : tensor<?x1000xf32>\n"
                          "  llm.yield %c : tensor<?x1000xf32>\n"));
  Value root = cpu::rootOf(function.returned());
  EXPECT_TRUE(root.getDefiningOp<llm::LinearOp>());
  EXPECT_EQ(cpu::BufferPlan::of(function.get(), {root}).frameBytes, 0)
      << "logits go straight to where they are wanted";
}

TEST(BufferPlan, AnOperandThatIsReadAgainIsKept) {
  Function function(phase("  %c = llm.softcap %p at 30.0 : tensor<?x1000xf32>\n"
                          "  %s = arith.addf %c, %p : tensor<?x1000xf32>\n"
                          "  llm.yield %s : tensor<?x1000xf32>\n"));
  EXPECT_EQ(cpu::BufferPlan::of(function.get(), {}).offsets.size(), 3u);
}

} // namespace
