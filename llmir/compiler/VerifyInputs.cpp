// Draws the inputs of --verify. What a sequence has behind itself lies in a few blocks that it
// reads again and again: long contexts take little memory then, and blocks are shared between
// sequences.
#include "llmir/compiler/VerifyInputs.h"

#include "llvm/Support/xxhash.h"
#include <algorithm>
#include <fmt/ranges.h>
#include <numeric>

namespace llmir {

using reference::Batch;
using reference::LogitRows;
using reference::SequenceStep;

float gaussian(std::mt19937_64 &random) {
  int64_t sum = 0;
  for (uint64_t bits = random(), i = 0; i < 4; ++i, bits >>= 16)
    sum += bits & 0xffff;
  return static_cast<float>(sum - 2 * 0xffff) * (1.7320508f / 0xffff);
}

namespace {

struct SequenceShape {
  int64_t start, tokens;
};

struct Edge {
  std::string name;
  LogitRows rows;
  std::vector<SequenceShape> sequences;
};

/// The mixed batch comes first: if only some inputs can be afforded, it is the one to have.
std::vector<Edge> edges(int64_t block, const std::set<int64_t> &windows) {
  const int64_t last = block - 1, before = std::max<int64_t>(0, block - 2);
  std::vector<Edge> all = {
      {"mixed", LogitRows::LastOfSequence, {{last, 1}, {before, 3}, {0, 2}, {2 * block + 1, 1}}},
      {"first token", LogitRows::All, {{0, 1}}},
      {"prefill", LogitRows::LastOfSequence, {{0, 5}}},
      {"decode", LogitRows::All, {{last, 1}, {block, 1}, {block + 1, 1}}},
      {"prompt of blocks", LogitRows::LastOfSequence, {{0, block + 2}, {0, 2}}},
      {"prefill across blocks", LogitRows::All, {{before, 4}, {block, 2}}},
  };
  // A longer window would take an attention over as many positions.
  constexpr int64_t longest = 1 << 15;
  for (int64_t window : windows)
    if (window <= longest)
      all.push_back({fmt::format("window of {}", window),
                     LogitRows::All,
                     {{window - 1, 1}, {window, 1}, {window - 1, 3}}});
  return all;
}

bool fits(llm::BatchKind kind, const SequenceShape &sequence) {
  return kind == llm::BatchKind::Mixed ||
         (kind == llm::BatchKind::Decode) == (sequence.tokens == 1);
}

class Maker {
public:
  Maker(llm::ModelOp model, uint64_t seed) : model(model), seed(seed) {}

  VerifyInput make(const Edge &edge) {
    random.seed(seed ^ llvm::xxh3_64bits(edge.name));
    blocks = historyBlocks;
    std::vector<SequenceStep> steps;
    std::vector<std::string> parts;
    for (const SequenceShape &sequence : edge.sequences) {
      steps.push_back(draw(sequence));
      parts.push_back(fmt::format("{} token{} at {}", sequence.tokens,
                                  sequence.tokens == 1 ? "" : "s", sequence.start));
    }
    steps.front().tokens.back() = static_cast<int32_t>(model.getVocabulary() - 1);
    std::vector<int32_t> order(blocks);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    for (SequenceStep &step : steps)
      for (int32_t &entry : step.blocks)
        entry = order[entry];
    return {edge.name, fmt::format("{}", fmt::join(parts, ", ")), random(), blocks,
            Batch::of(steps, model.getKvType().getBlock(), edge.rows)};
  }

private:
  SequenceStep draw(const SequenceShape &shape) {
    SequenceStep step{{}, static_cast<int32_t>(shape.start), {}};
    for (int64_t i = 0; i < shape.tokens; ++i)
      step.tokens.push_back(i % 3 == 1 ? step.tokens.back()
                                       : static_cast<int32_t>(random() % model.getVocabulary()));
    const int64_t block = model.getKvType().getBlock();
    for (int64_t i = 0; i <= (shape.start + shape.tokens - 1) / block; ++i)
      step.blocks.push_back(i < shape.start / block ? i % historyBlocks : blocks++);
    return step;
  }

  static constexpr int32_t historyBlocks = 4;
  llm::ModelOp model;
  uint64_t seed;
  std::mt19937_64 random;
  int32_t blocks = 0;
};

} // namespace

reference::KvCache VerifyInput::makeCache(llm::KvType type) const {
  std::mt19937_64 random(seed);
  reference::KvCache cache(type, blocks);
  std::vector<float> k(type.getHeads() * type.getKDim()), v(type.getHeads() * type.getVDim());
  for (int64_t layer = 0; layer < type.getLayers(); ++layer)
    for (int64_t slot = 0; slot < cache.getSlots(); ++slot) {
      std::ranges::generate(k, [&] { return gaussian(random); });
      std::ranges::generate(v, [&] { return gaussian(random); });
      cache.append(layer, slot, k, v);
    }
  return cache;
}

std::vector<reference::Tensor> VerifyInput::makeActivations(mlir::func::FuncOp function) const {
  constexpr float magnitudes[] = {1, 0.01f, 10};
  std::mt19937_64 random(seed);
  std::vector<reference::Tensor> tensors;
  for (mlir::Type type : function.getArgumentTypes()) {
    if (!llm::isActivations(type))
      continue;
    const int64_t columns = mlir::cast<mlir::RankedTensorType>(type).getDimSize(1);
    reference::Tensor &tensor = tensors.emplace_back();
    tensor.shape = {batch.numTokens(), columns};
    for (int64_t t = 0; t < batch.numTokens(); ++t)
      for (int64_t i = 0; i < columns; ++i)
        tensor.values.push_back(gaussian(random) * magnitudes[t % 3]);
  }
  return tensors;
}

std::vector<VerifyInput> makeVerifyInputs(llm::ModelOp model, const std::set<int64_t> &windows,
                                          uint64_t seed) {
  const auto kind = mlir::cast<llm::BatchType>(model.getStep().getArgumentTypes()[0]).getKind();
  Maker maker(model, seed);
  std::vector<VerifyInput> inputs;
  for (Edge &edge : edges(model.getKvType().getBlock(), windows)) {
    std::erase_if(edge.sequences, [&](const SequenceShape &shape) { return !fits(kind, shape); });
    if (!edge.sequences.empty())
      inputs.push_back(maker.make(edge));
  }
  return inputs;
}

} // namespace llmir
