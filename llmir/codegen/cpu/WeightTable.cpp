// Slots are numbered in the order of the model's llm.weights, layered and model-wide ones apart.
#include "llmir/codegen/cpu/WeightTable.h"

namespace llmir::cpu {

WeightTable::WeightTable(llm::ModelOp model, const Target &target)
    : layers(model.getKvType().getLayers()) {
  int64_t layered = 0, modelWide = 0;
  for (auto weight : model.getBody().getOps<llm::WeightOp>()) {
    WeightSlot slot{weight, weight.getLayers() ? layered++ : modelWide++, std::nullopt};
    mlir::RankedTensorType type = weight.getTensorType();
    if (type.getRank() >= 2) {
      llvm::ArrayRef<int64_t> shape = type.getShape();
      slot.matrices = type.getRank() == 3 ? shape.front() : 1;
      slot.layout = packedLayout(target, *llm::formatOf(type.getElementType()),
                                 shape[shape.size() - 2], shape.back());
      slot.bytes = slot.matrices * slot.layout->bytes();
    } else {
      slot.bytes = type.getNumElements() * 4;
    }
    slot.bytes = llvm::alignTo(slot.bytes, 64);
    for (int64_t layer : weight.getLayers().value_or(llvm::ArrayRef<int64_t>()))
      layers = std::max(layers, layer + 1);
    bySymbol[weight.getSymName()] = table.size();
    table.push_back(slot);
  }
  slotCount = std::max(layered, modelWide);
}

} // namespace llmir::cpu
