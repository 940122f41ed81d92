// The steps from logits to a token, each a small function over a list of candidates. Order and
// meaning are llama.cpp's: penalties, top-k, top-p, min-p, temperature, draw. All are
// deterministic: equal logits are ordered by id.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace llmir {

struct Candidate {
  int32_t id = 0;
  float logit = 0;
};

/// The tokens that can still be chosen. Filters shrink the list and allocate nothing.
using Candidates = std::vector<Candidate>;

/// The best candidate: the highest logit, of equal ones the lowest id. The list is not empty.
const Candidate &best(const Candidates &candidates);

/// Divides positive logits of `tokens` by `penalty` and multiplies negative ones with it, once a
/// token (Keskar et al. 2019, as in llama.cpp and transformers). Candidates are in the order of
/// their ids, all there. `seen` is scratch, [vocabulary] of zeros, and is zero again afterwards.
void penalizeRepetition(Candidates &candidates, std::span<const int32_t> tokens, float penalty,
                        std::span<int32_t> seen);

/// Subtracts `presence` once and `frequency` as often as a token is in `tokens` (OpenAI's
/// definition). Candidates and `counts` as above.
void penalizeFrequency(Candidates &candidates, std::span<const int32_t> tokens, float presence,
                       float frequency, std::span<int32_t> counts);

/// Keeps the `count` best, sorted; 0 keeps all.
void keepTopK(Candidates &candidates, int32_t count);

/// Keeps the smallest set of best candidates whose probabilities together reach `mass`, sorted; 1
/// keeps all.
void keepTopP(Candidates &candidates, float mass);

/// Keeps those at least `ratio` times as probable as the best; 0 keeps all.
void keepMinP(Candidates &candidates, float ratio);

/// Divides logits by `temperature`, which is above 0.
void applyTemperature(Candidates &candidates, float temperature);

/// The candidate at `point` of the cumulative distribution, 0 <= point < 1.
int32_t draw(const Candidates &candidates, double point);

} // namespace llmir
