// ATen ops that look elements up by tensors of positions.
#include "llmir/frontend/torch/Call.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
namespace llmir::frontend::torch {

namespace {

void needIntegers(const Tensor &positions) {
  if (isa<FloatType>(positions.element()) || positions.element().isInteger(1))
    refuse("positions must be integers; masks in their place are not supported");
}

SmallVector<int64_t> dimsFrom(int64_t first, int64_t count) {
  return llvm::to_vector(llvm::seq<int64_t>(first, first + count));
}

Value toIndex(OpBuilder &b, Location loc, Value value) {
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), value);
}

/// Row `indices` of `weight`.
void embedding(Call &c) {
  const Tensor table = c.tensor("weight"), ids = c.tensor("indices");
  needIntegers(ids);
  if (table.rank() != 2)
    refuse("the table has the sizes {}, it must be a matrix", shownSizes(table.sizes));
  Sizes sizes = ids.sizes;
  sizes.push_back(table.sizes[1]);
  c.give(c.g.extract(table, ids, dimsFrom(0, ids.rank()), sizes,
                     [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
                       return {toIndex(b, loc, v[0]), TensorBuilder::position(b, loc, ids.rank())};
                     }));
}

void indexSelect(Call &c) {
  const Tensor table = c.tensor("self"), ids = c.tensor("index");
  needIntegers(ids);
  if (ids.rank() != 1)
    refuse("the index has the sizes {}, it must be a vector", shownSizes(ids.sizes));
  const int64_t dim = c.dimension("dim", table.rank());
  Sizes sizes = table.sizes;
  sizes[dim] = ids.sizes[0];
  c.give(c.g.extract(
      table, ids, SmallVector<int64_t>{dim}, sizes, [&](OpBuilder &b, Location loc, ValueRange v) {
        SmallVector<Value> place;
        for (int64_t i = 0; i < table.rank(); ++i)
          place.push_back(i == dim ? toIndex(b, loc, v[0]) : TensorBuilder::position(b, loc, i));
        return place;
      }));
}

/// self[:, i, j]: the positions are broadcast together, and stand where the first one does if no
/// dimension between them is whole, else in front.
void index(Call &c) {
  const Tensor table = c.tensor("self");
  const auto given = c.optionalTensors("indices");
  if (static_cast<int64_t>(given.size()) > table.rank())
    refuse("has {} positions for {} dimensions", given.size(), table.rank());
  Sizes shared;
  SmallVector<int64_t> looked; // dimensions of the table
  for (auto [dim, positions] : llvm::enumerate(given)) {
    if (!positions)
      continue;
    needIntegers(*positions);
    shared = broadcastSizes(shared, positions->sizes);
    looked.push_back(static_cast<int64_t>(dim));
  }
  if (looked.empty())
    return c.give(table);
  const bool isAdjacent = looked.back() - looked.front() + 1 == static_cast<int64_t>(looked.size());
  const int64_t front = isAdjacent ? looked.front() : 0,
                sharedRank = static_cast<int64_t>(shared.size());
  Sizes sizes;
  SmallVector<int64_t> resultDim(table.rank(), -1); // of whole dimensions
  for (int64_t dim = 0; dim < table.rank(); ++dim) {
    if (llvm::is_contained(looked, dim))
      continue;
    resultDim[dim] = static_cast<int64_t>(sizes.size()) +
                     (static_cast<int64_t>(sizes.size()) >= front ? sharedRank : 0);
    sizes.push_back(table.sizes[dim]);
  }
  sizes.insert(sizes.begin() + front, shared.begin(), shared.end());

  SmallVector<Tensor> inputs;
  SmallVector<SmallVector<int64_t>> dims;
  SmallVector<Value> wraps; // the size to add to negative positions, if there can be any
  for (int64_t dim : looked) {
    const Tensor &positions = *given[dim];
    inputs.push_back(positions);
    dims.push_back(dimsFrom(front + sharedRank - positions.rank(), positions.rank()));
    wraps.push_back(c.g.isNonNegative(positions) ? Value() : c.g.index(table.sizes[dim]));
  }
  c.give(c.g.extract(table, inputs, dims, sizes, [&](OpBuilder &b, Location loc, ValueRange v) {
    const Scalars s{b, loc};
    SmallVector<Value> place;
    size_t next = 0;
    for (int64_t dim = 0; dim < table.rank(); ++dim) {
      if (resultDim[dim] >= 0) {
        place.push_back(TensorBuilder::position(b, loc, resultDim[dim]));
        continue;
      }
      Value at = toIndex(b, loc, v[next]);
      if (Value size = wraps[next++]) {
        Value isNegative = s.compare(Scalars::Order::Less, at, s.integer(b.getIndexType(), 0));
        at = arith::SelectOp::create(b, loc, isNegative, s.add(at, size), at);
      }
      place.push_back(at);
    }
    return place;
  }));
}

constexpr AtenOp ops[] = {
    {"embedding.default", embedding},
    {"index_select.default", indexSelect},
    {"index.Tensor", index},
};

} // namespace

std::span<const AtenOp> indexOps() { return ops; }

} // namespace llmir::frontend::torch
