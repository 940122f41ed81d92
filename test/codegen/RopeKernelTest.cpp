// Rotary embedding: the table and its use against f64, both styles, partial and odd head sizes.
#include "KernelTest.h"
#include "llmir/codegen/cpu/RowKernels.h"
#include "mlir/IR/BuiltinAttributes.h"

using namespace llmir;
using namespace llmir::test;

namespace {

using Table = void(const int32_t *, float *, int64_t, int64_t);
using Rope = void(const float *, const float *, float *, int64_t, int64_t, int64_t, int64_t);

llm::RopeAttr ropeAttr(cpu::KernelBuilder &k, llm::RopeStyle style, int64_t dim, double theta,
                       double magnitude, llvm::ArrayRef<float> factors = {}) {
  mlir::Builder b(k.b.getContext());
  return llm::RopeAttr::get(b.getContext(), style, dim, b.getF64FloatAttr(theta),
                            b.getF64FloatAttr(magnitude), b.getDenseF32ArrayAttr(factors));
}

} // namespace

TEST(RopeKernel, TableIsExactAtLongPositions) {
  for (const std::string &target : runnableTargets()) {
    KernelModule kernels(target);
    auto &k = kernels.k();
    const std::vector<float> factors = {1, 2.5f, 8};
    auto plain =
        kernels.add(cpu::ropeTableKernel(k, ropeAttr(k, llm::RopeStyle::Half, 64, 1e6, 1), 64 * 4));
    auto scaled = kernels.add(
        cpu::ropeTableKernel(k, ropeAttr(k, llm::RopeStyle::Half, 6, 1e4, 1.25, factors), 64));
    // The same but for a factor: another kernel.
    auto other = kernels.add(
        cpu::ropeTableKernel(k, ropeAttr(k, llm::RopeStyle::Half, 6, 1e4, 1.25, {1, 2.5f, 4}), 64));
    EXPECT_NE(scaled, other);
    kernels.compile();
    const std::vector<int32_t> positions = {0, 1, 77, 131071, 10'000'000};
    std::vector<float> table(positions.size() * 64);
    kernels.kernel<Table>(plain)(positions.data(), table.data(), 0, 5);
    for (size_t t = 0; t < positions.size(); ++t)
      for (int i = 0; i < 32; ++i) {
        double angle = positions[t] * std::pow(1e6, -2.0 * i / 64);
        EXPECT_NEAR(table[t * 64 + i], std::cos(angle), 1e-7);
        EXPECT_NEAR(table[t * 64 + 32 + i], std::sin(angle), 1e-7);
      }
    std::fill(table.begin(), table.end(), -77);
    kernels.kernel<Table>(scaled)(positions.data(), table.data(), 1, 4);
    for (size_t t = 0; t < positions.size(); ++t)
      for (int i = 0; i < 16; ++i) {
        float value = table[t * 16 + i];
        if (t < 1 || t >= 4 || i >= 6) {
          EXPECT_EQ(value, -77);
          continue;
        }
        double angle = positions[t] * std::pow(1e4, -2.0 * (i % 3) / 6) / factors[i % 3];
        EXPECT_NEAR(value, 1.25 * (i < 3 ? std::cos(angle) : std::sin(angle)), 2e-7);
      }
  }
}

TEST(RopeKernel, RotatesBothStylesAndCopiesTheRest) {
  struct Case {
    int64_t heads, headDim, dim;
  };
  const std::vector<Case> cases = {{9, 64, 64}, {3, 80, 32}, {2, 20, 20}, {1, 128, 128},
                                   {3, 7, 6},   {2, 33, 2},  {1, 6, 6}};
  constexpr int64_t rows = 3, tokens = 2;
  for (const std::string &target : runnableTargets()) {
    KernelModule kernels(target);
    std::vector<std::string> names;
    for (auto style : {llm::RopeStyle::Interleaved, llm::RopeStyle::Half})
      for (auto [heads, headDim, dim] : cases) {
        int64_t columns = heads * headDim;
        names.push_back(kernels.add(cpu::ropeKernel(
            kernels.k(), {headDim, dim, style, columns * 4 + 8, dim * 4 + 4, columns * 4 + 12})));
      }
    kernels.compile();
    size_t n = 0;
    for (bool half : {false, true})
      for (auto [heads, headDim, dim] : cases) {
        int64_t columns = heads * headDim, pairs = dim / 2;
        auto x = randomFloats(rows * (columns + 2), 21), table = randomFloats(rows * (dim + 1), 22);
        std::vector<float> y(rows * (columns + 3), -77);
        kernels.kernel<Rope>(names[n++])(x.data(), table.data(), y.data(), 0, tokens, 0, heads);
        for (int64_t t = 0; t < rows; ++t)
          for (int64_t c = 0; c < columns + 3; ++c) {
            float value = y[t * (columns + 3) + c];
            if (t >= tokens || c >= columns) {
              EXPECT_EQ(value, -77);
              continue;
            }
            const float *head = &x[t * (columns + 2) + c / headDim * headDim];
            const float *row = &table[t * (dim + 1)];
            int64_t i = c % headDim;
            if (i >= dim) {
              EXPECT_EQ(value, head[i]);
              continue;
            }
            int64_t pair = half ? i % pairs : i / 2;
            bool second = half ? i >= pairs : i % 2;
            double a = head[half ? pair : 2 * pair], b = head[half ? pair + pairs : 2 * pair + 1];
            double cosine = row[pair], sine = row[pairs + pair];
            EXPECT_NEAR(value, second ? a * sine + b * cosine : a * cosine - b * sine, 2e-6)
                << target << " head " << headDim << " dim " << dim << " column " << c;
          }
      }
  }
}
