// Element-wise kernels: accuracy of the functions, ranges of rows and columns, gathering of rows.
#include "KernelTest.h"
#include "llmir/codegen/cpu/RowKernels.h"

using namespace llmir;
using namespace llmir::test;
using cpu::ElementwiseOp;
using cpu::ElementwiseSpec;

namespace {

using Elementwise = void(const float *, const float *, float *, int64_t, int64_t, int64_t, int64_t);
constexpr llm::Activation activations[] = {llm::Activation::Silu, llm::Activation::Gelu,
                                           llm::Activation::GeluTanh, llm::Activation::Relu};

double activate(llm::Activation activation, double x) {
  switch (activation) {
  case llm::Activation::Silu:
    return x / (1 + std::exp(-x));
  case llm::Activation::Gelu:
    return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
  case llm::Activation::GeluTanh: {
    double u = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
    return x / (1 + std::exp(-2 * u));
  }
  case llm::Activation::Relu:
    return std::max(x, 0.0);
  }
  return 0;
}

double expected(const ElementwiseSpec &spec, double x, double y) {
  switch (spec.op) {
  case ElementwiseOp::Add:
    return x + y;
  case ElementwiseOp::Mul:
    return x * y;
  case ElementwiseOp::Glu:
    return activate(spec.activation, x) * y;
  case ElementwiseOp::Activate:
    return activate(spec.activation, x);
  case ElementwiseOp::Scale:
    return x * spec.constant;
  case ElementwiseOp::Softcap:
    return spec.constant * std::tanh(x / spec.constant);
  }
  return 0;
}

/// Every op once, and once for each activation, for rows of `columns`.
std::vector<ElementwiseSpec> allSpecs(int64_t columns) {
  int64_t stride = columns * 4;
  std::vector<ElementwiseSpec> specs = {
      {ElementwiseOp::Add, llm::Activation::Silu, 1, stride, stride, stride},
      {ElementwiseOp::Mul, llm::Activation::Silu, 1, stride, stride, stride},
      {ElementwiseOp::Scale, llm::Activation::Silu, 0.3, stride, 0, stride},
      {ElementwiseOp::Softcap, llm::Activation::Silu, 30, stride, 0, stride},
      {ElementwiseOp::Softcap, llm::Activation::Silu, 1, stride, 0, stride}};
  for (llm::Activation activation : activations) {
    specs.push_back({ElementwiseOp::Glu, activation, 1, stride, stride, stride});
    specs.push_back({ElementwiseOp::Activate, activation, 1, stride, 0, stride});
  }
  return specs;
}

} // namespace

TEST(ElementwiseKernel, FunctionsAreAccurateEverywhere) {
  // A fine sweep where something happens, coarse ones far out, tiny numbers.
  std::vector<float> x;
  for (int i = -60000; i <= 60000; ++i)
    x.push_back(static_cast<float>(i) / 4000);
  for (int i = -126; i < 10; ++i)
    for (float sign : {-1.0f, 1.0f})
      x.push_back(sign * std::ldexp(1.37f, i));
  const int64_t columns = static_cast<int64_t>(x.size());
  auto y = randomFloats(x.size(), 31);
  for (const std::string &target : runnableTargets()) {
    KernelModule kernels(target);
    auto specs = allSpecs(columns);
    std::vector<std::string> names;
    for (const auto &spec : specs)
      names.push_back(kernels.add(cpu::elementwiseKernel(kernels.k(), spec)));
    kernels.compile();
    for (size_t s = 0; s < specs.size(); ++s) {
      std::vector<float> result(x.size());
      kernels.kernel<Elementwise>(names[s])(x.data(), y.data(), result.data(), 0, 1, 0, columns);
      double worst = 0, at = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        double e = expected(specs[s], x[i], y[i]);
        double error = std::abs(result[i] - e) / std::max(std::abs(e), 1e-2);
        if (!(error <= worst))
          worst = error, at = x[i];
      }
      EXPECT_LE(worst, 1e-6) << target << " " << names[s] << " at " << at;
    }
  }
}

