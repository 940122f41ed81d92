// Addresses and decoding inside a packed panel of a quantised matrix, shared by products and
// embedding. The bytes are described in PackedLayout.cpp.
#pragma once

#include "llmir/codegen/cpu/KernelBuilder.h"
#include "llmir/codegen/cpu/PackedLayout.h"

namespace llmir::cpu {

/// A unit is what shares one d: 32 or 256 columns of all rows of a panel.
class PackedPanel {
public:
  PackedPanel(KernelBuilder &k, const PackedLayout &layout);

  const QuantScheme scheme;
  const int64_t rows;       ///< of a panel
  int64_t unitColumns = 32; ///< 32 or 256
  int64_t unitBytes = 0;

  int64_t groupsOf32() const { return unitColumns / 32; }
  /// Groups with a scale of their own in 32 columns: 1 or 2.
  int64_t scalesPer32() const { return 32 / scheme.group; }
  /// What must be subtracted from a decoded quant: the 8-bit plane holds signed values.
  int64_t offset() const { return scheme.bits == 8 ? 0 : scheme.offset; }
  bool isSigned() const { return scheme.bits == 8; }

  /// d or m of rows [row, row + count) of a unit as f32 (a scalar if count is 1).
  Value scaleD(Value unit, Value row, int64_t count) { return halves(unit, 0, row, count); }
  Value scaleM(Value unit, Value row, int64_t count) { return halves(unit, 2 * rows, row, count); }
  /// The integer scale or minimum of group `group` (i64, within the unit) as
  /// f32.
  Value groupScale(Value unit, Value group, Value row, int64_t count);
  Value groupMin(Value unit, Value group, Value row, int64_t count);

  /// The quants of 32 columns: pointer to row `row` in the first vector of the plane(s).
  Value quants(Value unit, Value groupOf32, Value row);
  /// Sub-chunk s (columns 4 s … 4 s + 3) of `count` rows from a pointer that quants() gave: 4 *
  /// count bytes, [row][4].
  Value subChunk(Value quants, int64_t s, int64_t count);

private:
  KernelBuilder &k;
  int64_t scalesAt = 0, highBitsAt = 0, quantsAt = 0, quantBytes = 0;
  Value halves(Value unit, int64_t at, Value row, int64_t count);
  Value bytesOf(Value unit, int64_t at, Value index, Value row, int64_t count);
  Value integer(Value unit, Value group, bool isMin, Value row, int64_t count);
  Value plane(Value quants, int64_t firstVector, int width, int64_t s, int64_t count);
};

} // namespace llmir::cpu
