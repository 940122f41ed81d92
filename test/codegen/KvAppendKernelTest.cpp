// What is appended lies where abi/llmir_abi.h says, rounded to nearest even; nothing else changes.
#include "KernelTest.h"
#include "llmir/codegen/cpu/AttentionKernel.h"
#include "llmir/quant/Format.h"

using namespace llmir;
using namespace llmir::test;

namespace {

using Append = void(const float *, const float *, const int32_t *, void *, void *, int64_t, int64_t,
                    int64_t, int64_t);

struct Shape {
  int64_t heads, kDim, vDim, block;
};

/// f32 values whose halves are all there is: ties, subnormals, overflow, infinities.
std::vector<float> awkwardFloats(size_t count) {
  auto values = randomFloats(count, 41);
  const float special[] = {0.0f,         -0.0f,      65504,        65519.99f,    65520,
                           -1e30f,       INFINITY,   -INFINITY,    0x1p-24f,     0x1p-25f,
                           0x1.8p-25f,   0x1p-14f,   0x1.ffcp-15f, 0x1.ffep-15f, 1 + 0x1p-11f,
                           1 + 0x3p-11f, -0x1p-149f, 0x1.8p-24f,   0x1.4p-23f,   -(2 + 0x1p-10f)};
  for (size_t i = 0; i < count; i += 3)
    values[i] = special[i / 3 % std::size(special)];
  return values;
}

} // namespace

TEST(KvAppendKernel, StoresWhereTheContractSays) {
  const std::vector<Shape> shapes = {
      {3, 64, 64, 16}, {1, 20, 40, 8}, {2, 7, 5, 32}, {2, 16, 128, 1024}};
  constexpr int64_t blocks = 3, rows = 4;
  for (const std::string &target : runnableTargets())
    for (bool isF16 : {true, false}) {
      KernelModule kernels(target);
      auto &k = kernels.k();
      std::vector<std::string> names;
      std::vector<int64_t> kBytes, vBytes;
      for (auto [heads, kDim, vDim, block] : shapes) {
        auto kv =
            llm::KvType::get(k.b.getContext(), 1, heads, kDim, vDim, block, isF16 ? k.f16 : k.f32);
        names.push_back(
            kernels.add(cpu::kvAppendKernel(k, kv, heads * kDim * 4 + 4, heads * vDim * 4 + 8)));
        kBytes.push_back(cpu::kBlockBytes(kv));
        vBytes.push_back(cpu::vBlockBytes(kv));
      }
      kernels.compile();
      for (size_t s = 0; s < shapes.size(); ++s) {
        auto [heads, kDim, vDim, block] = shapes[s];
        const int64_t width = isF16 ? 2 : 4, kRow = heads * kDim + 1, vRow = heads * vDim + 2;
        auto keys = awkwardFloats(rows * kRow), values = awkwardFloats(rows * vRow);
        std::vector<uint8_t> kCache(blocks * kBytes[s], 0x5a), vCache(blocks * vBytes[s], 0x5a);
        std::vector<uint8_t> kExpected(kCache), vExpected(vCache);
        const int32_t slots[rows] = {0, static_cast<int32_t>(2 * block + 3),
                                     static_cast<int32_t>(block - 1),
                                     static_cast<int32_t>(block + 1)};
        auto put = [&](std::vector<uint8_t> &cache, int64_t element, float value) {
          uint16_t half = floatToHalf(value);
          std::memcpy(&cache[element * width], isF16 ? static_cast<const void *>(&half) : &value,
                      width);
        };
        for (int64_t t = 1; t < rows; ++t)
          for (int64_t h = 0; h < heads; ++h) {
            int64_t b = slots[t] / block, place = slots[t] % block;
            for (int64_t d = 0; d < kDim; ++d)
              put(kExpected, ((b * heads + h) * kDim + d) * block + place,
                  keys[t * kRow + h * kDim + d]);
            for (int64_t d = 0; d < vDim; ++d)
              put(vExpected, ((b * heads + h) * block + place) * vDim + d,
                  values[t * vRow + h * vDim + d]);
          }
        kernels.kernel<Append>(names[s])(keys.data(), values.data(), slots, kCache.data(),
                                         vCache.data(), 1, rows, 0, heads);
        EXPECT_EQ(kCache, kExpected) << target << " " << names[s];
        EXPECT_EQ(vCache, vExpected) << target << " " << names[s];
      }
    }
}