TEST(ElementwiseKernel, LimitsAndWhatIsNoNumber) {
  const std::vector<float> x = {INFINITY, -INFINITY, NAN, 1e30f, -1e30f, -0.0f, 3e38f, -88, 104};
  const int64_t columns = static_cast<int64_t>(x.size());
  for (const std::string &target : runnableTargets()) {
    KernelModule kernels(target);
    std::vector<std::string> names;
    for (llm::Activation activation : activations)
      names.push_back(kernels.add(cpu::elementwiseKernel(
          kernels.k(), {ElementwiseOp::Activate, activation, 1, 4 * columns, 0, 4 * columns})));
    auto cap = kernels.add(
        cpu::elementwiseKernel(kernels.k(), {ElementwiseOp::Softcap, llm::Activation::Silu, 30,
                                             4 * columns, 0, 4 * columns}));
    kernels.compile();
    std::vector<float> y(x.size());
    for (const std::string &name : names) {
      kernels.kernel<Elementwise>(name)(x.data(), nullptr, y.data(), 0, 1, 0, columns);
      EXPECT_EQ(y[0], INFINITY) << name;
      EXPECT_EQ(y[1], 0) << name;
      EXPECT_TRUE(std::isnan(y[2])) << name;
      EXPECT_EQ(y[3], 1e30f) << name;
      EXPECT_EQ(y[4], 0) << name;
      EXPECT_EQ(y[5], 0) << name;
      EXPECT_EQ(y[6], 3e38f) << name;
      EXPECT_NEAR(y[7], 0, 1e-35) << name;
      EXPECT_EQ(y[8], 104) << name;
    }
    kernels.kernel<Elementwise>(cap)(x.data(), nullptr, y.data(), 0, 1, 0, columns);
    EXPECT_EQ(y[0], 30);
    EXPECT_EQ(y[1], -30);
    EXPECT_TRUE(std::isnan(y[2]));
    EXPECT_EQ(y[4], -30);
    EXPECT_TRUE(y[5] == 0 && std::signbit(y[5]));
  }
}

TEST(ElementwiseKernel, AnElementsBitsDoNotDependOnTheRange) {
  constexpr int64_t rows = 3, columns = 83;
  auto x = randomFloats(rows * columns, 32, 3), y = randomFloats(rows * columns, 33);
  for (const std::string &target : runnableTargets()) {
    KernelModule kernels(target);
    auto specs = allSpecs(columns);
    std::vector<std::string> names;
    for (const auto &spec : specs)
      names.push_back(kernels.add(cpu::elementwiseKernel(kernels.k(), spec)));
    kernels.compile();
    for (const std::string &name : names) {
      auto *kernel = kernels.kernel<Elementwise>(name);
      std::vector<float> whole(rows * columns);
      kernel(x.data(), y.data(), whole.data(), 0, rows, 0, columns);
      for (int64_t from : {0, 16, 48})
        for (int64_t to = from; to <= columns; ++to) {
          std::vector<float> part(rows * columns, -77), wanted(part);
          kernel(x.data(), y.data(), part.data(), 1, 2, from, to);
          for (int64_t c = from; c < to; ++c)
            wanted[columns + c] = whole[columns + c];
          ASSERT_TRUE(sameBits(part.data(), wanted.data(), part.size()))
              << target << " " << name << " " << from << " " << to;
        }
    }
  }
}

TEST(GatherRowsKernel, CopiesRowsInTheOrderAsked) {
  for (const std::string &target : runnableTargets()) {
    KernelModule kernels(target);
    auto name = kernels.add(cpu::gatherRowsKernel(kernels.k(), 21, 22 * 4, 23 * 4));
    kernels.compile();
    auto x = randomFloats(5 * 22, 34);
    const int32_t wanted[] = {4, 0, 2, 2};
    std::vector<float> y(4 * 23, -77);
    kernels.kernel<void(const float *, const int32_t *, float *, int64_t, int64_t)>(name)(
        x.data(), wanted, y.data(), 0, 3);
    for (int64_t r = 0; r < 4; ++r)
      for (int64_t c = 0; c < 23; ++c)
        EXPECT_EQ(y[r * 23 + c], r < 3 && c < 21 ? x[wanted[r] * 22 + c] : -77);
  }
}
