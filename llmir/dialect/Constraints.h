// Conditions that the verifiers of several ops share.
#pragma once

#include "llvm/ADT/APFloat.h"

namespace llmir::llm {

inline bool isPositive(const llvm::APFloat &value) {
  return value.isFinite() && !value.isNegative() && !value.isZero();
}

} // namespace llmir::llm
