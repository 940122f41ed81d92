// Makes inputs of both forms from one sequence: [1, t] token ids are the tokens of a batch, [1, t,
// h] activations are its rows.
#include "llmir/compiler/VerifyRaise.h"

#include "llmir/compiler/VerifyInputs.h"
#include "llmir/reference/GraphInterpreter.h"
#include <cmath>
#include <limits>

using namespace mlir;

namespace llmir {

using reference::Batch;
using reference::DenseTensor;
using reference::Tensor;

namespace {

/// Ids below it are in every table that the graph looks up.
int64_t vocabularyOf(llm::GraphOp ragged) {
  int64_t vocabulary = std::numeric_limits<int32_t>::max();
  ragged.walk([&](llm::EmbedOp op) {
    vocabulary = std::min(vocabulary, op.getTable().getType().getDimSize(0));
  });
  return vocabulary;
}

/// The shape of the raw graph's input for `tokens` tokens.
Expected<std::vector<int64_t>> inputShape(func::FuncOp forward, int64_t tokens) {
  auto type = forward.getNumArguments() == 1
                  ? dyn_cast<RankedTensorType>(forward.getArgumentTypes()[0])
                  : RankedTensorType();
  const bool isInteger = type && isa<IntegerType>(type.getElementType());
  if (!type || type.getRank() != (isInteger ? 2 : 3))
    return fail("--verify: @forward must take token ids [1, t] or activations [1, t, h] alone, "
                "to be compared with what raising makes of it");
  std::vector<int64_t> shape(type.getShape());
  if (ShapedType::isDynamic(shape[0]))
    shape[0] = 1;
  if (ShapedType::isDynamic(shape[1]))
    shape[1] = tokens;
  if (shape[0] != 1 || shape[1] < 1 || (!isInteger && ShapedType::isDynamic(shape[2])))
    return fail("--verify: @forward takes a batch other than 1, or columns of any number");
  return shape;
}

struct Inputs {
  DenseTensor raw;
  Batch batch;
  std::vector<Tensor> rows;
};

Inputs draw(std::vector<int64_t> shape, int64_t vocabulary, std::mt19937_64 &random) {
  constexpr int64_t block = 8;
  const int64_t tokens = shape[1];
  Inputs inputs{{shape, {}}, {}, {}};
  reference::SequenceStep step{std::vector<int32_t>(tokens, 0), 0, {}};
  for (int64_t i = 0; i <= tokens / block; ++i)
    step.blocks.push_back(static_cast<int32_t>(i));
  if (shape.size() == 2) {
    for (int32_t &token : step.tokens) {
      token = static_cast<int32_t>(random() % vocabulary);
      inputs.raw.values.push_back({0, token});
    }
  } else {
    Tensor &rows = inputs.rows.emplace_back();
    rows.shape = {tokens, shape[2]};
    for (int64_t i = 0; i < tokens * shape[2]; ++i) {
      rows.values.push_back(gaussian(random));
      inputs.raw.values.push_back({rows.values.back()});
    }
  }
  inputs.batch = Batch::of({&step, 1}, block);
  return inputs;
}

/// The largest difference relative to the root mean square; infinite where a number is none.
double differenceOf(const DenseTensor &expected, const Tensor &found) {
  double largest = 0, squares = 0;
  for (size_t i = 0; i < found.values.size(); ++i) {
    const double difference = std::abs(expected.values[i].real - double(found.values[i]));
    largest = difference <= largest ? largest : difference;
    squares += expected.values[i].real * expected.values[i].real;
  }
  const double root = std::sqrt(squares / static_cast<double>(found.values.size()));
  return largest == 0 ? 0 : largest / root;
}

} // namespace

Status verifyRaise(llm::GraphOp raw, llm::GraphOp ragged, const reference::WeightSource &weights,
                   uint64_t seed) {
  constexpr double tolerance = 1e-4;
  std::mt19937_64 random(seed);
  auto type = llm::KvType::get(raw.getContext(), 1, 1, 1, 1, 8,
                               Float32Type::get(raw.getContext())); // no op reads it
  reference::KvCache cache(type, 1);
  reference::GraphInterpreter before(raw, weights);
  reference::Interpreter after(ragged, weights);
  for (int64_t tokens : {1, 5, 11}) {
    auto shape = inputShape(raw.getForward(), tokens);
    if (!shape)
      return forward(shape);
    Inputs inputs = draw(*shape, vocabularyOf(ragged), random);
    auto expected = before.run({&inputs.raw, 1});
    if (!expected)
      return forward(expected, "--verify: the imported graph");
    auto taken = llvm::count_if(ragged.getForward().getArgumentTypes(), llm::isActivations);
    if (taken != static_cast<int64_t>(inputs.rows.size()))
      return fail("--verify: the raised graph takes {} tensors, the imported one {}", taken,
                  inputs.rows.size());
    auto found = after.call(ragged.getForward(), inputs.batch, cache, 0, inputs.rows);
    if (!found)
      return forward(found, "--verify: the raised graph");
    if (found->size() != expected->size())
      return fail("--verify: the raised graph gives {} tensors, the imported one {}", found->size(),
                  expected->size());
    for (size_t i = 0; i < found->size(); ++i) {
      if ((*found)[i].values.size() != (*expected)[i].values.size())
        return fail(
            "--verify: result {} of the raised graph has {} numbers, of the imported one {}", i,
            (*found)[i].values.size(), (*expected)[i].values.size());
      const double difference = differenceOf((*expected)[i], (*found)[i]);
      if (!(difference <= tolerance))
        return fail("--verify: raising changes result {} by {:.3g} of its root mean square, the "
                    "order of sums explains {}; the input is {} tokens of seed {}",
                    i, difference, tolerance, (*shape)[1], seed);
    }
  }
  return {};
}

} // namespace llmir
