// The forms of ops that a raw llm.graph consists of, on linalg and tensor.
#include "llmir/frontend/torch/Tensors.h"

#include "llmir/frontend/torch/Scalars.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
namespace llmir::frontend::torch {

Tensor TensorBuilder::inherit(const Tensor &from, Tensor to) {
  if (isNonNegative(from))
    setNonNegative(to);
  return to;
}

Value TensorBuilder::position(OpBuilder &builder, Location loc, int64_t dim) {
  return linalg::IndexOp::create(builder, loc, dim);
}

Tensor TensorBuilder::empty(const Sizes &sizes, Type element) {
  SmallVector<Value> dynamic;
  for (const SizeExpression &size : sizes)
    if (!size.isInteger())
      dynamic.push_back(index(size));
  return {tensor::EmptyOp::create(builder, loc, typeOf(sizes, element), dynamic), sizes};
}

Tensor TensorBuilder::fill(const Sizes &sizes, TypedAttr value) {
  Tensor init = empty(sizes, value.getType());
  Value scalar = arith::ConstantOp::create(builder, loc, value);
  return {linalg::FillOp::create(builder, loc, scalar, init.value).getResult(0), sizes};
}

Tensor TensorBuilder::generic(ArrayRef<Tensor> inputs, ArrayRef<AffineMap> maps, const Tensor &init,
                              int64_t iterators, ArrayRef<int64_t> reduced, Body body) {
  SmallVector<utils::IteratorType> types(iterators, utils::IteratorType::parallel);
  for (int64_t dim : reduced)
    types[dim] = utils::IteratorType::reduction;
  SmallVector<Value> values;
  for (const Tensor &input : inputs)
    values.push_back(input.value);
  auto op = linalg::GenericOp::create(builder, loc, init.value.getType(), values, init.value, maps,
                                      types, [&](OpBuilder &b, Location at, ValueRange arguments) {
                                        linalg::YieldOp::create(b, at, body(b, at, arguments));
                                      });
  return {op.getResult(0), init.sizes};
}

Tensor TensorBuilder::mapDims(ArrayRef<Tensor> inputs, ArrayRef<SmallVector<int64_t>> dims,
                              const Sizes &sizes, Type element, Body body) {
  const int64_t rank = static_cast<int64_t>(sizes.size());
  SmallVector<AffineMap> maps;
  for (auto [input, inputDims] : llvm::zip_equal(inputs, dims)) {
    SmallVector<AffineExpr> results;
    for (auto [size, dim] : llvm::zip_equal(input.sizes, inputDims)) {
      const SizeExpression &whole = sizes[dim];
      const bool isBroadcast =
          size.isInteger() && size.value == 1 && !(whole.isInteger() && whole.value == 1);
      if (size.isInteger() && whole.isInteger() && !isBroadcast && size.value != whole.value)
        refuse("the sizes {} do not go into {}", shownSizes(input.sizes), shownSizes(sizes));
      results.push_back(isBroadcast ? builder.getAffineConstantExpr(0)
                                    : builder.getAffineDimExpr(dim));
    }
    maps.push_back(AffineMap::get(rank, 0, results, builder.getContext()));
  }
  maps.push_back(builder.getMultiDimIdentityMap(rank));
  return generic(inputs, maps, empty(sizes, element), rank, {}, body);
}

Tensor TensorBuilder::map(ArrayRef<Tensor> inputs, const Sizes &sizes, Type element, Body body) {
  SmallVector<SmallVector<int64_t>> dims;
  for (const Tensor &input : inputs) {
    const int64_t front = static_cast<int64_t>(sizes.size()) - input.rank();
    if (front < 0)
      refuse("the sizes {} do not go into {}", shownSizes(input.sizes), shownSizes(sizes));
    dims.push_back(llvm::to_vector(llvm::seq<int64_t>(front, front + input.rank())));
  }
  return mapDims(inputs, dims, sizes, element, body);
}

static TypedAttr neutral(Reduction kind, Type element) {
  const double infinity = std::numeric_limits<double>::infinity();
  switch (kind) {
  case Reduction::Sum:
  case Reduction::Or:
    return integerAttr(element, 0);
  case Reduction::Product:
  case Reduction::And:
    return integerAttr(element, 1);
  case Reduction::Max:
    return isa<FloatType>(element) ? numberAttr(element, -infinity)
                                   : integerAttr(element, element.isInteger(1) ? 0 : INT64_MIN);
  case Reduction::Min:
    return isa<FloatType>(element) ? numberAttr(element, infinity)
                                   : integerAttr(element, element.isInteger(1) ? 1 : INT64_MAX);
  }
  llvm_unreachable("all kinds are above");
}

static Value combine(const Scalars &s, Reduction kind, Value a, Value b) {
  switch (kind) {
  case Reduction::Sum:
  case Reduction::Or: // of bools
    return s.add(a, b);
  case Reduction::Product:
  case Reduction::And:
    return s.multiply(a, b);
  case Reduction::Max:
    return s.maximum(a, b);
  case Reduction::Min:
    return s.minimum(a, b);
  }
  llvm_unreachable("all kinds are above");
}

Tensor TensorBuilder::reduce(const Tensor &input, ArrayRef<int64_t> dims, Reduction kind) {
  if (dims.empty())
    return input;
  const int64_t rank = input.rank();
  Sizes sizes;
  SmallVector<AffineExpr> kept;
  for (int64_t dim = 0; dim < rank; ++dim) {
    if (llvm::is_contained(dims, dim))
      continue;
    sizes.push_back(input.sizes[dim]);
    kept.push_back(builder.getAffineDimExpr(dim));
  }
  const Tensor init = fill(sizes, neutral(kind, input.element()));
  const AffineMap maps[] = {builder.getMultiDimIdentityMap(rank),
                            AffineMap::get(rank, 0, kept, builder.getContext())};
  return generic(input, maps, init, rank, dims, [&](OpBuilder &b, Location at, ValueRange args) {
    return combine({b, at}, kind, args[0], args[1]);
  });
}

Tensor TensorBuilder::contract(const Tensor &a, std::string_view aLabels, const Tensor &b,
                               std::string_view bLabels, std::string_view out) {
  std::string labels(out);
  for (std::string_view more : {aLabels, bLabels})
    for (char label : more)
      if (labels.find(label) == labels.npos)
        labels += label;
  const int64_t rank = static_cast<int64_t>(labels.size());
  auto mapOf = [&](std::string_view of) {
    SmallVector<AffineExpr> results;
    for (char label : of)
      results.push_back(builder.getAffineDimExpr(labels.find(label)));
    return AffineMap::get(rank, 0, results, builder.getContext());
  };
  std::map<char, SizeExpression> known;
  for (auto [tensor, of] : {std::pair(&a, aLabels), std::pair(&b, bLabels)})
    for (size_t i = 0; i < of.size(); ++i) {
      const SizeExpression &size = tensor->sizes[i];
      auto [place, isNew] = known.try_emplace(of[i], size);
      if (!isNew && size.isInteger() && place->second.isInteger() &&
          size.value != place->second.value)
        refuse("the sizes {} and {} do not go together", shownSizes(a.sizes), shownSizes(b.sizes));
      if (!isNew && size.isInteger())
        place->second = size;
    }
  Sizes sizes;
  for (char label : out)
    sizes.push_back(known.at(label));
  const Type element = a.element();
  const bool isLow = isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32;
  const Type sum = isLow ? builder.getF32Type() : element;
  const Tensor init = fill(sizes, integerAttr(sum, 0));
  const AffineMap maps[] = {mapOf(aLabels), mapOf(bLabels), mapOf(out)};
  const auto reduced = llvm::to_vector(llvm::seq<int64_t>(static_cast<int64_t>(out.size()), rank));
  Tensor result =
      generic({a, b}, maps, init, rank, reduced, [&](OpBuilder &ob, Location at, ValueRange args) {
        const Scalars s{ob, at};
        return s.add(args[2], s.multiply(s.convert(args[0], sum), s.convert(args[1], sum)));
      });
  return cast(result, element);
}

Tensor TensorBuilder::transpose(const Tensor &input, ArrayRef<int64_t> permutation) {
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, input.rank())))
    return input;
  Sizes sizes;
  for (int64_t dim : permutation)
    sizes.push_back(input.sizes[dim]);
  auto op = linalg::TransposeOp::create(builder, loc, input.value,
                                        empty(sizes, input.element()).value, permutation);
  return inherit(input, {op->getResult(0), sizes});
}

