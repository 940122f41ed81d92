// Plans and packs; see PackWeights.h.
#include "llmir/compiler/PackWeights.h"

#include "llmir/formats/gguf/TensorBytes.h"
#include "llmir/quant/Quantize.h"
#include "llmir/support/WorkQueue.h"
#include <mutex>

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

/// Panels [panel0, panel1) of matrix number `index` of a tensor. Its rows are brought into GGUF's
/// order and, if they are floats and the layout's format is not, rounded to that first.
Status packRows(const cpu::PackedLayout &layout, Format from, const TensorMatrix &matrix,
                int64_t index, uint8_t *destination, int64_t panel0, int64_t panel1) {
  const int64_t row0 = panel0 * layout.panelRows();
  cpu::PackedLayout part = layout;
  part.panels = panel1 - panel0;
  part.n = std::min(part.panels * layout.panelRows(), layout.n - row0);
  std::vector<uint8_t> copy, rounded;
  const uint8_t *rows = matrix.read(row0, part.n, copy).data();
  if (from != layout.format) {
    rounded.resize(part.n * rowBytes(layout.format, layout.k));
    if (Status status = quantizeRows(from, rows, layout.format, rounded.data(), part.n, layout.k,
                                     index * layout.n + row0);
        !status)
      return status;
    rows = rounded.data();
  }
  packPanels(part, rows, destination + index * layout.bytes() + panel0 * layout.panelBytes, 0,
             part.panels);
  return {};
}

/// Of the errors of many pieces of work, that of the first piece, whichever ends first.
class FirstError {
public:
  void add(size_t piece, std::string message) {
    std::lock_guard lock(mutex);
    if (!found || piece < found->first)
      found = {piece, std::move(message)};
  }
  Status status() const { return found ? fail("{}", found->second) : Status(); }

private:
  std::mutex mutex;
  std::optional<std::pair<size_t, std::string>> found;
};

/// The tensor of a weight, checked to be of its symbol's type.
Expected<GgufTensor> findTensor(const TensorLookup &source, llm::WeightOp weight,
                                const std::string &name) {
  auto tensor = source(name);
  if (!tensor)
    return tensor;
  mlir::RankedTensorType type = weight.getTensorType();
  Format expected = *llm::formatOf(type.getElementType());
  if (!canBecome(tensor->format, expected))
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
  FirstError unencodable;
  size_t next = 0, piece = 0;
  forEachTensor(table, [&](const cpu::WeightSlot &slot, int64_t, const std::string &name) {
    uint8_t *destination = output + manifest.weights[next++].offset;
    auto tensor = findTensor(source, slot.weight, name);
    if (!tensor) {
      if (status) // the first error is the one to report
        status = forward(tensor);
      return;
    }
    if (!slot.layout) {
      const TensorMatrix vector = matrixOf(*tensor, 0, 1);
      work.add([=, format = tensor->format] {
        std::vector<uint8_t> copy;
        dequantize(format, vector.read(0, vector.rows, copy).data(),
                   reinterpret_cast<float *>(destination), vector.rows);
      });
      return;
    }
    const cpu::PackedLayout layout = *slot.layout;
    const int64_t step = std::max<int64_t>(1, pieceBytes / layout.panelBytes);
    for (int64_t index = 0; index < slot.matrices; ++index) {
      const TensorMatrix matrix = matrixOf(*tensor, index, slot.matrices);
      for (int64_t panel = 0; panel < layout.panels; panel += step)
        work.add([=, &unencodable, from = tensor->format, number = piece++] {
          Status packed = packRows(layout, from, matrix, index, destination, panel,
                                   std::min(panel + step, layout.panels));
          if (!packed)
            unencodable.add(
                number,
                fmt::format("tensor {} {}: leave --quantize away, or convert the model again", name,
                            packed.error().message));
        });
    }
  });
  if (!status)
    return status;
  work.run();
  return unencodable.status();
}

} // namespace llmir
