// torch and MLIR store the same little-endian bytes, but for bools.
#include "llmir/frontend/torch/Constants.h"

#include "llmir/frontend/torch/Tensors.h"
#include "llmir/support/Shown.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
namespace llmir::frontend::torch {

Value constantOf(OpBuilder &builder, Location loc, const torch_export::StoredTensor &tensor,
                 RankedTensorType type, const std::string &name) {
  constexpr size_t maxBytes = size_t(16) << 20;
  const std::span<const uint8_t> bytes = tensor.bytes;
  if (bytes.size() > maxBytes)
    refuse("the constant {} has {} bytes, at most {} are allowed: make it a parameter", shown(name),
           bytes.size(), maxBytes);
  DenseElementsAttr value;
  if (type.getElementType().isInteger(1)) {
    const SmallVector<bool> bools(bytes.begin(), bytes.end());
    value = DenseElementsAttr::get(type, bools);
  } else if (bytes.empty()) {
    value = DenseElementsAttr::get(type, ArrayRef<Attribute>());
  } else {
    // Copied: of what lies in the file, nothing is known about its alignment.
    const SmallVector<char> copy(bytes.begin(), bytes.end());
    value = DenseElementsAttr::getFromRawBuffer(type, copy);
  }
  return arith::ConstantOp::create(builder, loc, value);
}

} // namespace llmir::frontend::torch
