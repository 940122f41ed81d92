// Calls, loops, phases, and every way a step can be refused.
#include "TestModel.h"

using namespace llmir;
using namespace llmir::reference;
using testing::HasSubstr;

static const char *layerWeights =
    "llm.weight @w : tensor<4x4xf32> from \"blk.{}.w\" layers [0, 2]\n";
static const char *layerFunction = R"(
func.func @layer(%layer: index, %x: tensor<?x4xf32>, %kv: !kv, %batch: !batch) -> (tensor<?x4xf32>, !kv) {
  %w = llm.get_weight @w[%layer] : tensor<4x4xf32>
  %p = llm.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %zero = arith.constant 0 : index
  %kv1 = llm.kv_append %kv[%zero], %p, %x, %batch : !kv, tensor<?x4xf32>, tensor<?x4xf32>, !batch
  %o = llm.attention %x, %kv1[%zero], %batch {scale = 1.0 : f64} : (tensor<?x4xf32>, !kv, !batch) -> tensor<?x4xf32>
  %y = arith.addf %o, %p : tensor<?x4xf32>
  return %y, %kv1 : tensor<?x4xf32>, !kv
}
)";

static void addLayers(TestModel &model) {
  model.addFloats("blk.0.w", {4, 4}, randomVector(16, 21));
  model.addFloats("blk.2.w", {4, 4}, randomVector(16, 22));
}

/// One function called with two indices, a loop over them, and the same ops written out agree.
TEST(Control, CallLoopAndPhasesGiveTheSameBits) {
  Rows x = randomRows(6, 4, 20);
  std::string declarations = std::string(layerWeights) + layerFunction;
  std::string signature = " : (index, tensor<?x4xf32>, !kv, !batch) -> (tensor<?x4xf32>, !kv)\n";
  TestModel calls(x, declarations,
                  "%two = arith.constant 2 : index\n"
                  "%a, %kv0 = func.call @layer(%zero, %x, %kv, %batch)" +
                      signature + "%y, %kv1 = func.call @layer(%two, %a, %kv0, %batch)" + signature,
                  4);
  TestModel loop(x, declarations,
                 "%one = arith.constant 1 : index\n%two = arith.constant 2 : index\n"
                 "%three = arith.addi %two, %one : index\n"
                 "%y, %kv1 = scf.for %i = %zero to %three step %two iter_args(%a = %x, %c = %kv) "
                 "-> (tensor<?x4xf32>, !kv) {\n"
                 "%b, %d = func.call @layer(%i, %a, %c, %batch)" +
                     signature + "scf.yield %b, %d : tensor<?x4xf32>, !kv\n}",
                 4);
  auto layer = [](const std::string &n, const std::string &index, const std::string &in,
                  const std::string &kv, const std::string &out, const std::string &kvOut) {
    return "%w" + n + " = llm.get_weight @w[" + index + "] : tensor<4x4xf32>\n" + "%p" + n +
           " = llm.fuse features (%a = " + in + ", %w = %w" + n +
           ") : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> {\n"
           "%p = llm.linear %a, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>\n"
           "llm.yield %p : tensor<?x4xf32>\n}\n" +
           kvOut + " = llm.fuse tokens (%c = " + kv + ", %l = %zero, %k = %p" + n + ", %v = " + in +
           ", %b = %batch) : (!kv, index, tensor<?x4xf32>, tensor<?x4xf32>, !batch) -> !kv {\n"
           "%c1 = llm.kv_append %c[%l], %k, %v, %b : !kv, tensor<?x4xf32>, tensor<?x4xf32>, "
           "!batch\n"
           "llm.yield %c1 : !kv\n}\n" +
           "%o" + n + " = llm.fuse heads (%q = " + in + ", %c = " + kvOut +
           ", %l = %zero, %b = %batch) : (tensor<?x4xf32>, !kv, index, !batch) -> tensor<?x4xf32> "
           "{\n"
           "%o = llm.attention %q, %c[%l], %b {scale = 1.0 : f64} : (tensor<?x4xf32>, !kv, !batch) "
           "-> tensor<?x4xf32>\n"
           "llm.yield %o : tensor<?x4xf32>\n}\n" +
           out + " = arith.addf %o" + n + ", %p" + n + " : tensor<?x4xf32>\n";
  };
  TestModel fused(x, layerWeights,
                  "%two = arith.constant 2 : index\n" +
                      layer("0", "%zero", "%x", "%kv", "%y0", "%kv0") +
                      layer("1", "%two", "%y0", "%kv0", "%y", "%kv1"),
                  4);
  for (TestModel *model : {&calls, &loop, &fused})
    addLayers(*model);
  Tensor expected = calls.run();
  EXPECT_EQ(expected.rows(), 6);
  EXPECT_EQ(loop.run().values, expected.values);
  EXPECT_EQ(fused.run().values, expected.values);
}

