// ATen ops that show elements in another shape or order, or several times.
#include "llmir/frontend/torch/Call.h"

using namespace mlir;
namespace llmir::frontend::torch {

namespace {

/// Of whatever op: the graph says to which sizes.
void reshape(Call &c) { c.give(c.g.reshape(c.tensor("self"), c.resultSizes())); }
void expand(Call &c) { c.give(c.g.broadcast(c.tensor("self"), c.resultSizes())); }

SmallVector<int64_t> identity(int64_t rank) { return llvm::to_vector(llvm::seq<int64_t>(0, rank)); }

void swapDimensions(Call &c, const char *first, const char *second) {
  const Tensor input = c.tensor("self");
  auto permutation = identity(input.rank());
  std::swap(permutation[c.dimension(first, input.rank())],
            permutation[c.dimension(second, input.rank())]);
  c.give(c.g.transpose(input, permutation));
}
void transpose(Call &c) { swapDimensions(c, "dim0", "dim1"); }
void swapAxes(Call &c) { swapDimensions(c, "axis0", "axis1"); }

/// mT swaps the last two dimensions, t those of a matrix, T all.
void transposeMatrix(Call &c) {
  const Tensor input = c.tensor("self");
  auto permutation = identity(input.rank());
  if (input.rank() >= 2)
    std::swap(permutation[input.rank() - 1], permutation[input.rank() - 2]);
  c.give(c.g.transpose(input, permutation));
}
void reverse(Call &c) {
  const Tensor input = c.tensor("self");
  auto permutation = identity(input.rank());
  std::reverse(permutation.begin(), permutation.end());
  c.give(c.g.transpose(input, permutation));
}

void permute(Call &c) {
  const Tensor input = c.tensor("self");
  SmallVector<int64_t> permutation;
  for (int64_t dim : c.integers("dims"))
    permutation.push_back(dim < 0 ? dim + input.rank() : dim);
  auto sorted = permutation;
  llvm::sort(sorted);
  if (sorted != identity(input.rank()))
    refuse("the argument dims is no permutation of {} dimensions", input.rank());
  c.give(c.g.transpose(input, permutation));
}

void moveDimension(Call &c) {
  const Tensor input = c.tensor("self");
  const std::vector<int64_t> from = c.integers("source"), to = c.integers("destination");
  if (from.size() != 1 || to.size() != 1)
    refuse("several dimensions at once are not supported");
  const int64_t source = c.dimension("source", input.rank()),
                destination = c.dimension("destination", input.rank());
  auto permutation = identity(input.rank());
  permutation.erase(permutation.begin() + source);
  permutation.insert(permutation.begin() + destination, source);
  c.give(c.g.transpose(input, permutation));
}

void repeatInterleave(Call &c) {
  Tensor input = c.tensor("self");
  const int64_t count = c.integer("repeats");
  if (count < 1)
    refuse("the argument repeats is {}, it must be positive", count);
  if (!c.has("dim"))
    refuse("needs a dimension");
  c.give(c.g.repeatInterleave(input, c.dimension("dim", input.rank()), count));
}

/// The whole tensor `repeats[i]` times along dimension i: each time in front of the dimension, into
/// which the two are then joined.
void repeat(Call &c) {
  Tensor result = c.tensor("self");
  const std::vector<int64_t> repeats = c.integers("repeats");
  const auto rank = static_cast<int64_t>(repeats.size());
  if (rank < result.rank() || rank > 32)
    refuse("the argument repeats has {} numbers for {} dimensions", rank, result.rank());
  while (result.rank() < rank)
    result = c.g.unsqueeze(result, 0);
  for (int64_t dim = 0; dim < rank; ++dim) {
    if (repeats[dim] < 1)
      refuse("the argument repeats has {}, it must be positive", repeats[dim]);
    if (repeats[dim] == 1)
      continue;
    Tensor split = c.g.unsqueeze(result, dim);
    Sizes wide = split.sizes, flat = result.sizes;
    wide[dim] = SizeExpression::integer(repeats[dim]);
    flat[dim] = c.resultSizes().size() == flat.size() ? c.resultSizes()[dim] : flat[dim];
    result = c.g.reshape(c.g.broadcast(split, wide), flat);
  }
  c.give(result);
}

void concatenate(Call &c) {
  std::vector<Tensor> inputs = c.tensors("tensors");
  const int64_t rank = inputs[0].rank(), dim = c.dimension("dim", rank, 0);
  const Type element = c.resultElement();
  for (Tensor &input : inputs) {
    if (input.rank() != rank)
      refuse("the sizes {} and {} do not go together", shownSizes(inputs[0].sizes),
             shownSizes(input.sizes));
    input = c.g.cast(input, element);
  }
  if (static_cast<int64_t>(c.resultSizes().size()) != rank)
    refuse("the graph says that the result has the sizes {}", shownSizes(c.resultSizes()));
  c.give(c.g.concat(inputs, dim, c.resultSizes()[dim]));
}

void stack(Call &c) {
  std::vector<Tensor> inputs = c.tensors("tensors");
  const int64_t dim = c.dimension("dim", inputs[0].rank() + 1, 0);
  const Sizes sizes = inputs[0].sizes;
  for (Tensor &input : inputs) {
    if (input.sizes.size() != sizes.size())
      refuse("the sizes {} and {} do not go together", shownSizes(sizes), shownSizes(input.sizes));
    input = c.g.unsqueeze(c.g.cast(input, c.resultElement()), dim);
  }
  c.give(c.g.concat(inputs, dim, SizeExpression::integer(static_cast<int64_t>(inputs.size()))));
}

constexpr AtenOp ops[] = {
    {"view.default", reshape},          {"reshape.default", reshape},
    {"_unsafe_view.default", reshape},  {"view_as.default", reshape},
    {"reshape_as.default", reshape},    {"flatten.using_ints", reshape},
    {"unflatten.int", reshape},         {"unsqueeze.default", reshape},
    {"squeeze.default", reshape},       {"squeeze.dim", reshape},
    {"squeeze.dims", reshape},          {"expand.default", expand},
    {"expand_as.default", expand},      {"broadcast_to.default", expand},
    {"transpose.int", transpose},       {"swapaxes.default", swapAxes},
    {"swapdims.default", transpose},    {"mT.default", transposeMatrix},
    {"t.default", transposeMatrix},     {"numpy_T.default", reverse},
    {"permute.default", permute},       {"movedim.int", moveDimension},
    {"movedim.intlist", moveDimension}, {"repeat_interleave.self_int", repeatInterleave},
    {"repeat.default", repeat},         {"cat.default", concatenate},
    {"concat.default", concatenate},    {"stack.default", stack},
};

} // namespace

std::span<const AtenOp> viewOps() { return ops; }

} // namespace llmir::frontend::torch
