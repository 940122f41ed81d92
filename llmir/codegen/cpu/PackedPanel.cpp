// Decoding of packed panels; see PackedPanel.h.
#include "llmir/codegen/cpu/PackedPanel.h"

namespace llmir::cpu {

PackedPanel::PackedPanel(KernelBuilder &k, const PackedLayout &layout)
    : scheme(*formatInfo(layout.format).scheme), rows(layout.panelRows()), k(k) {
  unitColumns = scheme.superBlock ? 256 : 32;
  quantBytes = scheme.bits * 4 * rows;
  scalesAt = (scheme.hasMin ? 4 : 2) * rows;
  const int64_t integers = scheme.superBlock ? 256 / scheme.group * (scheme.hasMin ? 2 : 1) : 0;
  highBitsAt = scalesAt + integers / 2 * rows;
  quantsAt = scalesAt + integers * scheme.scaleBits / 8 * rows;
  unitBytes = quantsAt + groupsOf32() * quantBytes;
}

Value PackedPanel::halves(Value unit, int64_t at, Value row, int64_t count) {
  Value pointer = k.offset(k.at(unit, row, 2), at);
  return count == 1 ? k.extendFloat(k.load(pointer, k.f16), k.f32)
                    : k.extendFloat(k.load(pointer, k.vec(count, k.f16)), k.vec(count, k.f32));
}

Value PackedPanel::bytesOf(Value unit, int64_t at, Value index, Value row, int64_t count) {
  Value pointer = k.offset(k.offset(k.at(unit, index, rows), row), at);
  Value bytes = count == 1 ? k.load(pointer, k.i8) : k.load(pointer, k.vec(count, k.i8));
  Type wide = count == 1 ? k.i32 : Type(k.vec(count, k.i32));
  return scheme.scaleBits == 8 ? k.extendSigned(bytes, wide) : k.extendUnsigned(bytes, wide);
}

/// Scale or minimum `group` as i32. Scale and minimum of a group share their bytes.
Value PackedPanel::integer(Value unit, Value group, bool isMin, Value row, int64_t count) {
  if (scheme.scaleBits == 8)
    return bytesOf(unit, scalesAt, group, row, count);
  auto part = [&](int64_t at, int64_t width) {
    // Numbers of a byte, and how many of them belong to one group.
    const int64_t perByte = 8 / width, perGroup = scheme.hasMin ? 2 : 1;
    Value groupsOfByte = k.index(perByte / perGroup);
    Value bytes = bytesOf(unit, at, k.divUnsigned(group, groupsOfByte), row, count);
    Value shift = k.mul(k.remUnsigned(group, groupsOfByte), k.index(width * perGroup));
    shift = k.add(shift, k.index(isMin ? width : 0));
    bytes = k.shiftRightUnsigned(bytes, k.truncateInt(shift, k.i32));
    return k.bitAnd(bytes, k.constInt((1 << width) - 1, bytes.getType()));
  };
  Value value = part(scalesAt, 4);
  if (scheme.scaleBits == 6)
    value = k.bitOr(value, k.shiftLeft(part(highBitsAt, 2), 4));
  if (!scheme.hasMin)
    value = k.sub(value, k.constInt(1 << (scheme.scaleBits - 1), value.getType()));
  return value;
}

Value PackedPanel::groupScale(Value unit, Value group, Value row, int64_t count) {
  return k.intToFloat(integer(unit, group, /*isMin=*/false, row, count),
                      count == 1 ? k.f32 : Type(k.vec(count, k.f32)));
}

Value PackedPanel::groupMin(Value unit, Value group, Value row, int64_t count) {
  return k.intToFloat(integer(unit, group, /*isMin=*/true, row, count),
                      count == 1 ? k.f32 : Type(k.vec(count, k.f32)));
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
