// How well a model foretells a text, and how far its distributions are from another's.
#pragma once

#include "llmir/cli/LogitSource.h"

namespace llmir {

/// A mean over tokens with its standard error.
struct Estimate {
  double value = 0, error = 0;
};

/// Perplexity exp(mean of -ln p(token)); the error is that of the mean, carried through exp: what
/// llama.cpp's perplexity tool prints.
struct Divergence {
  Estimate perplexity; ///< of the reference
  /// Kullback-Leibler divergence of the model from the reference, in nats: sum p ln(p / q), p the
  /// reference's probabilities, q the model's.
  Estimate kl;
  double klMedian = 0, kl90 = 0, kl95 = 0, kl99 = 0, klMax = 0;
  Estimate sameTop; ///< share of positions where both have the same best token
  int64_t positions = 0;
};

struct Evaluation {
  int64_t chunks = 0;
  int64_t predictions = 0; ///< tokens whose probability counts
  Estimate perplexity;
  std::optional<Divergence> against;
};

struct EvaluationPlan {
  std::span<const int32_t> tokens;
  /// Tokens of a chunk, at least 2. Each chunk is a sequence of its own; the rest is left out.
  int64_t chunkTokens = 0;
  /// Positions of a chunk from which on predictions count: those before it have little context.
  int64_t firstScored = 0;
  /// The first token of every chunk, instead of the text's own.
  std::optional<int32_t> firstToken = {};
  int32_t rows = 0; ///< positions whose logits are in memory together
};

/// Streams the text through `model`, and through `reference` where there is one. Errors: those of
/// the sources; logits that are not finite.
Expected<Evaluation> evaluateText(LogitSource &model, LogitSource *reference,
                                  const EvaluationPlan &plan);

/// What is known of one position.
struct PositionScore {
  double loss = 0, referenceLoss = 0; ///< -ln p(next token)
  double kl = 0;
  bool sameTop = false;
  bool isFinite = true;
};

/// `next`: the token that follows, or -1. `reference` may be empty.
PositionScore scorePosition(std::span<const float> model, std::span<const float> reference,
                            int32_t next);

} // namespace llmir
