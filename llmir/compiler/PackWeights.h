// Packs weights: every one of a model in the layout its kernels read, at the offsets that the
// manifest names.
#pragma once

#include "llmir/abi/Manifest.h"
#include "llmir/codegen/cpu/WeightTable.h"
#include "llmir/support/Error.h"
#include <functional>
#include <span>

namespace llmir {

/// A tensor's bytes in its file format, rows one after the other.
struct SourceTensor {
  Format format;
  std::vector<int64_t> shape;
  std::span<const uint8_t> bytes;
};
using TensorLookup = std::function<Expected<SourceTensor>(const std::string &name)>;

/// Fills in the weight table of the manifest: names, rows, slots, offsets, sizes.
void planWeights(const cpu::WeightTable &table, Manifest &manifest);

/// Packs all weights on all processors into `output`, weightBytes zeroes aligned to 64 bytes, as
/// planned. A tensor of floats is rounded to its symbol's type where that is quantised, some rows
/// at a time. Fails if a tensor is missing, of another shape, or of another type otherwise, and if
/// one to be rounded holds a number that is not finite or too large.
Status packWeights(const cpu::WeightTable &table, const Manifest &manifest,
                   const TensorLookup &source, uint8_t *output);

} // namespace llmir
