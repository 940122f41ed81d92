// One node of the graph while it is imported: its arguments by the names of torch's schema, its
// results checked against what the graph says of them, and the table of ops.
#pragma once

#include "llmir/frontend/torch/Scalars.h"
#include "llmir/frontend/torch/Tensors.h"

namespace llmir::frontend::torch {

using torch_export::ArgumentValue;
using torch_export::ScalarType;
using torch_export::TensorMeta;

/// The tensors of the graph so far, by their names.
using Scope = std::map<std::string, Tensor, std::less<>>;

/// An argument that may be a tensor or a number.
struct Operand {
  std::optional<Tensor> tensor;
  std::variant<int64_t, double, bool, SizeExpression> number = int64_t(0);
};

/// Refuses types that the IR has no use for.
mlir::Type elementType(mlir::MLIRContext &context, ScalarType type);

class Call {
public:
  Call(TensorBuilder &g, const torch_export::Graph &graph, const torch_export::Node &node,
       Scope &scope)
      : g(g), graph(graph), node(node), scope(scope) {}

  // Arguments. Those without a default refuse a node that lacks them; all refuse other kinds.
  Tensor tensor(const char *name) const;
  std::optional<Tensor> optionalTensor(const char *name) const;
  std::vector<Tensor> tensors(const char *name) const;
  std::vector<std::optional<Tensor>> optionalTensors(const char *name) const;
  Operand operand(const char *name) const;
  SizeExpression size(const char *name, std::optional<int64_t> absent = std::nullopt) const;
  Sizes sizes(const char *name) const;
  int64_t integer(const char *name, std::optional<int64_t> absent = std::nullopt) const;
  std::vector<int64_t> integers(const char *name) const;
  double number(const char *name, std::optional<double> absent = std::nullopt) const;
  bool flag(const char *name, bool absent = false) const;
  std::string text(const char *name, std::optional<std::string> absent = std::nullopt) const;
  /// Whether it is given and not None.
  bool has(const char *name) const;
  /// A dimension of `rank` ones, counted from the end if it is negative.
  int64_t dimension(const char *name, int64_t rank,
                    std::optional<int64_t> absent = std::nullopt) const;
  /// Sorted and without repetition; all `rank` of them if none are given.
  llvm::SmallVector<int64_t> dimensions(const char *name, int64_t rank) const;

  // Results.
  size_t resultCount() const;
  const std::string &resultName(size_t index = 0) const;
  const TensorMeta &resultMeta(size_t index = 0) const;
  const Sizes &resultSizes(size_t index = 0) const { return resultMeta(index).sizes; }
  mlir::Type resultElement(size_t index = 0) const;
  /// Refuses a tensor of another type or shape than the graph says.
  void give(const Tensor &tensor, size_t index = 0);

  TensorBuilder &g;
  const torch_export::Graph &graph;
  const torch_export::Node &node;
  Scope &scope;

private:
  const ArgumentValue *find(const char *name) const;
  const ArgumentValue &get(const char *name) const;
  SizeExpression resolve(const torch_export::IntArgument &argument) const;
  const Tensor &lookup(const std::string &name) const;
};

struct AtenOp {
  std::string_view name; ///< "add.Tensor"
  void (*import)(Call &);
};

/// The tables of all groups, each in its own file.
std::span<const AtenOp> elementwiseOps();
std::span<const AtenOp> unaryOps();
std::span<const AtenOp> creationOps();
std::span<const AtenOp> reductionOps();
std::span<const AtenOp> viewOps();
std::span<const AtenOp> sliceOps();
std::span<const AtenOp> indexOps();
std::span<const AtenOp> contractionOps();
std::span<const AtenOp> normalizationOps();
std::span<const AtenOp> attentionOps();

/// Null for an op that is not supported. `name` is without "torch.ops.aten.".
const AtenOp *findAtenOp(std::string_view name);

// What several groups share.
Tensor softmax(TensorBuilder &g, const Tensor &scores, int64_t dim);
Tensor matmul(TensorBuilder &g, const Tensor &a, const Tensor &b);
/// Sum over the dimensions, which stay as ones if `keep`, divided by their number if `isMean`.
Tensor sumOver(TensorBuilder &g, const Tensor &input, llvm::ArrayRef<int64_t> dims, bool keep,
               bool isMean);
Tensor reduceOver(TensorBuilder &g, const Tensor &input, llvm::ArrayRef<int64_t> dims, bool keep,
                  Reduction kind);
/// f32 for floats of 16 bits, in which torch computes them; else the type itself.
mlir::Type computeType(mlir::Type element);
/// The operand as a scalar within a body: `arguments[next++]` or a constant.
mlir::Value operandValue(const Scalars &s, const Operand &operand, mlir::ValueRange arguments,
                         size_t &next, mlir::Type type, mlir::Value sizeValue);

} // namespace llmir::frontend::torch
