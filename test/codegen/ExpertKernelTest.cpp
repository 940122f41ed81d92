// Kernels of mixtures of experts against loops in double, and against the products of one row at a
// time.
#include "PackedTest.h"
#include "llmir/codegen/cpu/ExpertKernels.h"
#include "llmir/codegen/cpu/LinearKernel.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace llmir;
using namespace llmir::test;

namespace {

using Route = void(const float *, int32_t *, float *, int64_t, int64_t);
using Group = void(const int32_t *, int32_t *, int64_t);
using Combine = void(const float *, const float *, float *, int64_t, int64_t, int64_t, int64_t);
using Linear = void(const uint8_t *, int64_t, const uint8_t *, float *, int64_t, const float *,
                    int64_t, int64_t, int64_t);
using ExpertLinear = void(const uint8_t *, int64_t, const uint8_t *, float *, int64_t,
                          const int32_t *, const int32_t *, int64_t, int64_t, int64_t);

class ExpertKernels : public testing::TestWithParam<std::string> {};

struct Routing {
  std::vector<int32_t> experts;
  std::vector<double> weights;
};

Routing expectedRouting(const cpu::RouteSpec &spec, const float *logits) {
  std::vector<double> scores(spec.experts);
  double total = 0, chosen = 0;
  for (int64_t i = 0; i < spec.experts; ++i)
    total += scores[i] = spec.scoring == llm::Scoring::Softmax
                             ? std::exp(static_cast<double>(logits[i]))
                             : 1 / (1 + std::exp(-static_cast<double>(logits[i])));
  Routing routing{std::vector<int32_t>(spec.experts), {}};
  std::iota(routing.experts.begin(), routing.experts.end(), 0);
  std::ranges::stable_sort(routing.experts, std::greater(), [&](int32_t i) { return logits[i]; });
  routing.experts.resize(spec.ranks);
  for (int32_t expert : routing.experts)
    chosen += scores[expert];
  for (int32_t expert : routing.experts)
    routing.weights.push_back(scores[expert] * spec.scale /
                              (spec.renormalise                        ? chosen
                               : spec.scoring == llm::Scoring::Softmax ? total
                                                                       : 1));
  return routing;
}

} // namespace

TEST_P(ExpertKernels, Route) {
  constexpr int64_t tokens = 9, gap = 3;
  KernelModule kernels(GetParam());
  std::vector<cpu::RouteSpec> specs;
  for (auto scoring : {llm::Scoring::Softmax, llm::Scoring::Sigmoid})
    for (bool renormalise : {false, true})
      for (auto [experts, ranks] : {std::pair{1, 1}, {5, 2}, {37, 8}, {64, 64}})
        specs.push_back({experts, ranks, scoring, renormalise, renormalise ? 1 : 2.5,
                         (experts + gap) * 4, (ranks + gap) * 4});
  std::vector<std::string> names;
  for (const cpu::RouteSpec &spec : specs)
    names.push_back(kernels.add(cpu::routeKernel(kernels.k(), spec)));
  kernels.compile();
  for (size_t i = 0; i < specs.size(); ++i) {
    const cpu::RouteSpec &spec = specs[i];
    std::vector<float> logits = randomFloats(tokens * (spec.experts + gap), i, 3);
    // Equal ones, and one that no number is larger than.
    for (int64_t e = 0; e < spec.experts; ++e)
      logits[e] = 0.5f;
    logits[spec.experts + gap] = 80;
    std::vector<int32_t> experts(tokens * spec.ranks, -1);
    std::vector<float> weights(tokens * (spec.ranks + gap), -7);
    auto *kernel = kernels.kernel<Route>(names[i]);
    kernel(logits.data(), experts.data(), weights.data(), 0, 4);
    EXPECT_EQ(experts[4 * spec.ranks], -1) << "a row behind the range";
    kernel(logits.data(), experts.data(), weights.data(), 4, tokens);
    for (int64_t t = 0; t < tokens; ++t) {
      Routing expected = expectedRouting(spec, &logits[t * (spec.experts + gap)]);
      for (int64_t s = 0; s < spec.ranks; ++s) {
        ASSERT_EQ(experts[t * spec.ranks + s], expected.experts[s]) << names[i] << " token " << t;
        ASSERT_NEAR(weights[t * (spec.ranks + gap) + s], expected.weights[s],
                    2e-6 * expected.weights[s] + 1e-20)
            << names[i] << " token " << t << " rank " << s;
      }
      for (int64_t s = spec.ranks; s < spec.ranks + gap; ++s)
        ASSERT_EQ(weights[t * (spec.ranks + gap) + s], -7);
    }
  }
}

// Broken logits must not name experts that do not exist.
TEST_P(ExpertKernels, RouteStaysInside) {
  KernelModule kernels(GetParam());
  cpu::RouteSpec spec{5, 3, llm::Scoring::Softmax, true, 1, 20, 12};
  std::string name = kernels.add(cpu::routeKernel(kernels.k(), spec));
  kernels.compile();
  for (float broken : {NAN, -INFINITY, INFINITY}) {
    std::vector<float> logits(5, broken), weights(3);
    std::vector<int32_t> experts(3, -1);
    kernels.kernel<Route>(name)(logits.data(), experts.data(), weights.data(), 0, 1);
    for (int32_t expert : experts)
      EXPECT_TRUE(expert >= 0 && expert < 5) << expert;
  }
}

