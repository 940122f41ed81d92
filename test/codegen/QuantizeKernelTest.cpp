// Quantised activations have the very bits of their definition in quant/Format.h.
#include "KernelTest.h"
#include "llmir/codegen/cpu/RowKernels.h"
#include "llmir/quant/Format.h"

using namespace llmir;
using namespace llmir::test;

namespace {

using Quantize = void(const float *, uint8_t *, int64_t, int64_t);
constexpr int64_t rows = 4;

/// Rows with what is special: ties, zeros, groups of all magnitudes.
std::vector<float> rowsToQuantize(int64_t columns) {
  auto x = randomFloats(rows * columns, 11, 4);
  for (int64_t i = 0; i < columns; ++i) {
    float scale = std::ldexp(1.0f, static_cast<int>(i / 32 % 16) * 16 - 128);
    x[columns + i] *= scale;                                           // row 1: all magnitudes
    x[2 * columns + i] = i % 32 ? static_cast<float>(i % 9) / 2 : 127; // row 2: ties
    x[3 * columns + i] = i / 32 % 2 ? -0.0f : 1e-38f * static_cast<float>(i % 5); // row 3: tiny
  }
  return x;
}

} // namespace

TEST(QuantizeKernel, GivesTheBitsOfTheDefinition) {
  for (const std::string &target : runnableTargets()) {
    for (Format format : {Format::A8, Format::A16}) {
      KernelModule kernels(target);
      std::vector<std::pair<int64_t, std::string>> names;
      for (int64_t columns : {32, 64, 96, 576, 1536})
        names.push_back({columns, kernels.add(cpu::quantizeKernel(
                                      kernels.k(), {columns, format, columns * 4,
                                                    rowBytes(format, columns) + 5}))});
      kernels.compile();
      for (auto &[columns, name] : names) {
        auto x = rowsToQuantize(columns);
        int64_t bytes = rowBytes(format, columns);
        std::vector<uint8_t> y(rows * (bytes + 5), 0xa5), expected(y);
        kernels.kernel<Quantize>(name)(x.data(), y.data(), 0, rows);
        for (int64_t t = 0; t < rows; ++t)
          quantizeActivations(format, &x[t * columns], &expected[t * (bytes + 5)], columns);
        EXPECT_EQ(y, expected) << target << " columns " << columns;
      }
    }
  }
}

TEST(QuantizeKernel, SurvivesWhatIsNoNumber) {
  for (const std::string &target : runnableTargets()) {
    KernelModule kernels(target);
    auto name = kernels.add(cpu::quantizeKernel(kernels.k(), {64, Format::A8, 256, 128}));
    kernels.compile();
    std::vector<float> x(64, NAN);
    for (int i = 32; i < 64; ++i)
      x[i] = i % 2 ? INFINITY : 1;
    std::vector<uint8_t> y(128);
    kernels.kernel<Quantize>(name)(x.data(), y.data(), 0, 1);
  }
}
