// Rows of the embedding straight out of the packed table, so that a table tied to the logits exists
// once.
#include "llmir/codegen/cpu/LinearKernel.h"
#include "llmir/codegen/cpu/PackedPanel.h"

namespace llmir::cpu {

/// One row of a float table: its elements are panelRows apart.
static void floatRow(KernelBuilder &k, const PackedLayout &layout, Value panel, Value row,
                     Value y) {
  const int64_t bytes = formatInfo(layout.format).blockBytes;
  k.forLoop(k.index(0), k.index(layout.k), 1, [&](Value column) {
    Value pointer = k.at(k.at(panel, column, layout.panelRows() * bytes), row, bytes), value;
    if (layout.format == Format::F32)
      value = k.load(pointer, k.f32);
    else if (layout.format == Format::F16)
      value = k.extendFloat(k.load(pointer, k.f16), k.f32);
    else
      value = k.bitcast(k.shiftLeft(k.extendUnsigned(k.load(pointer, k.i16), k.i32), 16), k.f32);
    k.store(value, k.at(y, column, 4));
  });
}

/// One row of a quantised table, in the arithmetic of dequantize(): four columns at a time.
static void quantRow(KernelBuilder &k, const PackedLayout &layout, Value panel, Value row,
                     Value y) {
  PackedPanel packed(k, layout);
  VectorType f32x4 = k.vec(4, k.f32), i32x4 = k.vec(4, k.i32);
  k.forLoop(k.index(0), k.index(layout.k / packed.unitColumns), 1, [&](Value u) {
    Value unit = k.at(panel, u, packed.unitBytes);
    Value d = packed.scaleD(unit, row, 1);
    Value m = packed.scheme.hasMin ? packed.scaleM(unit, row, 1) : Value();
    k.forLoop(k.index(0), k.index(packed.groupsOf32()), 1, [&](Value g) {
      Value quants = packed.quants(unit, g, row);
      Value out = k.at(k.at(y, u, packed.unitColumns * 4), g, 128);
      for (int64_t s = 0; s < 8; ++s) {
        Value scaleGroup =
            k.add(k.mul(g, k.index(packed.scalesPer32())), k.index(s * 4 / packed.scheme.group));
        Value bytes = packed.subChunk(quants, s, 1);
        Value integer =
            packed.isSigned() ? k.extendSigned(bytes, i32x4) : k.extendUnsigned(bytes, i32x4);
        if (packed.offset())
          integer = k.sub(integer, k.constInt(packed.offset(), i32x4));
        Value scale =
            packed.scheme.superBlock ? k.mul(d, packed.groupScale(unit, scaleGroup, row, 1)) : d;
        Value value = k.mul(k.splat(scale, 4), k.intToFloat(integer, f32x4));
        if (m && packed.scheme.superBlock)
          value = k.sub(value, k.splat(k.mul(m, packed.groupMin(unit, scaleGroup, row, 1)), 4));
        else if (m)
          value = k.add(value, k.splat(m, 4));
        k.store(value, k.offset(out, 16 * s));
      }
    });
  });
}

mlir::func::FuncOp embedKernel(KernelBuilder &k, const EmbedSpec &spec) {
  const PackedLayout &layout = spec.table;
  std::string name = fmt::format("embed_{}_{}x{}_{}", formatInfo(layout.format).name, layout.n,
                                 layout.k, spec.yStride);
  llvm::SmallVector<Type> arguments = {k.ptr, k.ptr, k.ptr, k.i64, k.i64};
  return k.function(name, arguments, [&](ValueRange a) {
    k.forLoop(a[3], a[4], 1, [&](Value t) {
      Value token = k.extendUnsigned(k.load(k.at(a[1], t, 4), k.i32), k.i64),
            rows = k.index(layout.panelRows());
      Value panel = k.at(a[0], k.divUnsigned(token, rows), layout.panelBytes);
      Value row = k.remUnsigned(token, rows), y = k.at(a[2], t, spec.yStride);
      formatInfo(layout.format).scheme ? quantRow(k, layout, panel, row, y)
                                       : floatRow(k, layout, panel, row, y);
    });
  });
}

} // namespace llmir::cpu
