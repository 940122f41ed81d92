// Each op alone, against numbers worked out by hand or by the formula written down once more.
#include "TestModel.h"

using namespace llmir;
using namespace llmir::reference;

TEST(Embed, GathersAndDequantises) {
  TestModel model(
      {{1, 2}, {3, 4}}, "llm.weight @half : tensor<2x2xf16> from \"half\"",
      "%w = llm.get_weight @half : tensor<2x2xf16>\n"
      "%y = llm.embed %tokens, %w : (tensor<?xi32>, tensor<2x2xf16>) -> tensor<?x2xf32>",
      2);
  model.addHalves("half", {2, 2}, {0.5, -0.25, 65504, 0.1f});
  Tensor y = model.run();
  expectRow(y, 0, {0.5, -0.25}, 0);
  expectRow(y, 1, {65504, 0.0999755859375}, 0);
}

TEST(Embed, RefusesTokensOutsideOfTheTable) {
  TestModel model({{1, 2}}, "", "%y = llm.scale %x by 1.5 : tensor<?x2xf32>", 2);
  KvCache kv = model.cache();
  for (int32_t token : {-1, 1}) {
    SequenceStep sequence{{token}, 0, {0}};
    auto result = model.interpreter().step(Batch::of({&sequence, 1}, 8), kv);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message,
                testing::HasSubstr("'llm.embed': token 0 is " + std::to_string(token) +
                                   ", the table has 1 rows"));
  }
}

TEST(RmsNorm, WholeRowsAndGroups) {
  Rows x = {{3, 4, 6, 8}, {0, 0, -1, 1}};
  TestModel whole(x, "llm.weight @w : tensor<4xf32> from \"w\"",
                  "%w = llm.get_weight @w : tensor<4xf32>\n"
                  "%y = llm.rms_norm %x, %w {eps = 0.75 : f64} : tensor<?x4xf32>, tensor<4xf32>",
                  4);
  whole.addFloats("w", {4}, {1, 2, 1, 0.5});
  double root = std::sqrt(31.25 + 0.75), small = std::sqrt(0.5 + 0.75);
  Tensor y = whole.run();
  expectRow(y, 0, {3 / root, 8 / root, 6 / root, 4 / root});
  expectRow(y, 1, {0, 0, -1 / small, 0.5 / small});

  TestModel groups(x, "llm.weight @w : tensor<2xf16> from \"w\"",
                   "%w = llm.get_weight @w : tensor<2xf16>\n"
                   "%y = llm.rms_norm %x, %w {eps = 1.0 : f64} : tensor<?x4xf32>, tensor<2xf16>",
                   4);
  groups.addHalves("w", {2}, {1, 2});
  double first = std::sqrt(12.5 + 1), second = std::sqrt(50.0 + 1);
  expectRow(groups.run(), 0, {3 / first, 8 / first, 6 / second, 16 / second});
}

TEST(LayerNorm, WithAndWithoutBias) {
  Rows x = {{1, 2, 3, 6}};
  for (bool bias : {false, true}) {
    TestModel model(
        x, "llm.weight @w : tensor<4xf32> from \"w\"\nllm.weight @b : tensor<4xf32> from \"b\"",
        std::string("%w = llm.get_weight @w : tensor<4xf32>\n"
                    "%b = llm.get_weight @b : tensor<4xf32>\n"
                    "%y = llm.layer_norm %x, %w ") +
            (bias ? "bias %b " : "") + "{eps = 0.5 : f64} : tensor<?x4xf32>, tensor<4xf32>" +
            (bias ? ", tensor<4xf32>" : ""),
        4);
    model.addFloats("w", {4}, {1, 1, 2, 1});
    model.addFloats("b", {4}, {10, 0, 0, -1});
    double root = std::sqrt(3.5 + 0.5), on = bias ? 1 : 0; // mean 3, variance 14 / 4
    expectRow(model.run(), 0, {-2 / root + 10 * on, -1 / root, 0, 3 / root - on});
  }
}

