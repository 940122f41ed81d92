// Sizes as values, broadcasting, and reshapes: all that is known of shapes before a call.
#include "llmir/frontend/torch/Tensors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <fmt/ranges.h>

using namespace mlir;
namespace llmir::frontend::torch {

using Kind = SizeExpression::Kind;
using torch_export::SizeProduct;

std::string shownSizes(const Sizes &sizes) {
  std::vector<std::string> texts;
  for (const SizeExpression &size : sizes)
    texts.push_back(size.text());
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

void TensorBuilder::defineSymbol(const std::string &symbol, Value tensor, int64_t dim) {
  if (indices.contains(symbol))
    return;
  Value number = arith::ConstantIndexOp::create(prologue, loc, dim);
  indices[symbol] = tensor::DimOp::create(prologue, loc, tensor, number);
}

static Value combine(OpBuilder &b, Location loc, Kind kind, Value x, Value y) {
  switch (kind) {
  case Kind::Add:
    return arith::AddIOp::create(b, loc, x, y);
  case Kind::Mul:
    return arith::MulIOp::create(b, loc, x, y);
  case Kind::FloorDiv:
    return arith::FloorDivSIOp::create(b, loc, x, y);
  case Kind::Mod: { // of the divisor's sign, as in Python
    Value quotient = arith::FloorDivSIOp::create(b, loc, x, y);
    return arith::SubIOp::create(b, loc, x, arith::MulIOp::create(b, loc, quotient, y));
  }
  case Kind::Max:
    return arith::MaxSIOp::create(b, loc, x, y);
  case Kind::Min:
    return arith::MinSIOp::create(b, loc, x, y);
  case Kind::Integer:
  case Kind::Symbol:
    break;
  }
  llvm_unreachable("numbers and symbols have no operands");
}

Value TensorBuilder::index(const SizeExpression &size) {
  auto found = indices.find(size.text());
  if (found != indices.end())
    return found->second;
  Value result;
  if (size.kind == Kind::Symbol)
    refuse("the size {} is not known from the sizes of the inputs: sizes that depend on values are "
           "not supported",
           size.symbol);
  if (size.isInteger())
    result = arith::ConstantIndexOp::create(prologue, loc, size.value);
  else
    for (const SizeExpression &operand : size.operands) {
      Value next = index(operand);
      result = result ? combine(prologue, loc, size.kind, result, next) : next;
    }
  indices[size.text()] = result;
  return result;
}

OpFoldResult TensorBuilder::foldedIndex(const SizeExpression &size) {
  if (size.isInteger())
    return builder.getIndexAttr(size.value);
  return index(size);
}

RankedTensorType TensorBuilder::typeOf(const Sizes &sizes, Type element) {
  SmallVector<int64_t> shape;
  int64_t elements = 1;
  for (const SizeExpression &size : sizes) {
    if (size.isInteger() && size.value < 0)
      refuse("a size of {} is negative", shownSizes(sizes));
    if (size.isInteger() && __builtin_mul_overflow(elements, size.value, &elements))
      refuse("a product of sizes has more than 63 bits");
    shape.push_back(size.isInteger() ? size.value : ShapedType::kDynamic);
  }
  return RankedTensorType::get(shape, element);
}

static bool isOne(const SizeExpression &size) { return size.isInteger() && size.value == 1; }

Sizes broadcastSizes(const Sizes &a, const Sizes &b) {
  const Sizes &longer = a.size() >= b.size() ? a : b, &shorter = a.size() >= b.size() ? b : a;
  Sizes result = longer;
  const size_t front = longer.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) {
    SizeExpression &size = result[front + i];
    const SizeExpression &other = shorter[i];
    if (size.isInteger() && other.isInteger() && size.value != other.value && size.value != 1 &&
        other.value != 1)
      refuse("the sizes {} and {} do not go together", shownSizes(a), shownSizes(b));
    // Of two that torch has found equal, the number says more than the symbol.
    if (isOne(size) || (other.isInteger() && !isOne(other)))
      size = other;
  }
  return result;
}

namespace {

/// Dimensions of one shape that together are some of the other.
struct Group {
  size_t inputs = 0, outputs = 0; ///< how many of each, one behind the other
};

void multiply(SizeProduct &product, const SizeExpression &size) {
  if (!product.multiply(size))
    refuse("a product of sizes has more than 63 bits");
}

/// The finest groups of equal products, from the left.
std::vector<Group> groupsOf(const Sizes &in, const Sizes &out) {
  std::vector<Group> groups;
  size_t i = 0, j = 0;
  while (i < in.size() && j < out.size()) {
    SizeProduct p, q;
    Group group{1, 1};
    multiply(p, in[i++]);
    multiply(q, out[j++]);
    while (!(p == q)) {
      const bool fromInput = i < in.size() && (p.divides(q) || !q.divides(p) || j == out.size());
      if (!fromInput && j == out.size())
        refuse("cannot see {} as {}", shownSizes(in), shownSizes(out));
      multiply(fromInput ? p : q, fromInput ? in[i++] : out[j++]);
      ++(fromInput ? group.inputs : group.outputs);
    }
    groups.push_back(group);
  }
  // Ones may be left over on one side.
  for (const Sizes *rest : {&in, &out})
    for (size_t &at = rest == &in ? i : j; at < rest->size(); ++at) {
      if (!isOne((*rest)[at]))
        refuse("cannot see {} as {}", shownSizes(in), shownSizes(out));
      if (!groups.empty())
        ++(rest == &in ? groups.back().inputs : groups.back().outputs);
    }
  return groups;
}

SizeExpression productOf(std::span<const SizeExpression> sizes) {
  if (sizes.size() == 1)
    return sizes[0];
  SizeExpression product{.kind = Kind::Mul};
  int64_t number = 1;
  for (const SizeExpression &size : sizes) {
    if (!size.isInteger())
      product.operands.push_back(size);
    else if (__builtin_mul_overflow(number, size.value, &number))
      refuse("a product of sizes has more than 63 bits");
  }
  if (product.operands.empty())
    return SizeExpression::integer(number);
  if (number != 1)
    product.operands.push_back(SizeExpression::integer(number));
  return product.operands.size() == 1 ? product.operands[0] : product;
}

SmallVector<ReassociationIndices> reassociation(const std::vector<Group> &groups,
                                                size_t Group::*count) {
  SmallVector<ReassociationIndices> result;
  int64_t next = 0;
  for (const Group &group : groups) {
    ReassociationIndices &indices = result.emplace_back();
    for (size_t i = 0; i < group.*count; ++i)
      indices.push_back(next++);
  }
  return result;
}

} // namespace

Tensor TensorBuilder::reshape(const Tensor &input, const Sizes &sizes) {
  const std::vector<Group> groups = groupsOf(input.sizes, sizes);
  Tensor result = input;
  if (groups.size() < input.sizes.size()) {
    Sizes collapsed;
    size_t next = 0;
    for (const Group &group : groups) {
      collapsed.push_back(productOf(std::span(input.sizes).subspan(next, group.inputs)));
      next += group.inputs;
    }
    result = {tensor::CollapseShapeOp::create(builder, loc, typeOf(collapsed, input.element()),
                                              input.value, reassociation(groups, &Group::inputs)),
              collapsed};
  }
  if (groups.size() < sizes.size()) {
    SmallVector<OpFoldResult> shape;
    for (const SizeExpression &size : sizes)
      shape.push_back(foldedIndex(size));
    result.value =
        tensor::ExpandShapeOp::create(builder, loc, typeOf(sizes, input.element()), result.value,
                                      reassociation(groups, &Group::outputs), shape);
  }
  result.sizes = sizes;
  return inherit(input, result);
}

} // namespace llmir::frontend::torch
