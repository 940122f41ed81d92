// The interpreter of raw graphs, against numbers worked out by hand, and dense attention against
// attention over a cache that was empty.
#include "TestModel.h"

#include "llmir/reference/GraphInterpreter.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace llmir;
using namespace llmir::reference;
using testing::HasSubstr;

namespace {

DenseTensor floats(std::vector<int64_t> shape, std::vector<double> values) {
  DenseTensor tensor{std::move(shape), {}};
  for (double value : values)
    tensor.values.push_back({value});
  return tensor;
}

DenseTensor integers(std::vector<int64_t> shape, std::vector<int64_t> values) {
  DenseTensor tensor{std::move(shape), {}};
  for (int64_t value : values)
    tensor.values.push_back({0, value});
  return tensor;
}

std::string shown(const DenseTensor &tensor) {
  std::string text = fmt::format("[{}]:", fmt::join(tensor.shape, "x"));
  for (const Scalar &value : tensor.values)
    text +=
        fmt::format(" {:.10g}", value.real != 0 ? value.real : static_cast<double>(value.integer));
  return text;
}

/// Runs a graph with the weight @w = [[1, 2], [3, 4], [5, 6]]; what it gives first, or the error.
std::string run(const std::string &arguments, const std::string &result, const std::string &body,
                std::vector<DenseTensor> inputs) {
  mlir::MLIRContext context;
  context.loadDialect<llm::LlmDialect, mlir::func::FuncDialect, mlir::arith::ArithDialect,
                      mlir::tensor::TensorDialect, mlir::linalg::LinalgDialect,
                      mlir::math::MathDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      "#id = affine_map<(d0, d1) -> (d0, d1)>\n#row = affine_map<(d0, d1) -> (d0)>\n"
      "llm.graph @g {\nllm.weight @w : tensor<3x2xf32> from \"w\"\nfunc.func @forward(" +
          arguments + ") -> " + result + " {\n" + body + "\nreturn %y : " + result + "\n}\n}",
      &context);
  if (!module)
    return "does not parse";
  const std::vector<float> weight = {1, 2, 3, 4, 5, 6};
  auto source = [&](llvm::StringRef) -> Expected<WeightBytes> {
    return WeightBytes{
        Format::F32, {3, 2}, {reinterpret_cast<const uint8_t *>(weight.data()), weight.size() * 4}};
  };
  GraphInterpreter interpreter(*module->getOps<llm::GraphOp>().begin(), source);
  auto results = interpreter.run(inputs);
  return results ? shown(results->front()) : results.error().message;
}

TEST(Graph, Products) {
  EXPECT_EQ(run("%x: tensor<?x2xf32>", "tensor<?x3xf32>", R"(
    %w = llm.get_weight @w : tensor<3x2xf32>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %x, %c0 : tensor<?x2xf32>
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty(%n) : tensor<?x3xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x3xf32>) -> tensor<?x3xf32>
    %y = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>,
           affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
           ins(%x, %w : tensor<?x2xf32>, tensor<3x2xf32>) outs(%f : tensor<?x3xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    } -> tensor<?x3xf32>)",
                {floats({2, 2}, {1, 10, 0, 1})}),
            "[2x3]: 21 43 65 2 4 6");
}

TEST(Graph, RowsOfATableByIds) {
  const char *body = R"(
    %w = llm.get_weight @w : tensor<3x2xf32>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %ids, %c0 : tensor<?xi64>
    %e = tensor.empty(%n) : tensor<?x2xf32>
    %y = linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
           ins(%ids : tensor<?xi64>) outs(%e : tensor<?x2xf32>) {
    ^bb0(%id: i64, %out: f32):
      %i = arith.index_cast %id : i64 to index
      %j = linalg.index 1 : index
      %v = tensor.extract %w[%i, %j] : tensor<3x2xf32>
      linalg.yield %v : f32
    } -> tensor<?x2xf32>)";
  EXPECT_EQ(run("%ids: tensor<?xi64>", "tensor<?x2xf32>", body, {integers({2}, {2, 0})}),
            "[2x2]: 5 6 1 2");
  EXPECT_THAT(run("%ids: tensor<?xi64>", "tensor<?x2xf32>", body, {integers({1}, {3})}),
              HasSubstr("'tensor.extract': the element [3, 0] of a tensor [3, 2]"));
}

