// Products with f32, f16 and bf16 weights: one fused multiply-add per column, in ascending order.
#include "llmir/codegen/cpu/LinearTiles.h"

namespace llmir::cpu {

/// One row block of a column as f32.
static Value loadWeights(KernelBuilder &k, Format format, Value pointer) {
  const int64_t lanes = k.lanes();
  switch (format) {
  case Format::F16:
    return k.extendFloat(k.load(pointer, k.vec(lanes, k.f16)), k.vecF32());
  case Format::BF16:
    return k.bitcast(
        k.shiftLeft(k.extendUnsigned(k.load(pointer, k.vec(lanes, k.i16)), k.vecI32()), 16),
        k.vecF32());
  default:
    return k.load(pointer, k.vecF32());
  }
}

mlir::func::FuncOp linearFloatKernel(KernelBuilder &k, llvm::StringRef name,
                                     const LinearSpec &spec) {
  const PackedLayout &layout = spec.weight;
  const int64_t elementBytes = formatInfo(layout.format).blockBytes,
                columnBytes = layout.panelRows() * elementBytes;
  constexpr int64_t unroll = 4;
  auto tile = [&](const LinearTile &t) {
    auto columns = [&](Value from, Value to, int64_t step, const Values &init) {
      return k.forLoop(from, to, step, init, [&](Value column, ValueRange carried) {
        Values sums(carried);
        Value w = k.at(t.panel, column, columnBytes), x = k.at(t.x, column, 4);
        if (t.tokens == 1)
          prefetchAhead(k, w, step * columnBytes);
        for (int64_t u = 0; u < step; ++u) {
          Values weights;
          for (int64_t block = 0; block < layout.rowBlocks; ++block)
            weights.push_back(
                loadWeights(k, layout.format,
                            k.offset(w, u * columnBytes + block * layout.lanes * elementBytes)));
          for (int64_t token = 0; token < t.tokens; ++token) {
            Value value = k.splat(k.load(t.at(k, x, token, 4 * u), k.f32), layout.lanes);
            for (int64_t block = 0; block < layout.rowBlocks; ++block) {
              Value &sum = sums[token * layout.rowBlocks + block];
              sum = k.fma(weights[block], value, sum);
            }
          }
        }
        return sums;
      });
    };
    Values zeros(t.tokens * layout.rowBlocks, k.constFloat(0, k.vecF32()));
    const int64_t whole = layout.k / unroll * unroll;
    Values sums = columns(k.index(0), k.index(whole), unroll, zeros);
    return whole == layout.k ? sums : columns(k.index(whole), k.index(layout.k), 1, sums);
  };
  LinearSteps steps;
  steps.tile = tile;
  return linearLoopNest(k, name, spec, steps);
}

} // namespace llmir::cpu