/// A value that a nested region reads again and again is kept; a loop of no rounds gives its
/// inputs.
TEST(Control, LoopsReadValuesFromOutside) {
  TestModel model(
      {{1, 2}}, "",
      "%one = arith.constant 1 : index\n%three = arith.constant 3 : index\n"
      "%two = arith.subi %three, %one : index\n"
      "%six = arith.muli %three, %two : index\n"
      "%z = scf.for %i = %six to %zero step %one iter_args(%a = %x) -> (tensor<?x2xf32>) {\n"
      "scf.yield %x : tensor<?x2xf32>\n}\n"
      "%y = scf.for %i = %zero to %six step %two iter_args(%a = %z) -> (tensor<?x2xf32>) {\n"
      "%b = arith.addf %a, %x : tensor<?x2xf32>\n"
      "scf.yield %b : tensor<?x2xf32>\n}",
      2);
  expectRow(model.run(), 0, {4, 8}, 0);
}

static std::string errorOf(TestModel &model) {
  auto result = model.tryRun();
  EXPECT_FALSE(result.has_value());
  return result ? "" : result.error().message;
}

TEST(Errors, UnknownOpIsNamedWithItsPlace) {
  TestModel model({{1, 2}}, "", "%y = arith.divf %x, %x : tensor<?x2xf32>", 2);
  EXPECT_THAT(errorOf(model),
              HasSubstr("'arith.divf': the interpreter has no definition of this op"));
  EXPECT_THAT(errorOf(model), HasSubstr("test.mlir:"));
}

TEST(Errors, ArithOfOtherTypes) {
  TestModel model({{1, 2}}, "",
                  "%i = arith.constant 1 : i32\n%y = llm.scale %x by 2.0 : tensor<?x2xf32>", 2);
  EXPECT_THAT(errorOf(model), HasSubstr("constants of type index only"));
}

TEST(Errors, LoopThatDoesNotAdvance) {
  TestModel model(
      {{1, 2}}, "",
      "%one = arith.constant 1 : index\n"
      "%y = scf.for %i = %zero to %one step %zero iter_args(%a = %x) -> (tensor<?x2xf32>) {\n"
      "scf.yield %a : tensor<?x2xf32>\n}",
      2);
  EXPECT_THAT(errorOf(model), HasSubstr("the step is 0, it must be positive"));
}

TEST(Errors, EndlessRecursion) {
  TestModel model({{1, 2}},
                  "func.func @f(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {\n"
                  "%y = func.call @f(%x) : (tensor<?x2xf32>) -> tensor<?x2xf32>\n"
                  "return %y : tensor<?x2xf32>\n}",
                  "%y = func.call @f(%x) : (tensor<?x2xf32>) -> tensor<?x2xf32>", 2);
  EXPECT_THAT(errorOf(model), HasSubstr("calls are nested more than 64 deep"));
}

TEST(Errors, FunctionWithoutBody) {
  TestModel model({{1, 2}}, "func.func private @f(tensor<?x2xf32>) -> tensor<?x2xf32>",
                  "%y = func.call @f(%x) : (tensor<?x2xf32>) -> tensor<?x2xf32>", 2);
  EXPECT_THAT(errorOf(model), HasSubstr("@f has no body in the model"));
}

