// Words of the kernel vocabulary that are more than one op.
#include "KernelTest.h"
#include "llmir/quant/Format.h"

using namespace llmir;
using namespace llmir::test;

TEST(KernelBuilder, ExtendsEveryHalfExactly) {
  for (const std::string &target : runnableTargets()) {
    KernelModule kernels(target);
    cpu::KernelBuilder &k = kernels.k();
    auto name = kernels.add(k.function("extend", {k.ptr, k.ptr}, [&](mlir::ValueRange a) {
      k.forLoop(k.index(0), k.index(65536), k.lanes(), [&](mlir::Value i) {
        mlir::Value half = k.load(k.at(a[0], i, 2), k.vec(k.lanes(), k.f16));
        k.store(k.extendFloat(half, k.vecF32()), k.at(a[1], i, 4));
      });
    }));
    kernels.compile();
    std::vector<uint16_t> halves(65536);
    for (size_t i = 0; i < halves.size(); ++i)
      halves[i] = static_cast<uint16_t>(i);
    std::vector<float> floats(halves.size());
    kernels.kernel<void(const uint16_t *, float *)>(name)(halves.data(), floats.data());
    for (uint16_t half : halves) {
      float expected = halfToFloat(half);
      if (std::isnan(expected))
        EXPECT_TRUE(std::isnan(floats[half])) << target << " " << half;
      else
        EXPECT_TRUE(sameBits(&floats[half], &expected, 1)) << target << " " << half;
    }
  }
}

TEST(KernelBuilder, TruncatesToTheNearestHalf) {
  // The middle between each two halves, and its neighbours.
  std::vector<float> floats;
  for (uint32_t half = 0; half < 0x7c00; ++half)
    for (int step : {-1, 0, 1}) {
      float middle =
          (halfToFloat(static_cast<uint16_t>(half)) +
           std::ldexp(std::max(1.0f, std::ldexp(1.0f, static_cast<int>(half >> 10) - 1)), -25));
      float x = step ? std::nextafter(middle, step > 0 ? INFINITY : 0.0f) : middle;
      floats.insert(floats.end(), {x, -x});
    }
  const int64_t count = static_cast<int64_t>(floats.size()) / 16 * 16;
  for (const std::string &target : runnableTargets()) {
    KernelModule kernels(target);
    cpu::KernelBuilder &k = kernels.k();
    auto name = kernels.add(k.function("truncate", {k.ptr, k.ptr}, [&](mlir::ValueRange a) {
      k.forLoop(k.index(0), k.index(count), k.lanes(), [&](mlir::Value i) {
        mlir::Value x = k.load(k.at(a[0], i, 4), k.vecF32());
        k.store(k.truncateFloat(x, k.vec(k.lanes(), k.f16)), k.at(a[1], i, 2));
      });
    }));
    kernels.compile();
    std::vector<uint16_t> halves(floats.size());
    kernels.kernel<void(const float *, uint16_t *)>(name)(floats.data(), halves.data());
    for (int64_t i = 0; i < count; ++i)
      ASSERT_EQ(halves[i], floatToHalf(floats[i])) << target << " " << floats[i];
  }
}
