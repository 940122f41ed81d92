// The products of a mixture of experts: runs of rows that share an expert go through the kernel of
// ordinary products, with the rows picked by a list.
#include "llmir/codegen/cpu/LinearKernel.h"

using namespace mlir;
namespace llmir::cpu {

func::FuncOp expertLinearKernel(KernelBuilder &k, const LinearSpec &spec) {
  func::FuncOp product = linearKernel(k, spec);
  return k.function(
      fmt::format("experts_{}_{}", spec.weight.n, product.getName().str()),
      {k.ptr, k.i64, k.ptr, k.ptr, k.i64, k.ptr, k.ptr, k.i64, k.i64, k.i64}, [&](ValueRange a) {
        Value weights = a[0], experts = a[5], order = a[6], rows = a[7];
        Value noBias = LLVM::ZeroOp::create(k.b, k.loc, k.ptr);
        Value last = k.sub(rows, k.index(1));
        auto expertAt = [&](Value place) {
          Value row = k.extendUnsigned(k.load(k.at(order, place, 4), k.i32), k.i64);
          return k.extendUnsigned(k.load(k.at(experts, row, 4), k.i32), k.i64);
        };
        // A run ends before a place with another expert, and at the end.
        k.forLoop(k.index(0), rows, k.index(1), ValueRange{k.index(0)},
                  [&](Value place, ValueRange carried) -> Values {
                    Value start = carried[0], next = k.add(place, k.index(1));
                    Value expert = expertAt(place);
                    Value isEnd = k.bitOr(k.lessThan(expert, expertAt(k.min(next, last))),
                                          k.lessThan(last, next));
                    k.ifThen(isEnd, [&] {
                      Value weight = k.at(weights, expert, spec.weight.bytes());
                      k.call(product, {weight, a[1], a[2], a[3], a[4], noBias, k.sub(next, start),
                                       a[8], a[9], k.at(order, start, 4)});
                    });
                    return {k.select(isEnd, next, start)};
                  });
      });
}

} // namespace llmir::cpu