TEST(Errors, FunctionOfTwoBlocks) {
  TestModel model({{1, 2}},
                  "func.func @f(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {\n"
                  "cf.br ^next\n^next:\nreturn %x : tensor<?x2xf32>\n}",
                  "%y = func.call @f(%x) : (tensor<?x2xf32>) -> tensor<?x2xf32>", 2);
  EXPECT_THAT(errorOf(model), HasSubstr("the interpreter runs bodies of one block; this has 2"));
}

TEST(Errors, RotationOfALayerThatTheTableLacks) {
  const std::string rope = "#llm.rope<style = half, dim = 2, theta = 7.0 : f64, magnitude = 1.0 : "
                           "f64, factors = []>";
  TestModel model({{1, 2}}, "",
                  "%two = arith.constant 2 : index\n%y = llm.rope %x, %positions[%two] {head_dim = "
                  "2 : i64, ropes = [" +
                      rope + ", " + rope + "]} : tensor<?x2xf32>, tensor<?xi32>",
                  2);
  EXPECT_THAT(errorOf(model), HasSubstr("layer 2 of a table of 2 rotations"));
}

/// Three experts are routed to; the sums and products below know of two.
TEST(Errors, ExpertsThatAreNotThere) {
  const std::string route = "%e, %s = llm.experts.route softmax %x : (tensor<?x3xf32>) -> "
                            "(tensor<?x1xi32>, tensor<?x1xf32>)\n",
                    rest = "%w = llm.get_weight @w : tensor<2x3x3xf32>\n"
                           "%d = llm.experts.linear %x, %w, %e, %o : (tensor<?x3xf32>, "
                           "tensor<2x3x3xf32>, tensor<?x1xi32>, tensor<?x1xi32>) -> "
                           "tensor<?x1x3xf32>\n",
                    combine = "%y = llm.experts.combine %d, %s : (tensor<?x1x3xf32>, "
                              "tensor<?x1xf32>) -> tensor<?x3xf32>";
  auto error = [&](const char *groups, const std::string &end, float last) {
    TestModel model(
        {{1, 1, last}}, "llm.weight @w : tensor<2x3x3xf32> from \"w\"",
        route + "%o = llm.experts.group %e of " + groups + " : tensor<?x1xi32>\n" + rest + end, 3);
    model.addFloats("w", {2, 3, 3}, std::vector<float>(18));
    return errorOf(model);
  };
  EXPECT_THAT(error("2", combine, 9), HasSubstr("'llm.experts.group': expert 2 of 2"));
  EXPECT_THAT(error("3", combine, 9), HasSubstr("'llm.experts.linear': expert 2 of 2"));
  EXPECT_THAT(error("3", "%n = arith.addf %d, %d : tensor<?x1x3xf32>\n" + combine, 0),
              HasSubstr("the interpreter defines this op for activations tensor<?xDxf32> only"));
}

TEST(Errors, RowsOfTokensAndOfLogitsMixed) {
  TestModel model({{1, 2}, {3, 4}}, "",
                  "%r = llm.logit_rows %x, %batch : (tensor<?x2xf32>, !batch) -> tensor<?x2xf32>\n"
                  "%y = arith.addf %x, %r : tensor<?x2xf32>",
                  2);
  SequenceStep sequence{{0, 1}, 0, {0}};
  KvCache kv = model.cache();
  auto y = model.interpreter().step(Batch::of({&sequence, 1}, 8, LogitRows::LastOfSequence), kv);
  ASSERT_FALSE(y);
  EXPECT_THAT(y.error().message, HasSubstr("'arith.addf': an operand has 1 rows, 2 are needed"));
}

TEST(Errors, LayerOutsideOfTheCache) {
  TestModel model({{1, 2, 3, 4}}, "",
                  "%two = arith.constant 2 : index\n"
                  "%y = llm.attention %x, %kv[%two], %batch {scale = 1.0 : f64} : "
                  "(tensor<?x4xf32>, !kv, !batch) -> tensor<?x4xf32>",
                  4);
  EXPECT_THAT(errorOf(model), HasSubstr("layer 2 of a cache of 2 layers"));
}

