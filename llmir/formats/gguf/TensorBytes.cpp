// Views where the file's order is GGUF's, copies else.
#include "llmir/formats/gguf/TensorBytes.h"

#include <cstring>

namespace llmir {

std::span<const uint8_t> TensorMatrix::read(int64_t first, int64_t count,
                                            std::vector<uint8_t> &copy) const {
  const size_t row = bytes.size() / rows;
  if (!halvedHeads)
    return bytes.subspan(first * row, count * row);
  // Rows of a head come from halves (i, i + n/2) and become neighbours (2i, 2i + 1).
  const int64_t headRows = rows / halvedHeads;
  copy.resize(count * row);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t inHead = (first + i) % headRows;
    const int64_t source = first + i - inHead + inHead % 2 * (headRows / 2) + inHead / 2;
    std::memcpy(copy.data() + i * row, bytes.data() + source * row, row);
  }
  return copy;
}

TensorMatrix matrixOf(const GgufTensor &tensor, int64_t index, int64_t count) {
  const int64_t rows = tensor.shape[tensor.shape.size() > 2 ? tensor.shape.size() - 2 : 0];
  if (!tensor.matrices.empty())
    return {tensor.matrices[index], rows, 0};
  const size_t size = tensor.bytes.size() / count;
  return {tensor.bytes.subspan(index * size, size), rows, tensor.halvedHeads};
}

std::span<const uint8_t> tensorBytes(const GgufTensor &tensor, std::vector<uint8_t> &copy) {
  if (tensor.halvedHeads)
    return matrixOf(tensor, 0, 1).read(0, tensor.shape[0], copy);
  if (tensor.matrices.empty())
    return tensor.bytes;
  copy.clear();
  for (std::span<const uint8_t> matrix : tensor.matrices)
    copy.insert(copy.end(), matrix.begin(), matrix.end());
  return copy;
}

} // namespace llmir