Tensor TensorBuilder::unsqueeze(const Tensor &input, int64_t dim) {
  Sizes sizes = input.sizes;
  sizes.insert(sizes.begin() + dim, SizeExpression::integer(1));
  return reshape(input, sizes);
}

Tensor TensorBuilder::broadcast(const Tensor &input, const Sizes &sizes) {
  if (shownSizes(input.sizes) == shownSizes(sizes))
    return input;
  return inherit(input, map(input, sizes, input.element(),
                            [](OpBuilder &, Location, ValueRange args) { return args[0]; }));
}

Tensor TensorBuilder::slice(const Tensor &input, int64_t dim, const SizeExpression &offset,
                            const SizeExpression &size, int64_t step) {
  Sizes sizes = input.sizes;
  if (step == 1 && offset.isInteger() && offset.value == 0 && size.text() == sizes[dim].text())
    return input;
  const SizeExpression &whole = sizes[dim];
  if (offset.isInteger() && size.isInteger() && whole.isInteger() &&
      (offset.value < 0 || size.value < 0 ||
       (size.value > 0 &&
        (offset.value >= whole.value || size.value - 1 > (whole.value - 1 - offset.value) / step))))
    refuse("{} elements from {} on by steps of {} are not within {}", size.value, offset.value,
           step, whole.value);
  sizes[dim] = size;
  if (size.isInteger() && size.value == 0)
    return empty(sizes, input.element()); // whose place may be at the end, where no element is
  SmallVector<OpFoldResult> offsets(input.rank(), builder.getIndexAttr(0)), counts,
      steps(input.rank(), builder.getIndexAttr(1));
  offsets[dim] = foldedIndex(offset);
  steps[dim] = builder.getIndexAttr(step);
  for (const SizeExpression &count : sizes)
    counts.push_back(foldedIndex(count));
  return inherit(input,
                 {tensor::ExtractSliceOp::create(builder, loc, typeOf(sizes, input.element()),
                                                 input.value, offsets, counts, steps),
                  sizes});
}

