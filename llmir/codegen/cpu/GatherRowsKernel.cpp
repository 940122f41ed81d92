// Copies the rows that are wanted: those whose logits are.
#include "llmir/codegen/cpu/RowKernels.h"

using namespace mlir;
namespace llmir::cpu {

func::FuncOp gatherRowsKernel(KernelBuilder &k, int64_t columns, int64_t xStride, int64_t yStride) {
  return k.function(fmt::format("gather_rows_{}_{}_{}", columns, xStride, yStride),
                    {k.ptr, k.ptr, k.ptr, k.i64, k.i64}, [&](ValueRange a) {
                      k.forLoop(a[3], a[4], 1, [&](Value r) {
                        Value row = k.extendSigned(k.load(k.at(a[1], r, 4), k.i32), k.i64);
                        Value x = k.at(a[0], row, xStride), y = k.at(a[2], r, yStride);
                        k.forColumns(columns, [&](Value first, int64_t width) {
                          k.store(k.load(k.at(x, first, 4), k.vec(width, k.f32)),
                                  k.at(y, first, 4));
                        });
                      });
                    });
}

} // namespace llmir::cpu
