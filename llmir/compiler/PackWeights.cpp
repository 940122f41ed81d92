// Plans and packs; see PackWeights.h.
#include "llmir/compiler/PackWeights.h"

#include "llmir/support/WorkQueue.h"

namespace llmir {

namespace {
/// Calls `use(slot, row, name)` for every tensor behind the table, in the order of their offsets.
template <typename Use> void forEachTensor(const cpu::WeightTable &table, Use use) {
  for (cpu::WeightSlot slot : table.all()) {
    if (!slot.weight.getLayers())
      use(slot, table.modelRow(), slot.weight.sourceName(0));
    for (int64_t layer : slot.weight.getLayers().value_or(llvm::ArrayRef<int64_t>()))
      use(slot, layer, slot.weight.sourceName(layer));
  }
}

/// The tensor of a weight, checked to be of its symbol's type.
Expected<SourceTensor> findTensor(const TensorLookup &source, llm::WeightOp weight,
                                  const std::string &name) {
  auto tensor = source(name);
  if (!tensor)
    return tensor;
  mlir::RankedTensorType type = weight.getTensorType();
  Format expected = *llm::formatOf(type.getElementType());
  if (tensor->format != expected)
    return fail("tensor {} has the type {}, the model expects {}", name,
                formatInfo(tensor->format).name, formatInfo(expected).name);
  if (llvm::ArrayRef<int64_t>(tensor->shape) != type.getShape())
    return fail("tensor {} has the shape [{}], the model expects [{}]", name,
                fmt::join(tensor->shape, ", "), fmt::join(type.getShape(), ", "));
  return tensor;
}
} // namespace

void planWeights(const cpu::WeightTable &table, Manifest &manifest) {
  manifest.weightRows = table.rows();
  manifest.weightSlots = table.slots();
  forEachTensor(table, [&](const cpu::WeightSlot &slot, int64_t row, const std::string &name) {
    manifest.weights.push_back({name, row, slot.slot, manifest.weightBytes, slot.bytes});
    manifest.weightBytes += slot.bytes;
  });
}

Status packWeights(const cpu::WeightTable &table, const Manifest &manifest,
                   const TensorLookup &source, uint8_t *output) {
  // About this many bytes are one piece of work, so that a large embedding does not keep one thread
  // busy at the end.
  constexpr int64_t pieceBytes = 1 << 20;
  WorkQueue work;
  Status status;
  size_t next = 0;
  forEachTensor(table, [&](const cpu::WeightSlot &slot, int64_t, const std::string &name) {
    uint8_t *destination = output + manifest.weights[next++].offset;
    auto tensor = findTensor(source, slot.weight, name);
    if (!tensor) {
      if (status) // the first error is the one to report
        status = forward(tensor);
      return;
    }
    const uint8_t *bytes = tensor->bytes.data();
    if (!slot.layout) {
      Format format = tensor->format;
      int64_t count = tensor->shape[0];
      work.add([=] { dequantize(format, bytes, reinterpret_cast<float *>(destination), count); });
      return;
    }
    const cpu::PackedLayout layout = *slot.layout;
    const int64_t step = std::max<int64_t>(1, pieceBytes / layout.panelBytes);
    const int64_t matrixBytes = layout.n * rowBytes(layout.format, layout.k);
    for (int64_t matrix = 0; matrix < slot.matrices; ++matrix)
      for (int64_t panel = 0; panel < layout.panels; panel += step)
        work.add([=] {
          packPanels(layout, bytes + matrix * matrixBytes, destination + matrix * layout.bytes(),
                     panel, std::min(panel + step, layout.panels));
        });
  });
  if (!status)
    return status;
  work.run();
  return {};
}

} // namespace llmir
