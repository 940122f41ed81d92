// How a weight matrix lies in memory for the kernels of one target: lane = row, one linear stream
// per panel of rows. The same layout serves products with one token and with many, and the
// embedding, so a tied table exists once.
#pragma once

#include "llmir/codegen/Target.h"
#include "llmir/quant/Format.h"

namespace llmir::cpu {

/// A matrix [n][k] is cut into panels of `panelRows` rows (lanes times row blocks); the last panel
/// is filled up with zeros. Panels follow each other, each `panelBytes` long. What is inside a
/// panel is described in PackedLayout.cpp.
struct PackedLayout {
  Format format = Format::F32;
  int64_t n = 0, k = 0;
  int64_t lanes = 0;     ///< rows of a row block
  int64_t rowBlocks = 0; ///< row blocks of a panel
  int64_t panels = 0;
  int64_t panelBytes = 0; ///< a multiple of 64
  int64_t panelRows() const { return lanes * rowBlocks; }
  int64_t bytes() const { return panels * panelBytes; }
};

PackedLayout packedLayout(const Target &target, Format format, int64_t n, int64_t k);

/// Packs panels [panel0, panel1) of a matrix whose rows lie one after the other in `source`, as in
/// a GGUF file. `destination` is the start of the whole packed matrix.
void packPanels(const PackedLayout &layout, const uint8_t *source, uint8_t *destination,
                int64_t panel0, int64_t panel1);

} // namespace llmir::cpu