/// K columns, so that vector lanes and the rest after them are both in use.
TEST(Linear, EveryRowAndTailWithBias) {
  constexpr int64_t n = 11, k = 7;
  Rows x = randomRows(5, k, 1);
  TestModel model(x,
                  "llm.weight @w : tensor<11x7xf32> from \"w\"\n"
                  "llm.weight @b : tensor<11xf32> from \"b\"",
                  "%w = llm.get_weight @w : tensor<11x7xf32>\n"
                  "%b = llm.get_weight @b : tensor<11xf32>\n"
                  "%y = llm.linear %x, %w bias %b : (tensor<?x7xf32>, tensor<11x7xf32>, "
                  "tensor<11xf32>) -> tensor<?x11xf32>",
                  n);
  std::vector<float> w = randomVector(n * k, 2), b = randomVector(n, 3);
  model.addFloats("w", {n, k}, w);
  model.addFloats("b", {n}, b);
  Tensor y = model.run();
  for (size_t t = 0; t < x.size(); ++t) {
    std::vector<double> expected(b.begin(), b.end());
    for (int64_t r = 0; r < n; ++r)
      for (int64_t i = 0; i < k; ++i)
        expected[r] += static_cast<double>(x[t][i]) * w[r * k + i];
    expectRow(y, static_cast<int64_t>(t), expected, 1e-7);
  }
  EXPECT_EQ(y.values, model.run(0, 3).values) << "threads must not change a bit";
}

/// 1e8 + 1 - 1e8 is 0 in f32 sums: the sums must be wider.
TEST(Linear, SumsInDouble) {
  TestModel model({{1e8f, 1, -1e8f, 0, 0}}, "llm.weight @w : tensor<1x5xf32> from \"w\"",
                  "%w = llm.get_weight @w : tensor<1x5xf32>\n"
                  "%y = llm.linear %x, %w : (tensor<?x5xf32>, tensor<1x5xf32>) -> tensor<?x1xf32>",
                  1);
  model.addFloats("w", {1, 5}, {1, 1, 1, 1, 1});
  expectRow(model.run(), 0, {1}, 0);
}

/// Rows of Q8_0 blocks (f16 scale, 32 int8) and what they stand for.
static std::vector<uint8_t> makeQ8(int64_t rows, int64_t columns, std::vector<double> &values) {
  std::mt19937 generator(7);
  std::vector<uint8_t> bytes;
  for (int64_t block = 0; block < rows * columns / 32; ++block) {
    double scale = 0.125 * static_cast<double>(block + 1);
    uint16_t half = floatToHalf(static_cast<float>(scale));
    bytes.push_back(half & 255);
    bytes.push_back(half >> 8);
    for (int i = 0; i < 32; ++i) {
      int quant = static_cast<int>(generator() % 255) - 127;
      bytes.push_back(static_cast<uint8_t>(static_cast<int8_t>(quant)));
      values.push_back(scale * quant);
    }
  }
  return bytes;
}

TEST(Linear, QuantisedWeight) {
  Rows x = randomRows(2, 64, 4);
  TestModel model(x, "llm.weight @w : tensor<3x64x!llm.quant<q8_0>> from \"w\"",
                  "%w = llm.get_weight @w : tensor<3x64x!llm.quant<q8_0>>\n"
                  "%y = llm.linear %x, %w : (tensor<?x64xf32>, tensor<3x64x!llm.quant<q8_0>>) -> "
                  "tensor<?x3xf32>",
                  3);
  std::vector<double> w;
  model.addBytes("w", Format::Q8_0, {3, 64}, makeQ8(3, 64, w));
  Tensor y = model.run();
  for (int64_t t = 0; t < 2; ++t) {
    std::vector<double> expected(3);
    for (int64_t i = 0; i < 3 * 64; ++i)
      expected[i / 64] += x[t][i % 64] * w[i];
    expectRow(y, t, expected);
  }
}

/// The rounding of quantised activations, written down again: per group of 32, in f32.
static std::vector<double> roundActivations(const std::vector<float> &x, float limit) {
  std::vector<double> values;
  for (size_t start = 0; start < x.size(); start += 32) {
    float largest = 0;
    for (size_t i = 0; i < 32; ++i)
      largest = std::max(largest, std::abs(x[start + i]));
    float scale = largest / limit, inverse = largest > 0 ? limit / largest : 0;
    for (size_t i = 0; i < 32; ++i)
      values.push_back(static_cast<double>(std::nearbyint(x[start + i] * inverse)) * scale);
  }
  return values;
}

