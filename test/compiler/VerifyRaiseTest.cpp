// The comparison of an imported graph with what raising made of it: equal, wrong, and not
// comparable.
#include "llmir/compiler/VerifyRaise.h"
#include "llmir/compiler/Compile.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Parser/Parser.h"
#include <gmock/gmock.h>

using namespace llmir;
using testing::HasSubstr;

namespace {

constexpr const char *doubled = R"(llm.graph @raw {
  func.func @forward(%x: tensor<1x?x4xf32>) -> tensor<1x?x4xf32> {
    %y = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b, c)>],
           iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : tensor<1x?x4xf32>) outs(%x : tensor<1x?x4xf32>) {
    ^bb0(%a: f32, %out: f32):
      %s = arith.addf %a, %a : f32
      linalg.yield %s : f32
    } -> tensor<1x?x4xf32>
    return %y : tensor<1x?x4xf32>
  }
})";

/// A ragged graph that scales by `factor`.
std::string scaled(const std::string &factor) {
  return R"(llm.graph @ragged {
    func.func @forward(%batch: !llm.batch<mixed>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
      %y = llm.scale %x by )" +
         factor + R"( : tensor<?x4xf32>
      return %y : tensor<?x4xf32>
    }
  })";
}

std::string compare(const std::string &raw, const std::string &ragged) {
  mlir::MLIRContext context(compilerDialects());
  context.loadAllAvailableDialects();
  context.loadDialect<mlir::linalg::LinalgDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(raw + "\n" + ragged, &context);
  if (!module)
    return "does not parse";
  auto graphs = llvm::to_vector(module->getOps<llm::GraphOp>());
  auto weights = [](llvm::StringRef) -> Expected<reference::WeightBytes> { return fail("none"); };
  auto status = verifyRaise(graphs[0], graphs[1], weights, 1);
  return status ? "same" : status.error().message;
}

TEST(VerifyRaise, RaisingMustKeepTheMeaning) {
  EXPECT_EQ(compare(doubled, scaled("2.0")), "same");
  EXPECT_THAT(compare(doubled, scaled("2.01")), HasSubstr("--verify: raising changes result 0 by"));
}

TEST(VerifyRaise, WhatCannotBeComparedSaysSo) {
  EXPECT_THAT(compare(R"(llm.graph @raw {
                func.func @forward(%x: tensor<4xf32>) -> tensor<4xf32> { return %x : tensor<4xf32> }
              })",
                      scaled("2.0")),
              HasSubstr("must take token ids [1, t] or activations [1, t, h] alone"));
  EXPECT_THAT(compare(R"(llm.graph @raw {
                func.func @forward(%x: tensor<2x?x4xf32>) -> tensor<2x?x4xf32> { return %x : tensor<2x?x4xf32> }
              })",
                      scaled("2.0")),
              HasSubstr("takes a batch other than 1"));
  EXPECT_THAT(compare(R"(llm.graph @raw {
                func.func @forward(%x: tensor<1x?x4xf32>) -> (tensor<1x?x4xf32>, tensor<1x?x4xf32>) {
                  return %x, %x : tensor<1x?x4xf32>, tensor<1x?x4xf32>
                }
              })",
                      scaled("2.0")),
              HasSubstr("the raised graph gives 1 tensors, the imported one 2"));
}

} // namespace
