// Attention over the paged cache: against plain loops over whole sequences, for every way the same
// tokens can come in.
#include "TestModel.h"

using namespace llmir;
using namespace llmir::reference;

namespace {
constexpr int64_t width = 6, heads = 2, queryHeads = 4, kDim = 4, vDim = 8, block = 8;

struct Setting {
  std::string element = "f32";
  std::string attributes = "scale = 0.7 : f64";
  double scale = 0.7;
  double softcap = 0; ///< 0: none
  int64_t window = 0; ///< 0: none
};

/// x -> q, k, v by random weights -> append -> attention, on layer 1 of 2.
struct AttentionModel : TestModel {
  AttentionModel(const Rows &inputs, const Setting &setting)
      : TestModel(
            inputs,
            "llm.weight @q : tensor<16x6xf32> from \"q\"\n"
            "llm.weight @k : tensor<8x6xf32> from \"k\"\n"
            "llm.weight @v : tensor<16x6xf32> from \"v\"",
            "%one = arith.constant 1 : index\n"
            "%layer = arith.addi %zero, %one : index\n"
            "%wq = llm.get_weight @q : tensor<16x6xf32>\n"
            "%wk = llm.get_weight @k : tensor<8x6xf32>\n"
            "%wv = llm.get_weight @v : tensor<16x6xf32>\n"
            "%q = llm.linear %x, %wq : (tensor<?x6xf32>, tensor<16x6xf32>) -> tensor<?x16xf32>\n"
            "%k = llm.linear %x, %wk : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>\n"
            "%v = llm.linear %x, %wv : (tensor<?x6xf32>, tensor<16x6xf32>) -> tensor<?x16xf32>\n"
            "%kv1 = llm.kv_append %kv[%layer], %k, %v, %batch : !kv, tensor<?x8xf32>, "
            "tensor<?x16xf32>, !batch\n"
            "%y = llm.attention %q, %kv1[%layer], %batch {" +
                setting.attributes + "} : (tensor<?x16xf32>, !kv, !batch) -> tensor<?x32xf32>",
            queryHeads * vDim,
            "!llm.kv<layers = 2, heads = 2, k_dim = 4, v_dim = 8, block = 8, element = " +
                setting.element + ">") {
    wq = randomVector(queryHeads * kDim * width, 11);
    wk = randomVector(heads * kDim * width, 12);
    wv = randomVector(heads * vDim * width, 13);
    addFloats("q", {queryHeads * kDim, width}, wq);
    addFloats("k", {heads * kDim, width}, wk);
    addFloats("v", {heads * vDim, width}, wv);
  }
  std::vector<float> wq, wk, wv;
};

std::vector<float> project(const std::vector<float> &w, const std::vector<float> &x) {
  std::vector<float> y(w.size() / x.size());
  for (size_t r = 0; r < y.size(); ++r) {
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i)
      sum += static_cast<double>(w[r * x.size() + i]) * x[i];
    y[r] = static_cast<float>(sum);
  }
  return y;
}

/// The formula for token `p` of a sequence whose embeddings are `x`.
std::vector<double> expectedAt(const AttentionModel &model, const Rows &x, int64_t p,
                               const Setting &setting) {
  auto store = [&](float value) {
    return setting.element == "f16" ? halfToFloat(floatToHalf(value)) : value;
  };
  std::vector<float> q = project(model.wq, x[p]);
  std::vector<double> result;
  for (int64_t h = 0; h < queryHeads; ++h) {
    int64_t kvHead = h / (queryHeads / heads);
    std::vector<double> sums(vDim);
    double total = 0;
    for (int64_t j = setting.window ? std::max<int64_t>(0, p - setting.window + 1) : 0; j <= p;
         ++j) {
      std::vector<float> k = project(model.wk, x[j]), v = project(model.wv, x[j]);
      double s = 0;
      for (int64_t d = 0; d < kDim; ++d)
        s += static_cast<double>(q[h * kDim + d]) * store(k[kvHead * kDim + d]);
      s *= setting.scale;
      if (setting.softcap > 0)
        s = setting.softcap * std::tanh(s / setting.softcap);
      total += std::exp(s); // scores are small here
      for (int64_t d = 0; d < vDim; ++d)
        sums[d] += std::exp(s) * store(v[kvHead * vDim + d]);
    }
    for (double sum : sums)
      result.push_back(sum / total);
  }
  return result;
}

