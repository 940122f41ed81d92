// Products with packed weights against sums in double, for every format, every kind of activations
// and every way to cut tokens and panels.
#include "llmir/codegen/cpu/LinearKernel.h"
#include "PackedTest.h"

using namespace llmir;
using namespace llmir::test;

namespace {

using Linear = void(const uint8_t *, int64_t, const uint8_t *, float *, int64_t, const float *,
                    int64_t, int64_t, int64_t);
constexpr int64_t allTokens = 17, gap = 5;

struct Case {
  PackedMatrix weight;
  Format activations;
  std::vector<float> bias; ///< empty: none
  std::string kernel;

  int64_t n() const { return weight.layout.n; }
  int64_t k() const { return weight.layout.k; }
  int64_t xStride() const { return rowBytes(activations, k()) + 12; }
  int64_t yStride() const { return (n() + gap) * 4; }
};

Case addCase(KernelModule &kernels, const Target &target, Format format, Format activations,
             int64_t n, int64_t k, bool bias) {
  Case c{packedMatrix(target, format, n, k), activations, {}, {}};
  if (bias)
    c.bias = randomFloats(n, 5);
  c.kernel =
      kernels.add(cpu::linearKernel(kernels.k(), {c.weight.layout, activations, c.xStride()}));
  return c;
}

/// Rows 0, 1 and 2 are at the extremes of the activation integers.
std::vector<uint8_t> makeActivations(const Case &c) {
  std::vector<float> x = randomFloats(allTokens * c.k(), 3);
  for (int64_t row = 0; row < 3; ++row)
    for (int64_t i = 0; i < c.k(); ++i)
      x[row * c.k() + i] = row == 1 || (row == 2 && i % 2) ? -3.5f : 3.5f;
  std::vector<uint8_t> rows(allTokens * c.xStride());
  for (int64_t t = 0; t < allTokens; ++t) {
    if (c.activations == Format::F32)
      std::memcpy(&rows[t * c.xStride()], &x[t * c.k()], c.k() * 4);
    else
      quantizeActivations(c.activations, &x[t * c.k()], &rows[t * c.xStride()], c.k());
  }
  return rows;
}

/// The number that the kernel must take for column i of a row.
double activation(const Case &c, const uint8_t *row, int64_t i) {
  auto read = [&](auto value, int64_t at) {
    std::memcpy(&value, row + at, sizeof(value));
    return static_cast<double>(value);
  };
  if (c.activations == Format::F32)
    return read(float(), 4 * i);
  const int64_t width = c.activations == Format::A8 ? 1 : 2;
  double integer = width == 1 ? read(int8_t(), i) : read(int16_t(), 2 * i);
  return integer * read(float(), width * c.k() + i / 32 * 4);
}

void expectSums(const Case &c, const std::vector<uint8_t> &x, const std::vector<float> &y) {
  for (int64_t t = 0; t < allTokens; ++t) {
    std::vector<double> row(c.k());
    for (int64_t i = 0; i < c.k(); ++i)
      row[i] = activation(c, &x[t * c.xStride()], i);
    for (int64_t r = 0; r < c.n(); ++r) {
      double sum = c.bias.empty() ? 0 : c.bias[r], magnitude = std::abs(sum);
      for (int64_t i = 0; i < c.k(); ++i) {
        double product = row[i] * c.weight.row(r)[i];
        sum += product;
        magnitude += std::abs(product);
      }
      ASSERT_NEAR(y[t * (c.n() + gap) + r], sum, 1e-5 * magnitude)
          << c.kernel << " token " << t << " row " << r;
    }
  }
}

void check(const KernelModule &kernels, const Case &c) {
  Linear *kernel = kernels.kernel<Linear>(c.kernel);
  ASSERT_NE(kernel, nullptr);
  const std::vector<uint8_t> x = makeActivations(c);
  const float *bias = c.bias.empty() ? nullptr : c.bias.data();
  const int64_t panels = c.weight.layout.panels, stride = c.n() + gap;
  auto run = [&](float *y, int64_t token, int64_t tokens, int64_t panel0, int64_t panel1) {
    kernel(c.weight.bytes.data(), c.n(), &x[token * c.xStride()], y + token * stride, c.yStride(),
           bias, tokens, panel0, panel1);
  };
  std::vector<float> y(allTokens * stride, -7);
  run(y.data(), 0, allTokens, 0, panels);
  expectSums(c, x, y);
  for (int64_t t = 0; t < allTokens; ++t)
    for (int64_t column = c.n(); column < stride; ++column)
      ASSERT_EQ(y[t * stride + column], -7) << c.kernel << " token " << t << " column " << column;
  // However the work is cut, the bits are the same.
  for (int64_t tokens : {1, 2, 3, 4, 5}) {
    std::vector<float> cut(y.size(), -7);
    for (auto [from, to] : {std::pair{panels - 1, panels}, {int64_t(0), panels - 1}})
      for (int64_t t = 0; t < allTokens; t += tokens)
        run(cut.data(), t, std::min(tokens, allTokens - t), from, to);
    EXPECT_TRUE(sameBits(cut.data(), y.data(), y.size())) << c.kernel << " by " << tokens;
  }
  run(y.data(), 0, 0, 0, panels);
}

class LinearKernel : public testing::TestWithParam<std::string> {};

} // namespace

TEST_P(LinearKernel, MultipliesFloatWeights) {
  const Target target = Target::named(GetParam()).value();
  KernelModule kernels(target);
  std::vector<Case> cases;
  for (Format format : {Format::F32, Format::F16, Format::BF16}) {
    cases.push_back(addCase(kernels, target, format, Format::F32, 37, 33, true));
    cases.push_back(addCase(kernels, target, format, Format::F32, 64, 96, false));
  }
  kernels.compile();
  for (const Case &c : cases)
    check(kernels, c);
}

// Products of integers on other instruction sets are in test/conformance.
TEST(LinearKernelOfHost, MultipliesQuantisedWeights) {
  const Target target = Target::host().value();
  KernelModule kernels(target);
  std::vector<Case> cases;
  for (const FormatInfo &info : allFormats()) {
    if (!info.scheme)
      continue;
    const int64_t unit = info.blockElements;
    for (Format activations : {Format::F32, Format::A8, Format::A16})
      cases.push_back(
          addCase(kernels, target, info.format, activations, 37, unit == 32 ? 96 : 256, true));
    // A matrix that fills its panels, the smallest and one of two units.
    cases.push_back(
        addCase(kernels, target, info.format, Format::A8, 32, unit == 32 ? 32 : 512, false));
  }
  kernels.compile();
  for (const Case &c : cases)
    check(kernels, c);
}

INSTANTIATE_TEST_SUITE_P(Targets, LinearKernel, testing::ValuesIn(runnableTargets()),
                         [](const auto &info) {
                           return info.index ? std::string("Portable") : std::string("Host");
                         });
