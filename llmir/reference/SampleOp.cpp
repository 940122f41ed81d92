// llm.sample: everything sorted, filter by filter. Numbers are rounded where runtime/sampling
// rounds them: logits are f32, probabilities and their sums f64.
#include "llmir/reference/Machine.h"

#include <algorithm>
#include <cmath>

namespace llmir::reference {

namespace {
struct Token {
  int32_t id;
  float logit;
};
} // namespace

static double weight(const Token &token, float bestLogit) {
  return std::exp(static_cast<double>(token.logit) - static_cast<double>(bestLogit));
}

/// The first n with enough(sum of the probabilities up to n, sum of all); the number of tokens if
/// there is none.
template <typename Enough>
static size_t firstWhere(const std::vector<Token> &tokens, float bestLogit, Enough enough) {
  double total = 0, sum = 0;
  for (const Token &token : tokens)
    total += weight(token, bestLogit);
  for (size_t n = 0; n < tokens.size(); ++n)
    if (enough(sum += weight(tokens[n], bestLogit), total))
      return n;
  return tokens.size();
}

/// `tokens` are in descending order of logits.
static int32_t sampleRow(llm::SampleOp op, std::vector<Token> tokens, double point) {
  const auto temperature = static_cast<float>(op.getTemperature().convertToDouble()),
             topP = static_cast<float>(op.getTopP().convertToDouble()),
             minP = static_cast<float>(op.getMinP().convertToDouble());
  const Token best = tokens[0];
  const uint64_t topK = op.getTopK();
  const bool isCut = (topK > 0 && topK < tokens.size()) || topP < 1;
  if (temperature == 0)
    return best.id;
  auto keep = [&](size_t count) {
    tokens.erase(tokens.begin() + static_cast<int64_t>(std::min(count, tokens.size())),
                 tokens.end());
  };
  if (topK > 0)
    keep(topK);
  if (topP < 1)
    keep(1 + firstWhere(tokens, best.logit,
                        [&](double sum, double total) { return sum >= topP * total; }));
  if (minP > 0) {
    double limit = best.logit + std::log(static_cast<double>(minP));
    std::erase_if(tokens, [&](const Token &token) { return token.logit < limit; });
  }
  if (!isCut)
    std::ranges::sort(tokens, {}, &Token::id);
  for (Token &token : tokens)
    token.logit /= temperature;
  size_t n = firstWhere(tokens, best.logit / temperature,
                        [&](double sum, double total) { return sum > point * total; });
  return n < tokens.size() ? tokens[n].id : best.id;
}

static Status sample(llm::SampleOp op, Frame &frame) {
  const Tensor &logits = frame.tensor(op.getLogits()), &points = frame.tensor(op.getPoints());
  if (Status status = checkRows(op, points.rows(), logits.rows()); !status)
    return status;
  Tensor result{{logits.rows()}, Format::I32};
  for (int64_t r = 0; r < logits.rows(); ++r) {
    const float *values = logits.row(r);
    for (int64_t id = 0; id < logits.columns(); ++id)
      if (std::isnan(values[id]))
        return failAt(op, "the logit of token {} is not a number", id);
    const double point = points.row(r)[0];
    if (!(point >= 0 && point < 1))
      return failAt(op, "point {} is {}, it must be from 0 to below 1", r, point);
    std::vector<Token> tokens;
    for (int64_t id = 0; id < logits.columns(); ++id)
      tokens.push_back({static_cast<int32_t>(id), values[id]});
    std::ranges::stable_sort(tokens, std::greater(), &Token::logit);
    if (!std::isfinite(tokens[0].logit))
      return failAt(op, "the logit of token {} is not finite", tokens[0].id);
    result.ints.push_back(sampleRow(op, std::move(tokens), point));
  }
  frame.set(op.getResult(), std::move(result));
  return {};
}

void registerSampleOp(OpTable &table) { table.add(sample); }

} // namespace llmir::reference
