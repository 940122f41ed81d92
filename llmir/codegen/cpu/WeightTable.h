// Where every weight of a model goes in the table that compiled code reads: weights[row][slot] of
// abi/llmir_abi.h.
#pragma once

#include "llmir/codegen/cpu/PackedLayout.h"
#include "llmir/dialect/Llm.h"
#include "llvm/ADT/StringMap.h"
#include <optional>
#include <vector>

namespace llmir::cpu {

/// One llm.weight: a slot in the rows of its layers, or in the last row if it belongs to no layer.
struct WeightSlot {
  llm::WeightOp weight;
  int64_t slot = 0;
  std::optional<PackedLayout> layout; ///< of a matrix; a vector is stored as f32
  int64_t matrices = 1;               ///< one for each expert, packed one after the other
  int64_t bytes = 0;                  ///< of one layer's tensor, a multiple of 64
};

class WeightTable {
public:
  /// Gives every weight of the model a slot and a layout.
  WeightTable(llm::ModelOp model, const Target &target);

  int64_t rows() const { return layers + 1; }
  int64_t slots() const { return slotCount; }
  int64_t modelRow() const { return layers; }
  const std::vector<WeightSlot> &all() const { return table; }
  const WeightSlot &at(llvm::StringRef symbol) const { return table[bySymbol.lookup(symbol)]; }

private:
  int64_t layers = 0, slotCount = 0;
  std::vector<WeightSlot> table;
  llvm::StringMap<size_t> bySymbol;
};

} // namespace llmir::cpu
