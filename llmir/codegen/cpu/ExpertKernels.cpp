// Routing, grouping and combination of experts; see ExpertKernels.h. Sums are taken in one order:
// experts ascending in the denominator of a softmax over all of them, ranks ascending elsewhere.
#include "llmir/codegen/cpu/ExpertKernels.h"

#include "llmir/codegen/cpu/VectorMath.h"
#include <bit>
#include <limits>

using namespace mlir;
namespace llmir::cpu {

namespace {

/// Sum of `count` floats, one after the other.
Value sumInOrder(KernelBuilder &k, Value pointer, int64_t count) {
  return k.forLoop(k.index(0), k.index(count), 1, ValueRange{k.constFloat(0, k.f32)},
                   [&](Value i, ValueRange sum) -> Values {
                     return {k.add(sum[0], k.load(k.at(pointer, i, 4), k.f32))};
                   })[0];
}

/// Replaces `count` floats at `from` by a function of them at `to`.
void mapFloats(KernelBuilder &k, Value from, Value to, int64_t count,
               function_ref<Value(Value)> function) {
  k.forColumns(count, [&](Value first, int64_t width) {
    k.store(function(k.load(k.at(from, first, 4), k.vec(width, k.f32))), k.at(to, first, 4));
  });
}

/// Moves the best of the logits in `left`, one by one, into `numbers` and `values`.
void chooseBest(KernelBuilder &k, const RouteSpec &spec, Value left, Value numbers, Value values) {
  const double lowest = -std::numeric_limits<double>::infinity();
  k.forLoop(k.index(0), k.index(spec.ranks), 1, [&](Value rank) {
    // Only a larger logit takes the place: of equal ones the first stays.
    Values best = k.forLoop(
        k.index(0), k.index(spec.experts), 1, ValueRange{k.constFloat(lowest, k.f32), k.index(0)},
        [&](Value i, ValueRange carried) -> Values {
          Value logit = k.load(k.at(left, i, 4), k.f32);
          Value isBetter = k.lessThan(carried[0], logit);
          return {k.select(isBetter, logit, carried[0]), k.select(isBetter, i, carried[1])};
        });
    k.store(k.constFloat(lowest, k.f32), k.at(left, best[1], 4));
    k.store(k.truncateInt(best[1], k.i32), k.at(numbers, rank, 4));
    k.store(best[0], k.at(values, rank, 4));
  });
}

} // namespace

func::FuncOp routeKernel(KernelBuilder &k, const RouteSpec &spec) {
  const bool isSoftmax = spec.scoring == llm::Scoring::Softmax;
  std::string name =
      fmt::format("route_{}_{}_{}{}_{:x}_{}_{}", spec.experts, spec.ranks,
                  isSoftmax ? "softmax" : "sigmoid", spec.renormalise ? "_renormalise" : "",
                  std::bit_cast<uint64_t>(spec.scale), spec.logitsStride, spec.weightsStride);
  return k.function(name, {k.ptr, k.ptr, k.ptr, k.i64, k.i64}, [&](ValueRange a) {
    Value scratch = k.stack(spec.experts * 4);
    k.forLoop(a[3], a[4], 1, [&](Value token) {
      Value logits = k.at(a[0], token, spec.logitsStride),
            numbers = k.at(a[1], token, spec.ranks * 4),
            weights = k.at(a[2], token, spec.weightsStride);
      mapFloats(k, logits, scratch, spec.experts, [](Value x) { return x; });
      chooseBest(k, spec, scratch, numbers, weights);
      Value largest = k.load(weights, k.f32);
      auto score = [&](Value x) -> Value {
        const int64_t width = cast<VectorType>(x.getType()).getNumElements();
        if (isSoftmax)
          return vectorExpOfNegative(k, k.sub(x, k.splat(largest, width)));
        Value one = k.constFloat(1, x.getType()), zero = k.constFloat(0, x.getType());
        return k.div(one, k.add(one, vectorExp(k, k.sub(zero, x))));
      };
      mapFloats(k, weights, weights, spec.ranks, score);
      Value factor = k.constFloat(spec.scale, k.f32);
      if (spec.renormalise) {
        factor = k.div(factor, sumInOrder(k, weights, spec.ranks));
      } else if (isSoftmax) {
        mapFloats(k, logits, scratch, spec.experts, score);
        factor = k.div(factor, sumInOrder(k, scratch, spec.experts));
      }
      mapFloats(k, weights, weights, spec.ranks, [&](Value x) {
        return k.mul(x, k.splat(factor, cast<VectorType>(x.getType()).getNumElements()));
      });
    });
  });
}

func::FuncOp groupKernel(KernelBuilder &k, int64_t experts) {
  return k.function(fmt::format("group_{}", experts), {k.ptr, k.ptr, k.i64}, [&](ValueRange a) {
    // A counting sort: how many rows each expert has, where each one's begin, then the rows.
    Value counters = k.stack(experts * 4), zero = k.constInt(0, k.i32), one = k.constInt(1, k.i32);
    auto counterOf = [&](Value row) {
      Value expert = k.extendUnsigned(k.load(k.at(a[0], row, 4), k.i32), k.i64);
      return k.at(counters, expert, 4);
    };
    k.forLoop(k.index(0), k.index(experts), 1,
              [&](Value i) { k.store(zero, k.at(counters, i, 4)); });
    k.forLoop(k.index(0), a[2], 1, [&](Value row) {
      Value counter = counterOf(row);
      k.store(k.add(k.load(counter, k.i32), one), counter);
    });
    k.forLoop(k.index(0), k.index(experts), k.index(1), ValueRange{zero},
              [&](Value i, ValueRange start) -> Values {
                Value counter = k.at(counters, i, 4), count = k.load(counter, k.i32);
                k.store(start[0], counter);
                return {k.add(start[0], count)};
              });
    k.forLoop(k.index(0), a[2], 1, [&](Value row) {
      Value counter = counterOf(row), place = k.load(counter, k.i32);
      k.store(k.add(place, one), counter);
      k.store(k.truncateInt(row, k.i32), k.at(a[1], k.extendUnsigned(place, k.i64), 4));
    });
  });
}

func::FuncOp combineKernel(KernelBuilder &k, const CombineSpec &spec) {
  std::string name = fmt::format("combine_{}_{}_{}_{}", spec.ranks, spec.xStride,
                                 spec.weightsStride, spec.resultStride);
  return k.function(name, {k.ptr, k.ptr, k.ptr, k.i64, k.i64, k.i64, k.i64}, [&](ValueRange a) {
    Value from = a[5], to = k.max(a[5], a[6]);
    Value whole = k.add(from, k.bitAnd(k.sub(to, from), k.index(-k.lanes())));
    k.forLoop(a[3], a[4], 1, [&](Value token) {
      Value rows = k.at(a[0], token, spec.ranks * spec.xStride),
            weights = k.at(a[1], token, spec.weightsStride),
            result = k.at(a[2], token, spec.resultStride);
      auto sum = [&](Value column, function_ref<Value(Value)> load) {
        Value first = k.at(rows, column, 4);
        return k.forLoop(k.index(0), k.index(spec.ranks), 1,
                         ValueRange{k.constFloat(0, k.vecF32())},
                         [&](Value rank, ValueRange carried) -> Values {
                           Value weight = k.load(k.at(weights, rank, 4), k.f32);
                           return {k.fma(k.splat(weight, k.lanes()),
                                         load(k.at(first, rank, spec.xStride)), carried[0])};
                         })[0];
      };
      k.forLoop(from, whole, k.lanes(), [&](Value column) {
        k.store(sum(column, [&](Value x) { return k.load(x, k.vecF32()); }),
                k.at(result, column, 4));
      });
      k.ifThen(k.lessThan(whole, to), [&] {
        Value rest = k.sub(to, whole);
        k.storeFirst(sum(whole, [&](Value x) { return k.loadFirst(x, k.vecF32(), rest); }),
                     k.at(result, whole, 4), rest);
      });
    });
  });
}

} // namespace llmir::cpu
