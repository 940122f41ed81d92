// Stores the step's keys and values in the paged cache, rounded to its element type. K goes in
// transposed, one element at a time; V in whole rows.
#include "llmir/codegen/cpu/AttentionKernel.h"

using namespace mlir;
namespace llmir::cpu {

static int64_t elementBytes(llm::KvType kv) { return kv.getElement().isF16() ? 2 : 4; }
int64_t kBlockBytes(llm::KvType kv) {
  return kv.getHeads() * kv.getKDim() * kv.getBlock() * elementBytes(kv);
}
int64_t vBlockBytes(llm::KvType kv) {
  return kv.getHeads() * kv.getVDim() * kv.getBlock() * elementBytes(kv);
}

func::FuncOp kvAppendKernel(KernelBuilder &k, llm::KvType kv, int64_t kStride, int64_t vStride) {
  const int64_t block = kv.getBlock(), kDim = kv.getKDim(), vDim = kv.getVDim();
  const int64_t bytes = elementBytes(kv);
  const bool isF16 = bytes == 2;

  /// `width` f32 numbers as the integers that hold the cache's elements.
  auto loadRounded = [&](Value pointer, int64_t width) {
    Value x = k.load(pointer, k.vec(width, k.f32));
    if (isF16)
      x = k.truncateFloat(x, k.vec(width, k.f16));
    return k.bitcast(x, k.vec(width, isF16 ? k.i16 : k.i32));
  };
  std::string name = fmt::format("kv_append_{}_{}_{}_{}_{}_{}_{}", isF16 ? "f16" : "f32",
                                 kv.getHeads(), kDim, vDim, block, kStride, vStride);
  return k.function(
      name, {k.ptr, k.ptr, k.ptr, k.ptr, k.ptr, k.i64, k.i64, k.i64, k.i64}, [&](ValueRange a) {
        k.forLoop(a[5], a[6], 1, [&](Value t) {
          Value slot = k.extendUnsigned(k.load(k.at(a[2], t, 4), k.i32), k.i64);
          Value blockIndex = k.divUnsigned(slot, k.index(block));
          Value place = k.remUnsigned(slot, k.index(block));
          Value kRow = k.at(a[0], t, kStride), vRow = k.at(a[1], t, vStride);
          // To component 0 of head 0 of the token.
          Value kTo = k.at(k.at(a[3], blockIndex, kBlockBytes(kv)), place, bytes);
          Value vTo = k.at(k.at(a[4], blockIndex, vBlockBytes(kv)), place, vDim * bytes);
          k.forLoop(a[7], a[8], 1, [&](Value head) {
            Value kFrom = k.at(kRow, head, kDim * 4), kHead = k.at(kTo, head, kDim * block * bytes);
            k.forColumns(kDim, [&](Value first, int64_t width) {
              Value x = loadRounded(k.at(kFrom, first, 4), width);
              Value to = k.at(kHead, first, block * bytes);
              for (int64_t i = 0; i < width; ++i)
                k.store(k.extractLane(x, i), k.offset(to, i * block * bytes));
            });
            Value vFrom = k.at(vRow, head, vDim * 4), vHead = k.at(vTo, head, vDim * block * bytes);
            k.forColumns(vDim, [&](Value first, int64_t width) {
              k.store(loadRounded(k.at(vFrom, first, 4), width), k.at(vHead, first, bytes));
            });
          });
        });
      });
}

} // namespace llmir::cpu
