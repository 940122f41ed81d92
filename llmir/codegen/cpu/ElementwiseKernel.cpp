// Element-wise ops on ranges of rows and columns. The columns that fill no vector go through the
// same vector code behind a mask: an element's bits do not depend on where a range ends.
#include "llmir/codegen/cpu/RowKernels.h"
#include "llmir/codegen/cpu/VectorMath.h"

#include <bit>

using namespace mlir;
namespace llmir::cpu {

static bool hasSecondOperand(ElementwiseOp op) {
  return op == ElementwiseOp::Add || op == ElementwiseOp::Mul || op == ElementwiseOp::Glu;
}

static Value compute(KernelBuilder &k, const ElementwiseSpec &spec, Value x, Value y) {
  auto constant = [&](double value) { return k.constFloat(value, x.getType()); };
  switch (spec.op) {
  case ElementwiseOp::Add:
    return k.add(x, y);
  case ElementwiseOp::Mul:
    return k.mul(x, y);
  case ElementwiseOp::Glu:
    return k.mul(vectorActivate(k, spec.activation, x), y);
  case ElementwiseOp::Activate:
    return vectorActivate(k, spec.activation, x);
  case ElementwiseOp::Scale:
    return k.mul(x, constant(spec.constant));
  case ElementwiseOp::Softcap:
    return k.mul(vectorTanh(k, k.mul(x, constant(1 / spec.constant))), constant(spec.constant));
  }
  llvm_unreachable("all ops are listed");
}

func::FuncOp elementwiseKernel(KernelBuilder &k, const ElementwiseSpec &spec) {
  std::string name = fmt::format(
      "elementwise{}_{}_{}_{:x}_{}_{}_{}", spec.inPlace ? "_in_place" : "",
      static_cast<int>(spec.op), static_cast<int>(spec.activation),
      std::bit_cast<uint64_t>(spec.constant), spec.xStride, spec.yStride, spec.resultStride);
  return k.function(name, {k.ptr, k.ptr, k.ptr, k.i64, k.i64, k.i64, k.i64}, [&](ValueRange a) {
    Value from = a[5], to = k.max(a[5], a[6]);
    Value whole = k.add(from, k.bitAnd(k.sub(to, from), k.index(-k.lanes())));
    k.forLoop(a[3], a[4], 1, [&](Value t) {
      Value resultRow = k.at(a[2], t, spec.resultStride), yRow = k.at(a[1], t, spec.yStride),
            xRow = spec.inPlace ? resultRow : k.at(a[0], t, spec.xStride);
      k.forLoop(from, whole, k.lanes(), [&](Value column) {
        Value x = k.load(k.at(xRow, column, 4), k.vecF32()), y;
        if (hasSecondOperand(spec.op))
          y = k.load(k.at(yRow, column, 4), k.vecF32());
        k.store(compute(k, spec, x, y), k.at(resultRow, column, 4));
      });
      k.ifThen(k.lessThan(whole, to), [&] {
        Value rest = k.sub(to, whole);
        Value x = k.loadFirst(k.at(xRow, whole, 4), k.vecF32(), rest), y;
        if (hasSecondOperand(spec.op))
          y = k.loadFirst(k.at(yRow, whole, 4), k.vecF32(), rest);
        k.storeFirst(compute(k, spec, x, y), k.at(resultRow, whole, 4), rest);
      });
    });
  });
}

} // namespace llmir::cpu