TEST(Linear, QuantisedActivationsAndWeight) {
  Rows x = randomRows(3, 64, 5);
  x[1] = std::vector<float>(64, 0.0f); // a group of zeros has no scale
  for (auto [name, limit] : {std::pair("a8", 127.0f), std::pair("a16", 32767.0f)}) {
    std::string quantised = std::string("tensor<?x64x!llm.quant<") + name + ">>";
    TestModel model(x, "llm.weight @w : tensor<3x64x!llm.quant<q8_0>> from \"w\"",
                    "%w = llm.get_weight @w : tensor<3x64x!llm.quant<q8_0>>\n"
                    "%q = llm.quantize %x : (tensor<?x64xf32>) -> " +
                        quantised + "\n%y = llm.linear %q, %w : (" + quantised +
                        ", tensor<3x64x!llm.quant<q8_0>>) -> tensor<?x3xf32>",
                    3);
    std::vector<double> w;
    model.addBytes("w", Format::Q8_0, {3, 64}, makeQ8(3, 64, w));
    Tensor y = model.run();
    for (int64_t t = 0; t < 3; ++t) {
      std::vector<double> rounded = roundActivations(x[t], limit), expected(3);
      for (int64_t i = 0; i < 3 * 64; ++i)
        expected[i / 64] += rounded[i % 64] * w[i];
      expectRow(y, t, expected, 1e-7);
    }
  }
}

TEST(Linear, AWeightOfFloatsIsQuantisedWhereItsTypeIs) {
  Rows x = randomRows(2, 32, 8);
  TestModel model(x, "llm.weight @w : tensor<2x32x!llm.quant<q4_0>> from \"w\"",
                  "%w = llm.get_weight @w : tensor<2x32x!llm.quant<q4_0>>\n"
                  "%y = llm.linear %x, %w : (tensor<?x32xf32>, tensor<2x32x!llm.quant<q4_0>>) -> "
                  "tensor<?x2xf32>",
                  2);
  // The extreme -8 makes the scale 1: what is left are integers, halves rounded up.
  std::vector<float> stored(64), rounded(64);
  for (size_t i = 0; i < 64; ++i) {
    stored[i] = static_cast<float>(i % 32) / 4 - (i % 32 == 0 ? 8 : 2);
    rounded[i] = std::floor(stored[i] + 0.5f);
  }
  model.addHalves("w", {2, 32}, stored);
  Tensor y = model.run();
  for (int64_t t = 0; t < 2; ++t) {
    std::vector<double> expected(2);
    for (size_t i = 0; i < 64; ++i)
      expected[i / 32] += static_cast<double>(x[t][i % 32]) * rounded[i];
    expectRow(y, t, expected, 1e-6);
  }
}

/// Rotation by complex multiplication: another way to the same numbers.
static void expectRope(const char *style, int64_t dim, double magnitude,
                       const std::vector<float> &factors, bool ofLayer = false) {
  constexpr int64_t headDim = 8;
  constexpr int32_t start = 3;
  Rows x = randomRows(4, 2 * headDim, 6);
  std::string list;
  for (float factor : factors)
    list += (list.empty() ? "" : ", ") + std::to_string(factor);
  auto rotation = [&](const std::string &theta) {
    return std::string("#llm.rope<style = ") + style + ", dim = " + std::to_string(dim) +
           ", theta = " + theta + " : f64, magnitude = " + std::to_string(magnitude) +
           " : f64, factors = [" + list + "]>";
  };
  std::string attributes = ofLayer ? "[%one] {head_dim = 8 : i64, ropes = [" + rotation("7.0") +
                                         ", " + rotation("100.0") + "]}"
                                   : " {head_dim = 8 : i64, rope = " + rotation("100.0") + "}";
  TestModel model(x, "",
                  "%one = arith.constant 1 : index\n%y = llm.rope %x, %positions" + attributes +
                      " : tensor<?x16xf32>, tensor<?xi32>",
                  2 * headDim);
  Tensor y = model.run(start);
  bool half = std::string_view(style) == "half";
  for (int64_t t = 0; t < 4; ++t) {
    std::vector<double> expected(x[t].begin(), x[t].end());
    for (int64_t head = 0; head < 2 * headDim; head += headDim)
      for (int64_t i = 0; i < dim / 2; ++i) {
        double angle = static_cast<double>(start + t) /
                       std::pow(100.0, 2.0 * static_cast<double>(i) / static_cast<double>(dim)) /
                       (factors.empty() ? 1.0 : factors[i]);
        int64_t a = head + (half ? i : 2 * i), b = head + (half ? i + dim / 2 : 2 * i + 1);
        std::complex<double> rotated =
            std::complex<double>(x[t][a], x[t][b]) * std::polar(magnitude, angle);
        expected[a] = rotated.real();
        expected[b] = rotated.imag();
      }
    expectRow(y, t, expected, 2e-7);
  }
}

