// Activations to integers: bit for bit quantizeActivations of quant/Format.h, which defines it.
#include "llmir/codegen/cpu/RowKernels.h"

using namespace mlir;
namespace llmir::cpu {

func::FuncOp quantizeKernel(KernelBuilder &k, const QuantizeSpec &spec) {
  const bool isA8 = spec.format == Format::A8;
  const int64_t bytes = isA8 ? 1 : 2, groups = spec.columns / 32, vectors = 32 / k.lanes();
  Type packed = k.vec(32, isA8 ? k.i8 : k.i16);
  Value limit, tiny, zero;

  auto quantizeGroup = [&](Value x, Value quants, Value scale, Value sum) {
    Values values;
    Value largest;
    for (int64_t i = 0; i < vectors; ++i) {
      values.push_back(k.load(k.offset(x, i * k.lanes() * 4), k.vecF32()));
      Value magnitude = math::AbsFOp::create(k.b, k.loc, values.back());
      largest = largest ? k.max(largest, magnitude) : magnitude;
    }
    largest = k.maxLanes(largest);
    // A group this small is zero: its reciprocal would overflow.
    Value isZero = k.lessThan(largest, tiny);
    k.store(k.select(isZero, zero, k.div(largest, limit)), scale);
    Value inverse = k.splat(k.select(isZero, zero, k.div(limit, largest)), k.lanes());
    // Adding 1.5 * 2^23 rounds to nearest even and leaves the integer in the low bits.
    Value magic = k.constFloat(0x1.8p23, k.vecF32());
    Value magicBits = k.constInt(0x4b400000, k.vecI32());
    Value total;
    for (Value &value : values) {
      value = k.sub(k.bitcast(k.add(k.mul(value, inverse), magic), k.vecI32()), magicBits);
      total = total ? k.add(total, value) : value;
    }
    k.store(k.truncateInt(k.concatenate(values), packed), quants);
    k.store(k.sumLanes(total), sum);
  };

  return k.function(fmt::format("quantize_{}_{}_{}_{}", isA8 ? "a8" : "a16", spec.columns,
                                spec.xStride, spec.yStride),
                    {k.ptr, k.ptr, k.i64, k.i64}, [&](ValueRange a) {
                      limit = k.constFloat(isA8 ? 127 : 32767, k.f32);
                      tiny = k.constFloat(0x1p-100, k.f32);
                      zero = k.constFloat(0, k.f32);
                      k.forLoop(a[2], a[3], 1, [&](Value t) {
                        Value x = k.at(a[0], t, spec.xStride), y = k.at(a[1], t, spec.yStride);
                        Value scales = k.offset(y, spec.columns * bytes),
                              sums = k.offset(scales, groups * 4);
                        k.forLoop(k.index(0), k.index(groups), 1, [&](Value g) {
                          quantizeGroup(k.at(x, g, 32 * 4), k.at(y, g, 32 * bytes),
                                        k.at(scales, g, 4), k.at(sums, g, 4));
                        });
                      });
                    });
}

} // namespace llmir::cpu
