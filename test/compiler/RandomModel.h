// Random models for the tests of the compiler: llm IR of any shape that the dialect allows, and
// weights to go with it.
#pragma once

#include "llmir/quant/Format.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace llmir::test {

struct RandomTensor {
  Format format;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};

struct RandomModel {
  std::string ir;
  std::map<std::string, RandomTensor> tensors; ///< by source name
  int64_t vocabulary = 0;
  bool onlyFloat = true; ///< no quantised weight: nothing is rounded to integers on the way
};

/// Everything about the model follows from the seed: op order, optional norms and biases, head
/// sizes, GQA ratios, parallel blocks, mixtures of experts, odd widths, weight types.
RandomModel randomModel(uint64_t seed);

} // namespace llmir::test