void expectWholePrefill(const Setting &setting) {
  Rows x = randomRows(21, width, 14);
  AttentionModel model(x, setting);
  Tensor y = model.run();
  for (int64_t p = 0; p < 21; ++p)
    expectRow(y, p, expectedAt(model, x, p, setting), 5e-7);
  EXPECT_EQ(y.values, model.run(0, 3).values) << "threads must not change a bit";
}

SequenceStep take(const std::vector<int32_t> &tokens, int32_t start, int32_t count,
                  std::vector<int32_t> blocks) {
  return {{tokens.begin() + start, tokens.begin() + start + count}, start, std::move(blocks)};
}

std::vector<float> rowsOf(const Tensor &tensor, int64_t first, int64_t count) {
  return {tensor.row(first), tensor.row(first) + count * tensor.columns()};
}
} // namespace

TEST(Attention, GroupedQueries) { expectWholePrefill({}); }
TEST(Attention, HalfCache) { expectWholePrefill({.element = "f16"}); }
TEST(Attention, Softcap) {
  expectWholePrefill(
      {.attributes = "scale = 3.0 : f64, softcap = 1.5 : f64", .scale = 3, .softcap = 1.5});
}
TEST(Attention, Window) {
  for (int64_t window : {1, 5, 100})
    expectWholePrefill(
        {.attributes = "scale = 0.7 : f64, window = " + std::to_string(window) + " : i64",
         .window = window});
}
TEST(Attention, WindowOfTheLayer) { // it runs on layer 1
  expectWholePrefill({.attributes = "scale = 0.7 : f64, windows = array<i64: 2, 5>", .window = 5});
  expectWholePrefill({.attributes = "scale = 0.7 : f64, windows = array<i64: 2, 0>"});
}

TEST(Attention, LargeScoresDoNotOverflow) {
  AttentionModel model(randomRows(9, width, 15, 1e4f), {.attributes = "scale = 1.0e+02 : f64"});
  for (float value : model.run().values)
    EXPECT_TRUE(std::isfinite(value));
}

/// Prefill and decode mixed, sequences of different lengths, blocks in no order and not contiguous.
TEST(Attention, MixedBatchWithShuffledBlocks) {
  Setting setting{.element = "f16"};
  Rows x = randomRows(30, width, 16);
  AttentionModel model(x, setting);
  std::vector<int32_t> all(30);
  for (int32_t i = 0; i < 30; ++i)
    all[i] = i;
  std::vector<int32_t> a(all.begin(), all.begin() + 19), b(all.begin() + 10, all.begin() + 30);
  KvCache kv = model.cache(12);
  Interpreter interpreter = model.interpreter();
  auto step = [&](std::vector<SequenceStep> sequences) {
    auto y = interpreter.step(Batch::of(sequences, block), kv);
    EXPECT_TRUE(y) << y.error().message;
    return *y;
  };
  auto expectSequence = [&](const Tensor &y, int64_t row, const std::vector<int32_t> &tokens,
                            int64_t start, int64_t count) {
    Rows own;
    for (int32_t token : tokens)
      own.push_back(x[token]);
    for (int64_t i = 0; i < count; ++i)
      expectRow(y, row + i, expectedAt(model, own, start + i, setting), 5e-7);
  };
  Tensor y = step({take(a, 0, 18, {7, 2, 11}), take(b, 0, 3, {5, 0, 9})});
  expectSequence(y, 0, a, 0, 18);
  expectSequence(y, 18, b, 0, 3);
  y = step({take(b, 3, 17, {5, 0, 9}), take(a, 18, 1, {7, 2, 11})}); // a decodes, b goes on
  expectSequence(y, 0, b, 3, 17);
  expectSequence(y, 17, a, 18, 1);
}

