// Targets as attributes of models and back, and what is known of the host.
#include "llmir/codegen/Target.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace llmir;

namespace {

/// A model without a target.
struct Model {
  Model() {
    context.loadDialect<llm::LlmDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(
        R"(!kv = !llm.kv<layers = 1, heads = 1, k_dim = 4, v_dim = 4, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 4 : i64} {
  llm.weight @table : tensor<4x4xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x4xf32>, !kv) {
    %w = llm.get_weight @table : tensor<4x4xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    return %x, %kv : tensor<?x4xf32>, !kv
  }
})",
        &context);
  }
  llm::ModelOp op() { return *module->getOps<llm::ModelOp>().begin(); }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace

TEST(Target, IsAnAttributeOfTheModel) {
  Model model;
  auto none = Target::of(model.op());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "llm.model @m has no target");
  for (const char *name :
       {"host", "x86-64", "x86-64-v3", "x86-64-v4-vnni", "aarch64", "aarch64-dotprod"}) {
    Target target = Target::named(name).value();
    target.memoryBandwidth = 40'000'000'000;
    model.op().setTargetAttr(target.toAttribute(&model.context));
    auto read = Target::of(model.op());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->triple, target.triple);
    EXPECT_EQ(read->cpu, target.cpu);
    EXPECT_EQ(read->tuneCpu, target.tuneCpu);
    EXPECT_EQ(read->features, target.features);
    EXPECT_EQ(read->isa, target.isa);
    EXPECT_EQ(read->cpuFlags, target.cpuFlags);
    EXPECT_EQ(read->lanes(), target.lanes());
    EXPECT_EQ(read->l1dBytes, target.l1dBytes);
    EXPECT_EQ(read->l2Bytes, target.l2Bytes);
    EXPECT_EQ(read->l3Bytes, target.l3Bytes);
    EXPECT_EQ(read->cores, target.cores);
    EXPECT_EQ(read->memoryBandwidth, target.memoryBandwidth);
    EXPECT_EQ(read->toAttribute(&model.context), model.op().getTargetAttr());
  }
}

TEST(Target, DescribesTheHost) {
  Target host = Target::host().value();
  EXPECT_GE(host.cores, 1);
  // A level that the system tells of is larger than the one before; 0 is one that it does not.
  EXPECT_TRUE(host.l2Bytes == 0 || host.l2Bytes > host.l1dBytes);
  EXPECT_TRUE(host.l1dBytes == 0 || host.l1dBytes >= 4096);
  // A named level is no machine.
  EXPECT_EQ(Target::named("x86-64-v3").value().cores, 0);
}
