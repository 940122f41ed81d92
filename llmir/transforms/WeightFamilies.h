// Weights of alike layers as one symbol: what their names have in common.
#pragma once

#include "llmir/dialect/Llm.h"
#include <map>
#include <vector>

namespace llmir::llm {

/// The tensor that one layer reads.
struct WeightOfLayer {
  int64_t layer;
  std::string name;
};

/// What stands before and behind the layer's number in the names of a family.
using NamePattern = std::pair<std::string, std::string>;

/// The patterns under which each name holds its layer's number and all else is the same, those with
/// the number furthest in front first. Empty if there is none.
std::vector<NamePattern> commonPatterns(llvm::ArrayRef<WeightOfLayer> weights);

} // namespace llmir::llm