TEST(Graph, ShapesAndSlices) {
  EXPECT_EQ(run("%x: tensor<2x3xf32>", "tensor<2x2xf32>", R"(
    %a = tensor.extract_slice %x[0, 2] [2, 1] [1, 1] : tensor<2x3xf32> to tensor<2xf32>
    %b = tensor.expand_shape %a [[0, 1]] output_shape [2, 1] : tensor<2xf32> into tensor<2x1xf32>
    %c = tensor.extract_slice %x[0, 0] [2, 1] [1, 1] : tensor<2x3xf32> to tensor<2x1xf32>
    %y = tensor.concat dim(1) %b, %c : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>)",
                {floats({2, 3}, {1, 2, 3, 4, 5, 6})}),
            "[2x2]: 3 1 6 4");
  EXPECT_EQ(run("%x: tensor<2x3xf32>", "tensor<6xf32>", R"(
    %e = tensor.empty() : tensor<3x2xf32>
    %t = linalg.transpose ins(%x : tensor<2x3xf32>) outs(%e : tensor<3x2xf32>) permutation = [1, 0]
    %y = tensor.collapse_shape %t [[0, 1]] : tensor<3x2xf32> into tensor<6xf32>)",
                {floats({2, 3}, {1, 2, 3, 4, 5, 6})}),
            "[6]: 1 4 2 5 3 6");
}

TEST(Graph, NumbersAreRoundedToTheirTypes) {
  EXPECT_EQ(run("%x: tensor<1xf32>", "tensor<1xf16>", R"(
    %e = tensor.empty() : tensor<1xf16>
    %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
           iterator_types = ["parallel"]} ins(%x : tensor<1xf32>) outs(%e : tensor<1xf16>) {
    ^bb0(%a: f32, %out: f16):
      %r = math.sqrt %a : f32
      %h = arith.truncf %r : f32 to f16
      linalg.yield %h : f16
    } -> tensor<1xf16>)",
                {floats({1}, {2})}),
            "[1]: 1.4140625");
  EXPECT_EQ(run("%x: tensor<i32>", "tensor<2xi32>", R"(
    %v = tensor.extract %x[] : tensor<i32>
    %e = tensor.empty() : tensor<2xi32>
    %s = arith.addi %v, %v : i32
    %y = linalg.fill ins(%s : i32) outs(%e : tensor<2xi32>) -> tensor<2xi32>)",
                {integers({}, {1073741824})}),
            "[2]: -2147483648 -2147483648");
}

TEST(Graph, WhatDoesNotFitIsAnError) {
  const std::string x = "%x: tensor<?xf32>", vector = "tensor<?xf32>";
  auto slice = [&](const char *text) {
    return run(x + ", %n: tensor<index>", vector,
               "%i = tensor.extract %n[] : tensor<index>\n" + std::string(text),
               {floats({3}, {1, 2, 3}), integers({}, {-1})});
  };
  EXPECT_THAT(slice("%y = tensor.extract_slice %x[2] [%i] [1] : tensor<?xf32> to tensor<?xf32>"),
              HasSubstr("the slice of -1 from 2 by 1 leaves dimension 0 of 3"));
  EXPECT_THAT(slice("%y = tensor.empty(%i) : tensor<?xf32>"), HasSubstr("a dimension is -1"));
  EXPECT_THAT(slice("%c = arith.constant 0 : index\n%d = arith.divsi %i, %c : index\n"
                    "%y = tensor.empty(%d) : tensor<?xf32>"),
              HasSubstr("-1 is divided by 0"));
  EXPECT_THAT(slice("%c = arith.constant 100000000000 : index\n%y = tensor.empty(%c) : "
                    "tensor<?xf32>"),
              HasSubstr("a tensor has more than 67108864 elements"));
  EXPECT_THAT(slice("%d = tensor.dim %x, %i : tensor<?xf32>\n%y = tensor.empty(%d) : "
                    "tensor<?xf32>"),
              HasSubstr("dimension -1 of a tensor of 1"));
  EXPECT_THAT(slice("%y = arith.addf %x, %x : tensor<?xf32>"),
              HasSubstr("'arith.addf': the interpreter has no definition of this op"));
  EXPECT_THAT(
      run(x, vector, "%y = tensor.cast %x : tensor<?xf32> to tensor<?xf32>", {floats({1, 1}, {1})}),
      HasSubstr("argument 0 of @forward: a value has the shape [1, 1]"));
  EXPECT_EQ(run(x, vector, "%y = tensor.cast %x : tensor<?xf32> to tensor<?xf32>", {}),
            "@forward takes 1 tensors, 0 are given");
}

TEST(DenseAttention, IsAttentionOverAnEmptyCache) {
  const Rows x = randomRows(11, 4, 7);
  for (const std::string rule : {"", ", window = 3 : i64", ", softcap = 0.5 : f64"}) {
    TestModel dense(x, "",
                    "%y = llm.dense_attention %x, %x, %x, %batch {heads = 1 : i64, scale = 0.7 : "
                    "f64" +
                        rule +
                        "} : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, !batch) -> "
                        "tensor<?x4xf32>",
                    4);
    TestModel paged(x, "",
                    "%kv1 = llm.kv_append %kv[%zero], %x, %x, %batch : !kv, tensor<?x4xf32>, "
                    "tensor<?x4xf32>, !batch\n%y = llm.attention %x, %kv1[%zero], %batch {scale = "
                    "0.7 : f64" +
                        rule + "} : (tensor<?x4xf32>, !kv, !batch) -> tensor<?x4xf32>",
                    4);
    EXPECT_EQ(dense.run().values, paged.run().values) << rule;
  }
}

} // namespace