TEST(Errors, WeightsThatDoNotFit) {
  std::string body =
      "%one = arith.constant 1 : index\n%w = llm.get_weight @w[%zero] : tensor<4x4xf32>\n"
      "%y = llm.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>";
  TestModel model({{1, 2, 3, 4}}, layerWeights, body, 4);
  EXPECT_THAT(errorOf(model), HasSubstr("weight @w ('blk.0.w'): no such tensor"));
  model.addFloats("blk.0.w", {4, 3}, std::vector<float>(12));
  EXPECT_THAT(
      errorOf(model),
      HasSubstr("weight @w ('blk.0.w') is f32 [4, 3] in the source, the model needs f32 [4, 4]"));
  model.addHalves("blk.0.w", {4, 4}, std::vector<float>(16));
  EXPECT_THAT(errorOf(model), HasSubstr("is f16 [4, 4] in the source, the model needs f32 [4, 4]"));
  model.addBytes("blk.0.w", Format::F32, {4, 4}, std::vector<uint8_t>(63));
  EXPECT_THAT(errorOf(model), HasSubstr("has 63 bytes in the source, f32 [4, 4] needs 64"));

  TestModel quantised({std::vector<float>(32)},
                      "llm.weight @q : tensor<1x32x!llm.quant<q8_0>> from \"q\"",
                      "%q = llm.get_weight @q : tensor<1x32x!llm.quant<q8_0>>\n"
                      "%y = llm.linear %x, %q : (tensor<?x32xf32>, tensor<1x32x!llm.quant<q8_0>>) "
                      "-> tensor<?x1xf32>",
                      1);
  quantised.addHalves("q", {1, 32}, std::vector<float>(32, NAN));
  EXPECT_THAT(errorOf(quantised), HasSubstr("weight @q ('q') holds a number that is not finite, in "
                                            "row 0, column 0: it cannot be quantised"));
  quantised.addBytes("q", Format::Q4_0, {1, 32}, std::vector<uint8_t>(18));
  EXPECT_THAT(errorOf(quantised), HasSubstr("is q4_0 [1, 32] in the source, the model needs q8_0"));
  quantised.addBytes("q", Format::F16, {1, 32}, std::vector<uint8_t>(34));
  EXPECT_THAT(errorOf(quantised), HasSubstr("has 34 bytes in the source, f16 [1, 32] needs 64"));

  body.replace(body.find("[%zero]"), 7, "[%one]");
  TestModel layer({{1, 2, 3, 4}}, layerWeights, body, 4);
  EXPECT_THAT(errorOf(layer), HasSubstr("weight @w has no layer 1"));
}

TEST(Errors, CacheOfAnotherType) {
  TestModel model({{1, 2}}, "", "%y = llm.scale %x by 2.0 : tensor<?x2xf32>", 2);
  KvCache other(llm::KvType::get(model.model().getContext(), 2, 2, 4, 4, 8,
                                 mlir::Float32Type::get(model.model().getContext())),
                4);
  SequenceStep sequence{{0}, 0, {0}};
  auto y = model.interpreter().step(Batch::of({&sequence, 1}, 8), other);
  ASSERT_FALSE(y);
  EXPECT_THAT(y.error().message, HasSubstr("heads = 2"));
}

TEST(Errors, BatchOfAnotherKind) {
  Rows x = {{1, 2}, {3, 4}};
  std::string body = "%y = llm.scale %x by 2.0 : tensor<?x2xf32>";
  TestModel decode(x, "", body, 2, TestModel::defaultKv, "decode");
  EXPECT_THAT(errorOf(decode), HasSubstr("sequence 0 has 2 tokens, @step takes a decode batch"));
  TestModel prefill({{1, 2}}, "", body, 2, TestModel::defaultKv, "prefill");
  EXPECT_THAT(errorOf(prefill), HasSubstr("sequence 0 has 1 tokens, @step takes a prefill batch"));
}
