// RMS and layer normalisation. Sums are taken in four vectors, then in a fixed tree, so a row's
// result depends on the row alone.
#include "llmir/codegen/cpu/RowKernels.h"

#include <bit>

using namespace mlir;
namespace llmir::cpu {

namespace {

constexpr int64_t accumulators = 4;

/// The sum of `count` f32 columns: term(x, sum) adds what a vector of columns contributes.
Value sumColumns(KernelBuilder &k, Value pointer, int64_t count,
                 function_ref<Value(Value, Value)> term) {
  int64_t lanes = k.lanes(), step = accumulators * lanes, blocks = count / step * step;
  Values sums(accumulators, k.constFloat(0, k.vecF32()));
  auto addVectors = [&](Value first, int64_t vectors, ValueRange before) {
    Values after(before);
    for (int64_t i = 0; i < vectors; ++i) {
      Value x = k.load(k.offset(k.at(pointer, first, 4), i * lanes * 4), k.vecF32());
      after[i] = term(x, after[i]);
    }
    return after;
  };
  if (blocks)
    sums = k.forLoop(k.index(0), k.index(blocks), step, sums, [&](Value i, ValueRange before) {
      return addVectors(i, accumulators, before);
    });
  sums = addVectors(k.index(blocks), (count - blocks) / lanes, sums);
  Value total = k.sumLanes(k.add(k.add(sums[0], sums[1]), k.add(sums[2], sums[3])));
  if (int64_t rest = count % lanes) {
    Value x = k.load(k.offset(pointer, (count - rest) * 4), k.vec(rest, k.f32));
    total = k.add(total, k.sumLanes(term(x, k.constFloat(0, x.getType()))));
  }
  return total;
}

/// 1 / sqrt(total / columns + eps)
Value inverseRoot(KernelBuilder &k, Value total, int64_t columns, double eps) {
  Value mean = k.div(total, k.constFloat(static_cast<double>(columns), k.f32));
  Value root = math::SqrtOp::create(k.b, k.loc, k.add(mean, k.constFloat(eps, k.f32)));
  return k.div(k.constFloat(1, k.f32), root);
}

std::string kernelName(StringRef kind, const NormSpec &spec) {
  return fmt::format("{}_{}_{}_{:x}_{}_{}_{}", kind.str(), spec.columns, spec.group,
                     std::bit_cast<uint64_t>(spec.eps), spec.bias ? "bias" : "plain", spec.xStride,
                     spec.yStride);
}

} // namespace

func::FuncOp rmsNormKernel(KernelBuilder &k, const NormSpec &spec) {
  return k.function(
      kernelName("rms_norm", spec), {k.ptr, k.ptr, k.ptr, k.i64, k.i64, k.i64, k.i64},
      [&](ValueRange a) {
        Value weight = a[1];
        k.forLoop(a[3], a[4], 1, [&](Value t) {
          Value xRow = k.at(a[0], t, spec.xStride), yRow = k.at(a[2], t, spec.yStride);
          k.forLoop(a[5], a[6], 1, [&](Value group) {
            Value x = k.at(xRow, group, spec.group * 4), y = k.at(yRow, group, spec.group * 4);
            Value total =
                sumColumns(k, x, spec.group, [&](Value v, Value sum) { return k.fma(v, v, sum); });
            Value inverse = inverseRoot(k, total, spec.group, spec.eps);
            k.forColumns(spec.group, [&](Value first, int64_t width) {
              Value v = k.load(k.at(x, first, 4), k.vec(width, k.f32));
              Value w = k.load(k.at(weight, first, 4), v.getType());
              k.store(k.mul(k.mul(v, k.splat(inverse, width)), w), k.at(y, first, 4));
            });
          });
        });
      });
}

func::FuncOp layerNormKernel(KernelBuilder &k, const NormSpec &spec) {
  return k.function(
      kernelName("layer_norm", spec), {k.ptr, k.ptr, k.ptr, k.ptr, k.i64, k.i64},
      [&](ValueRange a) {
        Value weight = a[1], bias = a[2];
        auto splatLike = [&](Value scalar, Value vector) {
          return k.splat(scalar, cast<VectorType>(vector.getType()).getNumElements());
        };
        k.forLoop(a[4], a[5], 1, [&](Value t) {
          Value x = k.at(a[0], t, spec.xStride), y = k.at(a[3], t, spec.yStride);
          Value sum = sumColumns(k, x, spec.columns,
                                 [&](Value v, Value before) { return k.add(before, v); });
          Value mean = k.div(sum, k.constFloat(static_cast<double>(spec.columns), k.f32));
          // The second pass over the row, in the cache by now, avoids the cancellation of
          // mean(x²) - mean(x)².
          Value squares = sumColumns(k, x, spec.columns, [&](Value v, Value before) {
            Value distance = k.sub(v, splatLike(mean, v));
            return k.fma(distance, distance, before);
          });
          Value inverse = inverseRoot(k, squares, spec.columns, spec.eps);
          k.forColumns(spec.columns, [&](Value first, int64_t width) {
            Value v = k.load(k.at(x, first, 4), k.vec(width, k.f32));
            Value w = k.load(k.at(weight, first, 4), v.getType());
            Value r = k.mul(k.mul(k.sub(v, splatLike(mean, v)), splatLike(inverse, v)), w);
            if (spec.bias)
              r = k.add(r, k.load(k.at(bias, first, 4), v.getType()));
            k.store(r, k.at(y, first, 4));
          });
        });
      });
}

} // namespace llmir::cpu
