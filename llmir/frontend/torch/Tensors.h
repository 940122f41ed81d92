// What all ATen ops are put together from: tensors whose sizes are known as expressions, and the
// few forms of ops that a raw llm.graph consists of.
#pragma once

#include "llmir/formats/torch_export/Archive.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace llmir::frontend::torch {

using torch_export::SizeExpression;
using Sizes = std::vector<SizeExpression>;

/// What cannot be imported. Ops are small and nest deeply; the importer catches it once and puts
/// the op's name, module and source line in front.
struct Refusal {
  Error error;
};

template <typename... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args &&...args) {
  throw Refusal{{fmt::format(format, std::forward<Args>(args)...)}};
}

/// "[1, s27, 32]"
std::string shownSizes(const Sizes &sizes);

/// A value of the graph. A dimension of its type is static if and only if its size is a number.
struct Tensor {
  mlir::Value value;
  Sizes sizes;

  int64_t rank() const { return static_cast<int64_t>(sizes.size()); }
  mlir::Type element() const {
    return mlir::cast<mlir::RankedTensorType>(value.getType()).getElementType();
  }
};

/// Makes the scalar that a generic op yields. It must not refuse: it runs within MLIR's frames.
using Body = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

enum class Reduction { Sum, Product, Max, Min, And, Or };

class TensorBuilder {
public:
  explicit TensorBuilder(mlir::MLIRContext &context)
      : builder(&context), prologue(&context), loc(builder.getUnknownLoc()) {}

  mlir::OpBuilder builder;  ///< where the graph has got to
  mlir::OpBuilder prologue; ///< at the start of the function, for sizes
  mlir::Location loc;

  /// The value of a symbol is dimension `dim` of `tensor`.
  void defineSymbol(const std::string &symbol, mlir::Value tensor, int64_t dim);
  /// As a value; each size is computed once. Refuses symbols that no input's size defines.
  mlir::Value index(const SizeExpression &size);
  mlir::OpFoldResult foldedIndex(const SizeExpression &size);
  mlir::RankedTensorType typeOf(const Sizes &sizes, mlir::Type element);

  Tensor empty(const Sizes &sizes, mlir::Type element);
  /// Filled with the attribute's value, whose type is the element type.
  Tensor fill(const Sizes &sizes, mlir::TypedAttr value);
  /// One element of the result for one of each input, broadcast to `sizes` from the right.
  Tensor map(llvm::ArrayRef<Tensor> inputs, const Sizes &sizes, mlir::Type element, Body body);
  /// The same without inputs or with inputs that have fewer leading dimensions: dimension i of
  /// input n is dimension `dims[n][i]` of the result.
  Tensor mapDims(llvm::ArrayRef<Tensor> inputs, llvm::ArrayRef<llvm::SmallVector<int64_t>> dims,
                 const Sizes &sizes, mlir::Type element, Body body);
  /// Without the dimensions `dims`, which are sorted.
  Tensor reduce(const Tensor &input, llvm::ArrayRef<int64_t> dims, Reduction kind);
  /// The sum over all labels that `out` lacks of a * b; each dimension has a label, which occurs
  /// once in a tensor. Sizes come from whichever tensor has the label. Low precision floats are
  /// summed in f32.
  Tensor contract(const Tensor &a, std::string_view aLabels, const Tensor &b,
                  std::string_view bLabels, std::string_view out);
  Tensor transpose(const Tensor &input, llvm::ArrayRef<int64_t> permutation);
  Tensor reshape(const Tensor &input, const Sizes &sizes);
  Tensor unsqueeze(const Tensor &input, int64_t dim);
  Tensor broadcast(const Tensor &input, const Sizes &sizes);
  Tensor slice(const Tensor &input, int64_t dim, const SizeExpression &offset,
               const SizeExpression &size, int64_t step = 1);
  Tensor concat(llvm::ArrayRef<Tensor> inputs, int64_t dim, const SizeExpression &size);
  Tensor cast(const Tensor &input, mlir::Type element);
  /// Each element along `dim` `count` times in a row.
  Tensor repeatInterleave(const Tensor &input, int64_t dim, int64_t count);
  /// Elements of `table` at the places that `place` computes in a body.
  Tensor
  extract(const Tensor &table, llvm::ArrayRef<Tensor> inputs,
          llvm::ArrayRef<llvm::SmallVector<int64_t>> dims, const Sizes &sizes,
          llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::OpBuilder &, mlir::Location,
                                                            mlir::ValueRange)>
              place);

  /// The number of the iteration along a dimension of the result, within a body.
  static mlir::Value position(mlir::OpBuilder &builder, mlir::Location loc, int64_t dim);

  /// Tensors of integers of which none is negative; views of them inherit it.
  void setNonNegative(const Tensor &tensor) { nonNegative.insert(tensor.value); }
  bool isNonNegative(const Tensor &tensor) const { return nonNegative.contains(tensor.value); }

private:
  Tensor inherit(const Tensor &from, Tensor to);
  Tensor generic(llvm::ArrayRef<Tensor> inputs, llvm::ArrayRef<mlir::AffineMap> maps,
                 const Tensor &init, int64_t iterators, llvm::ArrayRef<int64_t> reduced, Body body);

  std::map<std::string, mlir::Value> indices; ///< by the text of a SizeExpression
  llvm::DenseSet<mlir::Value> nonNegative;
};

/// The result's sizes by torch's rules of broadcasting; refuses sizes that do not go together.
Sizes broadcastSizes(const Sizes &a, const Sizes &b);

/// Of numbers and of bools, as a typed attribute; infinities are only for floats.
mlir::TypedAttr numberAttr(mlir::Type element, double value);
mlir::TypedAttr integerAttr(mlir::Type element, int64_t value);

} // namespace llmir::frontend::torch
