// Packs weights: every one of a model in the layout its kernels read, at the offsets that the
// manifest names.
#pragma once

#include "llmir/abi/Manifest.h"
#include "llmir/codegen/cpu/WeightTable.h"
#include "llmir/formats/gguf/Gguf.h"
#include "llmir/support/Error.h"
#include <functional>

namespace llmir {

/// The tensor of a name; what it refers to stays until the weights are packed.
using TensorLookup = std::function<Expected<GgufTensor>(const std::string &name)>;

/// Fills in the weight table of the manifest: names, rows, slots, offsets, sizes.
void planWeights(const cpu::WeightTable &table, Manifest &manifest);

/// Packs all weights on all processors into `output`, weightBytes zeroes aligned to 64 bytes, as
/// planned. A tensor of floats is rounded to its symbol's type where that is quantised, some rows
/// at a time. Fails if a tensor is missing, of another shape, or of another type otherwise, and if
/// one to be rounded holds a number that is not finite or too large.
Status packWeights(const cpu::WeightTable &table, const Manifest &manifest,
                   const TensorLookup &source, uint8_t *output);

} // namespace llmir