TEST_P(ExpertKernels, Group) {
  KernelModule kernels(GetParam());
  std::string name = kernels.add(cpu::groupKernel(kernels.k(), 6));
  kernels.compile();
  for (int64_t rows : {0, 1, 40}) {
    std::mt19937 random(rows);
    std::vector<int32_t> experts(rows), order(rows + 1, -7), expected(rows);
    for (int32_t &expert : experts)
      expert = static_cast<int32_t>(random() % 6);
    kernels.kernel<Group>(name)(experts.data(), order.data(), rows);
    std::iota(expected.begin(), expected.end(), 0);
    std::ranges::stable_sort(expected, {}, [&](int32_t row) { return experts[row]; });
    EXPECT_EQ(order[rows], -7);
    order.pop_back();
    EXPECT_EQ(order, expected);
  }
}

TEST_P(ExpertKernels, Combine) {
  constexpr int64_t tokens = 4, ranks = 3, columns = 53, gap = 2;
  KernelModule kernels(GetParam());
  cpu::CombineSpec spec{ranks, (columns + gap) * 4, (ranks + 1) * 4, (columns + gap) * 4};
  std::string name = kernels.add(cpu::combineKernel(kernels.k(), spec));
  kernels.compile();
  std::vector<float> x = randomFloats(tokens * ranks * (columns + gap), 1),
                     weights = randomFloats(tokens * (ranks + 1), 2),
                     whole(tokens * (columns + gap), -7), parts = whole;
  auto *kernel = kernels.kernel<Combine>(name);
  kernel(x.data(), weights.data(), whole.data(), 0, tokens, 0, columns);
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t c = 0; c < columns; ++c) {
      double sum = 0, magnitude = 0;
      for (int64_t s = 0; s < ranks; ++s) {
        double product = static_cast<double>(weights[t * (ranks + 1) + s]) *
                         x[(t * ranks + s) * (columns + gap) + c];
        sum += product;
        magnitude += std::abs(product);
      }
      ASSERT_NEAR(whole[t * (columns + gap) + c], sum, 1e-6 * magnitude);
    }
    for (int64_t c = columns; c < columns + gap; ++c)
      ASSERT_EQ(whole[t * (columns + gap) + c], -7);
  }
  // However the work is cut, the bits are the same.
  for (auto [from, to] : {std::pair{0, 16}, {16, 48}, {48, 53}, {64, 53}})
    for (int64_t t = 0; t < tokens; ++t)
      kernel(x.data(), weights.data(), parts.data(), t, t + 1, from, to);
  EXPECT_TRUE(sameBits(whole.data(), parts.data(), whole.size()));
}

// On other instruction sets: test/conformance.
TEST(ExpertKernelsOfHost, Linear) {
  constexpr int64_t experts = 4, tokens = 11, ranks = 2, rows = tokens * ranks, n = 37, k = 96;
  const Target target = Target::host().value();
  for (auto [format, activations] : {std::pair{Format::F16, Format::F32},
                                     {Format::Q4_1, Format::F32},
                                     {Format::Q4_1, Format::A8},
                                     {Format::Q8_0, Format::A16}}) {
    for (int64_t rowsPerX : {int64_t(1), ranks}) {
      KernelModule kernels(target);
      std::vector<PackedMatrix> matrices;
      std::vector<uint8_t> weights;
      for (int64_t e = 0; e < experts; ++e) {
        matrices.push_back(packedMatrix(target, format, n, k));
        // Other numbers for every expert, still finite: the bytes of quants may be anything.
        if (format != Format::F16)
          for (size_t i = matrices[e].bytes.size() - 64; i < matrices[e].bytes.size(); ++i)
            matrices[e].bytes[i] ^= static_cast<uint8_t>(e);
        weights.insert(weights.end(), matrices[e].bytes.begin(), matrices[e].bytes.end());
      }
      const int64_t xStride = llvm::alignTo(rowBytes(activations, k), 64), yStride = (n + 3) * 4;
      cpu::LinearSpec spec{matrices[0].layout, activations, xStride};
      std::string one = kernels.add(cpu::linearKernel(kernels.k(), spec));
      spec.rowsPerX = rowsPerX;
      std::string all = kernels.add(cpu::expertLinearKernel(kernels.k(), spec));
      kernels.compile();

      std::vector<uint8_t> x(rows / rowsPerX * xStride);
      for (int64_t r = 0; r < rows / rowsPerX; ++r) {
        std::vector<float> row = randomFloats(k, r);
        if (activations == Format::F32)
          std::memcpy(&x[r * xStride], row.data(), k * 4);
        else
          quantizeActivations(activations, row.data(), &x[r * xStride], k);
      }
      std::vector<int32_t> chosen(rows), order(rows);
      std::mt19937 random(rowsPerX);
      for (int32_t &expert : chosen) // expert 1 has none
        expert = std::array{0, 2, 3}[random() % 3];
      std::iota(order.begin(), order.end(), 0);
      std::ranges::stable_sort(order, {}, [&](int32_t row) { return chosen[row]; });

      const int64_t panels = matrices[0].layout.panels;
      std::vector<float> y(rows * (n + 3), -7), expected = y;
      for (auto [from, to] : {std::pair{int64_t(1), panels}, {int64_t(0), int64_t(1)}})
        kernels.kernel<ExpertLinear>(all)(weights.data(), n, x.data(), y.data(), yStride,
                                          chosen.data(), order.data(), rows, from, to);
      for (int64_t r = 0; r < rows; ++r)
        kernels.kernel<Linear>(one)(matrices[chosen[r]].bytes.data(), n, &x[r / rowsPerX * xStride],
                                    &expected[r * (n + 3)], yStride, nullptr, 1, 0, panels);
      EXPECT_TRUE(sameBits(y.data(), expected.data(), y.size())) << all;
      kernels.kernel<ExpertLinear>(all)(weights.data(), n, x.data(), y.data(), yStride,
                                        chosen.data(), order.data(), 0, 0, panels);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ExpertKernels, testing::ValuesIn(runnableTargets()),
                         [](const auto &info) {
                           return info.index ? std::string("Portable") : std::string("Host");
                         });
