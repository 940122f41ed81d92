// Why a kernel runs as it does: the compiler's thresholds, which the manifest names, against the
// shape of the step.
#include "llmir/cli/Explanation.h"

#include <fmt/ranges.h>

namespace llmir {

namespace {

std::string rowsText(int64_t rows) { return rows == 1 ? "1 row" : fmt::format("{} rows", rows); }

/// How the rows of a product share the weights.
std::string tiling(const KernelManifest &kernel, int64_t rows) {
  if (rows == 1)
    return "1 row: the weights stream by once";
  if (kernel.unpackFrom && rows >= kernel.unpackFrom)
    return fmt::format("{}, {} or more: a panel is decoded once for all tiles of {}",
                       rowsText(rows), kernel.unpackFrom, kernel.tileTokens);
  if (rows < kernel.tileTokens)
    return fmt::format("{}, fewer than a tile of {}: one after the other", rowsText(rows),
                       kernel.tileTokens);
  return fmt::format("{} in tiles of {}: each tile reads the panel as it is packed{}",
                     rowsText(rows), kernel.tileTokens,
                     kernel.unpackFrom
                         ? fmt::format(", since there are fewer than {}", kernel.unpackFrom)
                         : std::string());
}

std::string layout(const KernelManifest &kernel) {
  const int64_t panel = kernel.lanes * kernel.rowBlocks;
  return fmt::format("panels of {} rows ({} lanes × {}), {}", panel, kernel.lanes, kernel.rowBlocks,
                     panel > 0 && kernel.rows % panel == 0 ? "all full: whole stores"
                                                           : "the last not full: masked stores");
}

std::string attention(const PhaseExplanation &phase, const StepShape &shape) {
  const AttentionSplitting &rule = phase.phase->attention;
  const int64_t items = shape.tokens * rule.kvHeads;
  if (phase.run.isSplit)
    return fmt::format("{} pairs of token and KV head are fewer than {} for each of {} workers: "
                       "they share the context in {} splits of {} positions",
                       items, rule.itemsPerWorker, shape.workers,
                       shape.lastPosition / rule.splitPositions + 1, rule.splitPositions);
  if (shape.tokens > shape.sequences)
    return "prompt tokens: the workers share pairs of token and KV head";
  return fmt::format("{} pairs of token and KV head for {} workers: each over its whole context",
                     items, shape.workers);
}

std::string prologue(const PhaseExplanation &phase) {
  if (!phase.run.isReplicated)
    return "the workers share the rows, a barrier follows";
  if (phase.phase->attention.kvHeads)
    return "each worker computes what its pairs need: no barrier";
  return fmt::format("at most {} rows: each worker computes all of them: no barrier",
                     phase.phase->replicatedRows);
}

} // namespace

std::string reasonOf(const KernelManifest &kernel, bool isPrologue, const PhaseExplanation &phase,
                     const StepShape &shape, const Roofs &roofs, const Cost &cost) {
  const int64_t rows = kernel.ofLogitRows ? shape.logitRows : shape.tokens;
  std::vector<std::string> reasons;
  if (!kernel.activations.empty()) {
    if (kernel.picked)
      reasons.push_back(fmt::format("rows sorted by expert, {} of {} experts for each: at most {} "
                                    "matrices are read, in tiles of {}",
                                    kernel.picked, kernel.matrices,
                                    std::min(kernel.matrices, rows * kernel.picked),
                                    kernel.tileTokens));
    else
      reasons.push_back(tiling(kernel, rows));
    reasons.push_back(layout(kernel));
    reasons.emplace_back(cost.isMemoryBound(roofs) ? "memory-bound" : "arithmetic-bound");
  } else if (!kernel.format.empty()) {
    reasons.push_back(fmt::format("{} of {} are looked up", rowsText(rows), kernel.rows));
  } else if (kernel.positionBytes) {
    reasons.push_back(attention(phase, shape));
  } else if (isPrologue) {
    reasons.push_back(prologue(phase));
  } else {
    reasons.emplace_back(phase.phase->partition == "features"
                             ? "each worker goes on with the columns that it computed"
                             : "the workers share the rows");
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

} // namespace llmir
