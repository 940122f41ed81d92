// Random models for the tests of the compiler: llm IR of any shape that the dialect allows, and
// weights to go with it.
#pragma once

#include "ModelWriter.h"

namespace llmir::test {

using RandomModel = TestModel;

/// Everything about the model follows from the seed: op order, optional norms and biases, head
/// sizes, GQA ratios, parallel blocks, mixtures of experts, odd widths, weight types.
RandomModel randomModel(uint64_t seed);

} // namespace llmir::test
