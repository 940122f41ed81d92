// Clearing, merging and normalising a running softmax; see RunningSoftmax.h.
#include "llmir/codegen/cpu/RunningSoftmax.h"
#include "llmir/codegen/cpu/VectorMath.h"

namespace llmir::cpu {

/// A maximum to begin with: finite, so that a difference from minus infinity is no NaN.
static constexpr double lowest = -3e38;

RunningSoftmax RunningSoftmax::onStack(KernelBuilder &k, int64_t heads, int64_t vDim) {
  Value maxima = k.stack(vectorsBytes(k, heads)), sums = k.stack(vectorsBytes(k, heads));
  return {k, heads, vDim, maxima, sums, k.stack(valuesBytes(heads, vDim))};
}

void RunningSoftmax::clear() {
  k.forLoop(k.index(0), k.index(heads), 1, [&](Value head) {
    k.store(k.constFloat(lowest, k.vecF32()), ofHead(maxima, head));
    k.store(k.constFloat(0, k.vecF32()), ofHead(sums, head));
  });
  k.forColumns(heads * vDim, [&](Value first, int64_t width) {
    k.store(k.constFloat(0, k.vec(width, k.f32)), k.at(values, first, 4));
  });
}

void RunningSoftmax::merge(const RunningSoftmax &part) {
  k.forLoop(k.index(0), k.index(heads), 1, [&](Value head) {
    auto load = [&](Value vectors) { return k.load(ofHead(vectors, head), k.vecF32()); };
    Value before = load(maxima), here = load(part.maxima), maximum = k.max(before, here);
    Value decay = vectorExpOfNegative(k, k.sub(before, maximum));
    Value weight = vectorExpOfNegative(k, k.sub(here, maximum));
    Value sum = k.fma(load(part.sums), weight, k.mul(load(sums), decay));
    k.store(maximum, ofHead(maxima, head));
    k.store(sum, ofHead(sums, head));
    // Scalars of their own: columns may be fewer than lanes.
    Value oneDecay = k.extractLane(decay, 0), oneWeight = k.extractLane(weight, 0);
    Value from = k.at(part.values, head, vDim * 4), to = k.at(values, head, vDim * 4);
    k.forColumns(vDim, [&](Value first, int64_t width) {
      VectorType type = k.vec(width, k.f32);
      Value old = k.mul(k.load(k.at(to, first, 4), type), k.splat(oneDecay, width));
      Value added = k.load(k.at(from, first, 4), type);
      k.store(k.fma(added, k.splat(oneWeight, width), old), k.at(to, first, 4));
    });
  });
}

void RunningSoftmax::normalize() {
  k.forLoop(k.index(0), k.index(heads), 1, [&](Value head) {
    Value sum = k.sumLanes(k.load(ofHead(sums, head), k.vecF32()));
    Value inverse = k.div(k.constFloat(1, k.f32), sum), row = k.at(values, head, vDim * 4);
    k.forColumns(vDim, [&](Value first, int64_t width) {
      Value to = k.at(row, first, 4);
      k.store(k.mul(k.load(to, k.vec(width, k.f32)), k.splat(inverse, width)), to);
    });
  });
}

} // namespace llmir::cpu