TEST(Attention, ChunksAndNeighboursChangeNoBit) {
  for (Setting setting :
       {Setting{.element = "f16"}, Setting{.attributes = "scale = 0.7 : f64, window = 6 : i64"}}) {
    Rows x = randomRows(20, width, 17);
    AttentionModel model(x, setting);
    Tensor whole = model.run();
    std::vector<int32_t> tokens(20);
    for (int32_t i = 0; i < 20; ++i)
      tokens[i] = i;
    for (int32_t chunk : {1, 3, 8, 19}) {
      KvCache kv = model.cache(8);
      Interpreter interpreter = model.interpreter(2);
      for (int32_t start = 0; start < 20; start += chunk) {
        int32_t count = std::min(chunk, 20 - start);
        std::vector<SequenceStep> sequences = {take(tokens, 0, 2, {6}),
                                               take(tokens, start, count, {3, 1, 4})};
        auto y = interpreter.step(Batch::of(sequences, block), kv);
        ASSERT_TRUE(y) << y.error().message;
        EXPECT_EQ(rowsOf(*y, 2, count), rowsOf(whole, start, count)) << "chunk " << chunk;
      }
    }
  }
}

/// Blocks that lie before the window may be gone.
TEST(Attention, WindowReadsNoStaleBlocks) {
  Rows x = randomRows(20, width, 18);
  AttentionModel model(x, {.attributes = "scale = 0.7 : f64, window = 3 : i64"});
  std::vector<int32_t> tokens = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
                                 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
  Tensor whole = model.run();
  KvCache kv = model.cache(8);
  Interpreter interpreter = model.interpreter();
  SequenceStep first = take(tokens, 0, 19, {0, 1, 2}), last = take(tokens, 19, 1, {-1, -1, 2});
  ASSERT_TRUE(interpreter.step(Batch::of({&first, 1}, block), kv));
  auto y = interpreter.step(Batch::of({&last, 1}, block), kv);
  ASSERT_TRUE(y) << y.error().message;
  EXPECT_EQ(y->values, rowsOf(whole, 19, 1));
}

TEST(Attention, RefusesStaleBlocksThatItNeeds) {
  Rows x = randomRows(20, width, 18);
  AttentionModel model(x, {});
  KvCache kv = model.cache(8);
  SequenceStep last{{19}, 19, {0, 8, 2}};
  auto y = model.interpreter().step(Batch::of({&last, 1}, block), kv);
  ASSERT_FALSE(y);
  EXPECT_THAT(y.error().message,
              testing::HasSubstr("block_table[0][1] is 8, the cache has 8 blocks"));
}

TEST(KvCache, StoresRoundedValuesWhereTheSlotSays) {
  mlir::MLIRContext context;
  context.loadDialect<llm::LlmDialect>();
  KvCache kv(llm::KvType::get(&context, 2, 1, 2, 3, 8, mlir::Float16Type::get(&context)), 2);
  kv.append(1, 9, std::vector<float>{1.0f + 0x1p-11f, 1.0f + 0x3p-11f},
            std::vector<float>{1e6f, -0.1f, 0x1p-25f});
  // Halfway cases go to the even neighbour; too large ones to infinity; too small ones to zero.
  EXPECT_THAT(kv.keys(1, 9), testing::ElementsAre(1.0f, 1.0f + 0x1p-9f));
  EXPECT_THAT(kv.values(1, 9), testing::ElementsAre(INFINITY, -0.0999755859375f, 0.0f));
  EXPECT_THAT(kv.keys(0, 9), testing::ElementsAre(0.0f, 0.0f));
  EXPECT_THAT(kv.keys(1, 8), testing::ElementsAre(0.0f, 0.0f));
}
