// Decoding of packed panels; see PackedPanel.h.
#include "llmir/codegen/cpu/PackedPanel.h"

namespace llmir::cpu {

PackedPanel::PackedPanel(KernelBuilder &k, const PackedLayout &layout)
    : scheme(*formatInfo(layout.format).scheme), rows(layout.panelRows()), k(k) {
  unitColumns = scheme.superBlock ? 256 : 32;
  quantBytes = scheme.bits * 4 * rows;
  scalesAt = (scheme.hasMin ? 4 : 2) * rows;
  minsAt = quantsAt = scalesAt;
  if (scheme.superBlock) {
    int64_t groups = 256 / scheme.group;
    minsAt = scalesAt + groups * rows;
    quantsAt = minsAt + (scheme.hasMin ? groups * rows : 0);
  }
  unitBytes = quantsAt + groupsOf32() * quantBytes;
}

Value PackedPanel::halves(Value unit, int64_t at, Value row, int64_t count) {
  Value pointer = k.offset(k.at(unit, row, 2), at);
  return count == 1 ? k.extendFloat(k.load(pointer, k.f16), k.f32)
                    : k.extendFloat(k.load(pointer, k.vec(count, k.f16)), k.vec(count, k.f32));
}

Value PackedPanel::bytesOf(Value unit, int64_t at, Value group, Value row, int64_t count) {
  Value pointer = k.offset(k.offset(k.at(unit, group, rows), row), at);
  return count == 1 ? k.load(pointer, k.i8) : k.load(pointer, k.vec(count, k.i8));
}

Value PackedPanel::groupScale(Value unit, Value group, Value row, int64_t count) {
  Type wide = count == 1 ? k.i32 : Type(k.vec(count, k.i32)),
       real = count == 1 ? k.f32 : Type(k.vec(count, k.f32));
  return k.intToFloat(k.extendSigned(bytesOf(unit, scalesAt, group, row, count), wide), real);
}

Value PackedPanel::groupMin(Value unit, Value group, Value row, int64_t count) {
  Type wide = count == 1 ? k.i32 : Type(k.vec(count, k.i32)),
       real = count == 1 ? k.f32 : Type(k.vec(count, k.f32));
  return k.intToFloat(k.extendUnsigned(bytesOf(unit, minsAt, group, row, count), wide), real);
}

Value PackedPanel::quants(Value unit, Value groupOf32, Value row) {
  return k.offset(k.at(k.at(unit, groupOf32, quantBytes), row, 4), quantsAt);
}

Value PackedPanel::plane(Value quants, int64_t firstVector, int width, int64_t s, int64_t count) {
  const int64_t vector = s * width / 8, shift = s * width % 8;
  VectorType bytes = k.vec(4 * count, k.i8);
  Value value = k.load(k.offset(quants, (firstVector + vector) * 4 * rows), bytes);
  if (shift)
    value = k.shiftRightUnsigned(value, shift);
  // The highest bits need no mask: the shift has brought zeros in.
  return shift + width == 8 ? value : k.bitAnd(value, k.constInt((1 << width) - 1, bytes));
}

Value PackedPanel::subChunk(Value quants, int64_t s, int64_t count) {
  if (scheme.bits == 8)
    return k.load(k.offset(quants, s * 4 * rows), k.vec(4 * count, k.i8));
  int low = scheme.bits >= 4 ? 4 : 2;
  Value value = plane(quants, 0, low, s, count);
  if (scheme.bits > low)
    value = k.bitOr(value, k.shiftLeft(plane(quants, low, scheme.bits - low, s, count), low));
  return value;
}

} // namespace llmir::cpu
