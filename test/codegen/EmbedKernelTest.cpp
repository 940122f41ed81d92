// Rows that the embedding reads out of packed tables have the very bits of dequantize().
#include "PackedTest.h"
#include "llmir/codegen/cpu/LinearKernel.h"

using namespace llmir;
using namespace llmir::test;

TEST(EmbedKernel, GivesTheBitsOfDequantize) {
  using Embed = void(const uint8_t *, const int32_t *, float *, int64_t, int64_t);
  constexpr int64_t n = 21, gap = 3;
  for (const std::string &name : runnableTargets()) {
    const Target target = Target::named(name).value();
    KernelModule kernels(target);
    std::vector<std::pair<PackedMatrix, std::string>> tables;
    for (Format format : packedFormats()) {
      const auto &scheme = formatInfo(format).scheme;
      const int64_t k = !scheme ? 33 : scheme->superBlock ? 512 : 96;
      PackedMatrix table = packedMatrix(target, format, n, k);
      std::string kernel =
          kernels.add(cpu::embedKernel(kernels.k(), {table.layout, (k + gap) * 4}));
      tables.emplace_back(std::move(table), std::move(kernel));
    }
    kernels.compile();
    const std::vector<int32_t> tokens = {99, 20, 0, 1, 2, 7, 8, 15, 16, 20, 3, 99};
    for (const auto &[table, kernel] : tables) {
      const int64_t stride = table.layout.k + gap;
      std::vector<float> y(tokens.size() * stride, -7);
      // The first and the last token are no rows of the table: outside [t0, t1).
      kernels.kernel<Embed>(kernel)(table.bytes.data(), tokens.data(), y.data(), 1,
                                    static_cast<int64_t>(tokens.size()) - 1);
      std::vector<float> expected(y.size(), -7);
      for (size_t t = 1; t + 1 < tokens.size(); ++t)
        std::copy_n(table.row(tokens[t]), table.layout.k, &expected[t * stride]);
      EXPECT_TRUE(sameBits(y.data(), expected.data(), y.size())) << name << " " << kernel;
    }
  }
}