TEST(Rope, Interleaved) { expectRope("interleaved", 8, 1, {}); }
TEST(Rope, Half) { expectRope("half", 8, 1, {}); }
TEST(Rope, PartOfTheHead) {
  expectRope("half", 4, 1, {});
  expectRope("interleaved", 6, 1, {});
}
TEST(Rope, FactorsAndMagnitude) {
  expectRope("half", 8, 1.25, {1, 2, 4, 8});
  expectRope("interleaved", 4, 0.5, {1.5, 32});
}
TEST(Rope, OfTheLayer) { expectRope("half", 8, 1.25, {1, 2, 4, 8}, /*ofLayer=*/true); }

TEST(Activate, EveryFunction) {
  std::vector<float> x = {-100, -2, -0.5, 0, 0.5, 2, 100};
  auto silu = [](double v) { return v / (1 + std::exp(-v)); };
  auto gelu = [](double v) { return 0.5 * v * std::erfc(-v / std::sqrt(2.0)); };
  auto tanhGelu = [](double v) { // tanh(u) = 1 - 2 / (exp(2u) + 1)
    double u = 0.7978845608028654 * (v + 0.044715 * v * v * v);
    return v / 2 * (2 - 2 / (std::exp(2 * u) + 1));
  };
  auto relu = [](double v) { return std::max(v, 0.0); };
  std::vector<std::pair<std::string, std::function<double(double)>>> cases = {
      {"silu", silu}, {"gelu", gelu}, {"gelu_tanh", tanhGelu}, {"relu", relu}};
  for (auto &[name, function] : cases) {
    TestModel alone({x}, "", "%y = llm.activate " + name + " %x : tensor<?x7xf32>", 7);
    TestModel gated({x}, "",
                    "%u = llm.scale %x by 3.0 : tensor<?x7xf32>\n"
                    "%y = llm.glu " +
                        name + " %x, %u : tensor<?x7xf32>",
                    7);
    std::vector<double> expected, product;
    for (float v : x) {
      expected.push_back(function(v));
      product.push_back(function(v) * 3 * v);
    }
    expectRow(alone.run(), 0, expected);
    expectRow(gated.run(), 0, product);
  }
}

TEST(Elementwise, ScaleSoftcapAndArith) {
  TestModel model({{-3, 0, 1, 200}}, "",
                  "%s = llm.scale %x by 0.5 : tensor<?x4xf32>\n"
                  "%c = llm.softcap %s at 2.0 : tensor<?x4xf32>\n"
                  "%p = arith.mulf %c, %x : tensor<?x4xf32>\n"
                  "%d = arith.subf %p, %s : tensor<?x4xf32>\n"
                  "%y = arith.addf %d, %x : tensor<?x4xf32>",
                  4);
  std::vector<double> expected;
  for (double x : {-3.0, 0.0, 1.0, 200.0})
    expected.push_back(2 * std::tanh(x / 4) * x - x / 2 + x);
  expectRow(model.run(), 0, expected);
}

TEST(LogitRows, PicksRows) {
  TestModel model({{1, 2}, {3, 4}, {5, 6}}, "",
                  "%y = llm.logit_rows %x, %batch : (tensor<?x2xf32>, !batch) -> tensor<?x2xf32>",
                  2);
  std::vector<SequenceStep> sequences = {{{0, 1}, 0, {0}}, {{2}, 4, {1}}};
  KvCache kv = model.cache();
  auto y = model.interpreter().step(Batch::of(sequences, 8, LogitRows::LastOfSequence), kv);
  ASSERT_TRUE(y) << y.error().message;
  ASSERT_EQ(y->rows(), 2);
  expectRow(*y, 0, {3, 4}, 0);
  expectRow(*y, 1, {5, 6}, 0);
}
