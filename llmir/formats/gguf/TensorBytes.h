// The bytes of tensors in GGUF's order, whatever order they lie in: what is packed and interpreted
// is read through here, when it is, and copied only where it lies otherwise.
#pragma once

#include "llmir/formats/gguf/Gguf.h"

namespace llmir {

/// One matrix of a tensor (or its vector, a row a number) where it lies.
struct TensorMatrix {
  std::span<const uint8_t> bytes;
  int64_t rows;
  int64_t halvedHeads; ///< as in GgufTensor

  /// Rows [first, first + count), one after the other. `copy` holds the result where it is none of
  /// the file's own bytes.
  std::span<const uint8_t> read(int64_t first, int64_t count, std::vector<uint8_t> &copy) const;
};

/// Matrix `index` of the `count` that a tensor is made of: 1 but for experts.
TensorMatrix matrixOf(const GgufTensor &tensor, int64_t index, int64_t count);

/// All of a tensor, likewise.
std::span<const uint8_t> tensorBytes(const GgufTensor &tensor, std::vector<uint8_t> &copy);

} // namespace llmir
