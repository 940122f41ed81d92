// Sums in f64; rows are scored on all processors, and added up in order.
#include "llmir/cli/Perplexity.h"

#include "llmir/support/WorkQueue.h"
#include <algorithm>
#include <cmath>

namespace llmir {

namespace {

struct Row {
  float most;
  size_t top;
  double logSum; ///< of exp(logit - most)

  explicit Row(std::span<const float> logits) : most(logits[0]), top(0), logSum(0) {
    for (size_t i = 1; i < logits.size(); ++i)
      if (logits[i] > most) {
        most = logits[i];
        top = i;
      }
    double sum = 0;
    for (float logit : logits)
      sum += std::exp(double(logit) - double(most));
    logSum = std::log(sum);
  }
  double logProbability(float logit) const { return double(logit) - double(most) - logSum; }
  bool isFinite() const { return std::isfinite(most) && std::isfinite(logSum); }
};

/// Mean and standard error of the mean.
class Mean {
public:
  void add(double x) {
    sum += x;
    squares += x * x;
    ++count;
  }
  Estimate estimate() const {
    if (count == 0)
      return {};
    const double mean = sum / double(count), variance = squares / double(count) - mean * mean;
    return {mean, count > 1 && variance > 0 ? std::sqrt(variance / double(count - 1)) : 0};
  }
  Estimate perplexity() const {
    Estimate mean = estimate();
    return {std::exp(mean.value), mean.error * std::exp(mean.value)};
  }
  int64_t size() const { return count; }

private:
  double sum = 0, squares = 0;
  int64_t count = 0;
};

/// The value below which a share of `sorted` lies, between neighbours as numpy.quantile does.
double quantile(const std::vector<float> &sorted, double share) {
  if (sorted.empty())
    return 0;
  const double place = share * double(sorted.size() - 1);
  const size_t below = size_t(place), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - double(below)) * (sorted[above] - sorted[below]);
}

struct Totals {
  Mean loss, referenceLoss, kl, sameTop;
  std::vector<float> kls; ///< 4 bytes a position: for the quantiles

  void add(const PositionScore &score, bool hasNext, bool hasReference) {
    if (hasNext)
      loss.add(score.loss);
    if (!hasReference)
      return;
    if (hasNext)
      referenceLoss.add(score.referenceLoss);
    kl.add(score.kl);
    sameTop.add(score.sameTop ? 1 : 0);
    kls.push_back(float(score.kl));
  }

  Divergence divergence() {
    std::sort(kls.begin(), kls.end());
    return {.perplexity = referenceLoss.perplexity(),
            .kl = kl.estimate(),
            .klMedian = quantile(kls, 0.5),
            .kl90 = quantile(kls, 0.9),
            .kl95 = quantile(kls, 0.95),
            .kl99 = quantile(kls, 0.99),
            .klMax = quantile(kls, 1),
            .sameTop = sameTop.estimate(),
            .positions = kl.size()};
  }
};

} // namespace

PositionScore scorePosition(std::span<const float> model, std::span<const float> reference,
                            int32_t next) {
  PositionScore score;
  const Row q(model);
  score.isFinite = q.isFinite();
  if (next >= 0)
    score.loss = -q.logProbability(model[next]);
  if (reference.empty())
    return score;
  const Row p(reference);
  score.isFinite &= p.isFinite();
  if (next >= 0)
    score.referenceLoss = -p.logProbability(reference[next]);
  for (size_t i = 0; i < reference.size(); ++i) {
    const double logP = p.logProbability(reference[i]);
    const double probability = std::exp(logP);
    if (probability > 0) // a logit of minus infinity has none
      score.kl += probability * (logP - q.logProbability(model[i]));
  }
  score.kl = std::max(0.0, score.kl); // rounding, where both are the same
  score.sameTop = p.top == q.top;
  return score;
}

Expected<Evaluation> evaluateText(LogitSource &model, LogitSource *reference,
                                  const EvaluationPlan &plan) {
  const size_t width = size_t(model.vocabulary());
  Evaluation evaluation;
  Totals totals;
  std::vector<int32_t> chunk;
  const bool isWhole = int64_t(plan.tokens.size()) == plan.chunkTokens;
  for (size_t start = 0; start + plan.chunkTokens <= plan.tokens.size();
       start += plan.chunkTokens) {
    std::span<const int32_t> text = plan.tokens.subspan(start, plan.chunkTokens);
    chunk.assign(text.begin(), text.end());
    if (plan.firstToken)
      chunk[0] = *plan.firstToken;
    model.restart();
    if (Status status = model.skip(std::span(chunk).first(plan.firstScored)); !status)
      return forward(status);
    if (reference) {
      reference->restart();
      if (Status status = reference->skip(std::span(chunk).first(plan.firstScored)); !status)
        return forward(status);
    }
    // The last position foretells nothing that is here; of a whole text, its distribution counts.
    const int64_t end = plan.chunkTokens - (isWhole && plan.firstScored == 0 ? 0 : 1);
    for (int64_t at = plan.firstScored; at < end; at += plan.rows) {
      const int64_t count = std::min<int64_t>(plan.rows, end - at);
      std::span<const int32_t> tokens = std::span(chunk).subspan(at, count);
      auto rows = model.next(tokens);
      if (!rows)
        return forward(rows);
      std::span<const float> others;
      if (reference) {
        auto referenceRows = reference->next(tokens);
        if (!referenceRows)
          return forward(referenceRows);
        others = *referenceRows;
      }
      std::vector<PositionScore> scores(count);
      auto next = [&](int64_t i) { return at + i + 1 < plan.chunkTokens ? chunk[at + i + 1] : -1; };
      WorkQueue work;
      constexpr int64_t piece = 8;
      for (int64_t first = 0; first < count; first += piece)
        work.add([&, first] {
          for (int64_t i = first; i < std::min(first + piece, count); ++i)
            scores[i] =
                scorePosition(rows->subspan(i * width, width),
                              others.empty() ? others : others.subspan(i * width, width), next(i));
        });
      work.run();
      for (int64_t i = 0; i < count; ++i) {
        if (!scores[i].isFinite)
          return fail("the logits at position {} of chunk {} are not finite", at + i,
                      evaluation.chunks + 1);
        totals.add(scores[i], next(i) >= 0, reference != nullptr);
      }
    }
    ++evaluation.chunks;
  }
  evaluation.predictions = totals.loss.size();
  evaluation.perplexity = totals.loss.perplexity();
  if (reference)
    evaluation.against = totals.divergence();
  return evaluation;
}

} // namespace llmir
