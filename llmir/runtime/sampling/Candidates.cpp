// Sorting is what sampling costs: only as many candidates are put in order as are needed.
#include "llmir/runtime/sampling/Candidates.h"

#include <algorithm>
#include <cmath>

namespace llmir {

namespace {

bool isBetter(const Candidate &a, const Candidate &b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

/// Puts the best `count` in front, in order.
void sortBest(Candidates &candidates, size_t count) {
  std::partial_sort(candidates.begin(), candidates.begin() + count, candidates.end(), isBetter);
}

/// Weight of a candidate beside the best one, whose weight is 1.
double weight(const Candidate &candidate, float bestLogit) {
  return std::exp(double(candidate.logit) - double(bestLogit));
}

double totalWeight(const Candidates &candidates, float bestLogit) {
  double total = 0;
  for (const Candidate &candidate : candidates)
    total += weight(candidate, bestLogit);
  return total;
}

} // namespace

const Candidate &best(const Candidates &candidates) {
  return *std::min_element(candidates.begin(), candidates.end(), isBetter);
}

void penalizeRepetition(Candidates &candidates, std::span<const int32_t> tokens, float penalty,
                        std::span<int32_t> seen) {
  for (int32_t token : tokens) {
    if (seen[token]++)
      continue;
    float &logit = candidates[token].logit;
    logit = logit > 0 ? logit / penalty : logit * penalty;
  }
  for (int32_t token : tokens)
    seen[token] = 0;
}

void penalizeFrequency(Candidates &candidates, std::span<const int32_t> tokens, float presence,
                       float frequency, std::span<int32_t> counts) {
  for (int32_t token : tokens)
    ++counts[token];
  for (int32_t token : tokens) {
    if (counts[token])
      candidates[token].logit -= presence + frequency * float(counts[token]);
    counts[token] = 0;
  }
}

void keepTopK(Candidates &candidates, int32_t count) {
  if (count <= 0 || size_t(count) >= candidates.size())
    return;
  sortBest(candidates, count);
  candidates.resize(count);
}

void keepTopP(Candidates &candidates, float mass) {
  if (mass >= 1)
    return;
  float bestLogit = best(candidates).logit;
  double wanted = double(mass) * totalWeight(candidates, bestLogit);
  // A few dozen mostly hold the mass: sort some, look, sort more.
  for (size_t sorted = std::min<size_t>(64, candidates.size());;
       sorted = std::min(sorted * 8, candidates.size())) {
    sortBest(candidates, sorted);
    double reached = 0;
    for (size_t i = 0; i < sorted; ++i) {
      reached += weight(candidates[i], bestLogit);
      if (reached >= wanted) {
        candidates.resize(i + 1);
        return;
      }
    }
    if (sorted == candidates.size())
      return; // rounding: all of them are needed
  }
}

void keepMinP(Candidates &candidates, float ratio) {
  if (ratio <= 0)
    return;
  float bestLogit = best(candidates).logit;
  double limit = double(bestLogit) + std::log(double(ratio));
  std::erase_if(candidates, [&](const Candidate &candidate) { return candidate.logit < limit; });
}

void applyTemperature(Candidates &candidates, float temperature) {
  for (Candidate &candidate : candidates)
    candidate.logit /= temperature;
}

int32_t draw(const Candidates &candidates, double point) {
  float bestLogit = best(candidates).logit;
  double wanted = point * totalWeight(candidates, bestLogit), reached = 0;
  for (const Candidate &candidate : candidates) {
    reached += weight(candidate, bestLogit);
    if (reached > wanted)
      return candidate.id;
  }
  return best(candidates).id; // rounding at the very end of the distribution
}

} // namespace llmir