Tensor TensorBuilder::concat(ArrayRef<Tensor> all, int64_t dim, const SizeExpression &size) {
  auto inputs = llvm::to_vector(llvm::make_filter_range(all, [&](const Tensor &input) {
    return !input.sizes[dim].isInteger() || input.sizes[dim].value != 0;
  }));
  if (inputs.size() < 2)
    return inputs.empty() ? all[0] : inputs[0];
  Sizes sizes = inputs[0].sizes;
  SizeExpression sum = SizeExpression::integer(0);
  SmallVector<Value> values;
  for (const Tensor &input : inputs) {
    for (int64_t i = 0; i < input.rank(); ++i)
      if (i != dim && input.sizes[i].text() != sizes[i].text())
        refuse("the sizes {} and {} do not go together", shownSizes(sizes),
               shownSizes(input.sizes));
    const SizeExpression &next = input.sizes[dim];
    if (!sum.isInteger() || !next.isInteger())
      sum = size;
    else if (__builtin_add_overflow(sum.value, next.value, &sum.value))
      refuse("a sum of sizes has more than 63 bits");
    values.push_back(input.value);
  }
  sizes[dim] = sum;
  // The op's own type is dynamic where one input is; the sum may be known nevertheless.
  return {tensor::ConcatOp::create(builder, loc, typeOf(sizes, inputs[0].element()), dim, values),
          sizes};
}

Tensor TensorBuilder::cast(const Tensor &input, Type element) {
  if (input.element() == element)
    return input;
  Tensor result = map(input, input.sizes, element, [&](OpBuilder &b, Location at, ValueRange args) {
    return Scalars{b, at}.convert(args[0], element);
  });
  return inherit(input, result);
}

Tensor TensorBuilder::repeatInterleave(const Tensor &input, int64_t dim, int64_t count) {
  if (count == 1)
    return input;
  Tensor split = unsqueeze(input, dim + 1);
  Sizes wide = split.sizes;
  wide[dim + 1] = SizeExpression::integer(count);
  Sizes flat = input.sizes;
  int64_t number = 0;
  if (flat[dim].isInteger() && __builtin_mul_overflow(flat[dim].value, count, &number))
    refuse("a product of sizes has more than 63 bits");
  flat[dim] = flat[dim].isInteger()
                  ? SizeExpression::integer(number)
                  : SizeExpression{.kind = SizeExpression::Kind::Mul,
                                   .operands = {SizeExpression::integer(count), flat[dim]}};
  return reshape(broadcast(split, wide), flat);
}

Tensor TensorBuilder::extract(
    const Tensor &table, ArrayRef<Tensor> inputs, ArrayRef<SmallVector<int64_t>> dims,
    const Sizes &sizes,
    llvm::function_ref<SmallVector<Value>(OpBuilder &, Location, ValueRange)> place) {
  return mapDims(inputs, dims, sizes, table.element(),
                 [&](OpBuilder &b, Location at, ValueRange args) -> Value {
                   return tensor::ExtractOp::create(b, at, table.value, place(b, at, args));
                 });
}

} // namespace llmir::frontend::torch
