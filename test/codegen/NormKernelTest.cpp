// Norms against f64, at lengths that fill no vector, in groups, and beside other rows.
#include "KernelTest.h"
#include "llmir/codegen/cpu/RowKernels.h"

using namespace llmir;
using namespace llmir::test;

namespace {

struct Shape {
  int64_t columns, group;
};
const std::vector<Shape> shapes = {{1, 1},   {3, 3},    {7, 7},     {40, 20},   {35, 7},  {64, 64},
                                   {96, 32}, {576, 64}, {576, 576}, {129, 129}, {255, 51}};
constexpr int64_t rows = 5, padding = 3;
using Norm = void(const float *, const float *, float *, int64_t, int64_t, int64_t, int64_t);
using LayerNorm = void(const float *, const float *, const float *, float *, int64_t, int64_t);

std::vector<double> expectedRow(const float *x, const float *weight, const float *bias,
                                int64_t columns, int64_t group, double eps, bool center) {
  std::vector<double> y(columns);
  for (int64_t g = 0; g < columns; g += group) {
    double mean = 0, square = 0;
    if (center)
      for (int64_t i = 0; i < group; ++i)
        mean += x[g + i] / static_cast<double>(group);
    for (int64_t i = 0; i < group; ++i)
      square += (x[g + i] - mean) * (x[g + i] - mean);
    double root = std::sqrt(square / static_cast<double>(group) + eps);
    for (int64_t i = 0; i < group; ++i)
      y[g + i] = (x[g + i] - mean) / root * weight[i] + (bias ? bias[i] : 0);
  }
  return y;
}

} // namespace

TEST(NormKernel, RmsNormAgreesWithF64) {
  for (const std::string &target : runnableTargets()) {
    KernelModule kernels(target);
    std::vector<std::string> names;
    for (auto [columns, group] : shapes) {
      int64_t stride = (columns + padding) * 4;
      names.push_back(kernels.add(
          cpu::rmsNormKernel(kernels.k(), {columns, group, 1e-5, false, stride, stride})));
    }
    kernels.compile();
    for (size_t s = 0; s < shapes.size(); ++s) {
      auto [columns, group] = shapes[s];
      int64_t stride = columns + padding;
      auto x = randomFloats(rows * stride, 1, 3), weight = randomFloats(group, 2);
      std::vector<float> y(rows * stride, -77);
      kernels.kernel<Norm>(names[s])(x.data(), weight.data(), y.data(), 1, rows - 1, 0,
                                     columns / group);
      for (int64_t t = 0; t < rows; ++t) {
        auto expected =
            expectedRow(&x[t * stride], weight.data(), nullptr, columns, group, 1e-5, false);
        for (int64_t i = 0; i < stride; ++i) {
          float value = y[t * stride + i];
          if (t == 0 || t == rows - 1 || i >= columns)
            EXPECT_EQ(value, -77) << "outside of the range";
          else
            EXPECT_NEAR(value, expected[i], 1e-6 * std::abs(expected[i]))
                << target << " columns " << columns << " group " << group;
        }
      }
    }
  }
}

TEST(NormKernel, LayerNormAgreesWithF64) {
  for (const std::string &target : runnableTargets()) {
    KernelModule kernels(target);
    std::vector<std::array<std::string, 2>> names;
    for (auto [columns, group] : shapes)
      names.push_back({kernels.add(cpu::layerNormKernel(
                           kernels.k(), {columns, columns, 1e-5, false, columns * 4, columns * 4})),
                       kernels.add(cpu::layerNormKernel(kernels.k(), {columns, columns, 1e-5, true,
                                                                      columns * 4, columns * 4}))});
    kernels.compile();
    for (size_t s = 0; s < shapes.size(); ++s) {
      int64_t columns = shapes[s].columns;
      auto x = randomFloats(rows * columns, 3, 2), weight = randomFloats(columns, 4),
           bias = randomFloats(columns, 5);
      for (float &value : x)
        value += 100; // a mean far from zero
      for (bool withBias : {false, true}) {
        std::vector<float> y(rows * columns);
        kernels.kernel<LayerNorm>(names[s][withBias])(
            x.data(), weight.data(), withBias ? bias.data() : nullptr, y.data(), 0, rows);
        for (int64_t t = 0; t < rows; ++t) {
          auto expected =
              expectedRow(&x[t * columns], weight.data(), withBias ? bias.data() : nullptr, columns,
                          columns, 1e-5, true);
          // A mean of 100 costs digits of the differences.
          for (int64_t i = 0; i < columns; ++i)
            EXPECT_NEAR(y[t * columns + i], expected[i], columns == 1 ? 1 : 3e-5)
                << target << " columns " << columns;
        }
      }
    }
  }
}

TEST(NormKernel, ARowsBitsDependOnTheRowAlone) {
  KernelModule kernels("host");
  auto name =
      kernels.add(cpu::rmsNormKernel(kernels.k(), {129, 129, 1e-6, false, 129 * 4, 129 * 4}));
  kernels.compile();
  auto *norm = kernels.kernel<Norm>(name);
  auto x = randomFloats(rows * 129, 6), weight = randomFloats(129, 7);
  std::vector<float> together(rows * 129), alone(129);
  norm(x.data(), weight.data(), together.data(), 0, rows, 0, 1);
  for (int64_t t = 0; t < rows; ++t) {
    norm(&x[t * 129], weight.data(), alone.data(), 0, 1, 0, 1);
    EXPECT_TRUE(sameBits(&together[t * 129], alone.data(), 129));
  }
}
