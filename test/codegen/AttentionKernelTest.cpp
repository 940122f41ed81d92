// Attention over a shuffled paged cache against f64, for all that a model may ask for; the same
// bits in every batch and for every share of the work.
#include "llmir/codegen/cpu/AttentionKernel.h"
#include "KernelTest.h"
#include "llmir/quant/Format.h"

#include <numeric>

using namespace llmir;
using namespace llmir::test;

namespace {

using Attention = void(const float *, const void *, const void *, const int32_t *, const int32_t *,
                       const int32_t *, int64_t, int64_t, float *, int64_t, int64_t, int64_t);
/// Attention over splits, and the merge.
using Splits = void(const float *, const void *, const void *, const int32_t *, const int32_t *,
                    const int32_t *, int64_t, int64_t, float *, void *, int64_t, int64_t, int64_t,
                    int64_t);

struct Case {
  int64_t queryHeads, heads, kDim, vDim, block;
  bool isF16 = true;
  std::optional<int64_t> window = std::nullopt;
  std::optional<double> softcap = std::nullopt;
  int64_t qPadding = 0, resultPadding = 0; // floats

  int64_t qRow() const { return queryHeads * kDim + qPadding; }
  int64_t resultRow() const { return queryHeads * vDim + resultPadding; }
  double scale() const { return 1 / std::sqrt(static_cast<double>(kDim)); }

  cpu::AttentionSpec spec(cpu::KernelBuilder &k) const {
    cpu::AttentionSpec spec;
    spec.kv =
        llm::KvType::get(k.b.getContext(), 1, heads, kDim, vDim, block, isF16 ? k.f16 : k.f32);
    spec.queryHeads = queryHeads;
    spec.scale = scale();
    spec.hasWindow = window.has_value();
    spec.softcap = softcap;
    spec.qStride = qRow() * 4;
    spec.resultStride = resultRow() * 4;
    return spec;
  }
};

/// A ragged batch over a cache whose blocks are shuffled; what no token may read is poisoned.
struct Batch {
  Case c;
  int64_t stride = 0, blocks = 0; // of the block table; of the cache
  std::vector<int32_t> tokenSequence, positions, table;
  std::vector<float> q, k, v; // the cache as f32
  std::vector<uint8_t> kBytes, vBytes;

  Batch(const Case &shape, const std::vector<int64_t> &lengths,
        const std::vector<int64_t> &newTokens, uint32_t seed)
      : c(shape) {
    int64_t used = 0;
    for (int64_t length : lengths) {
      stride = std::max(stride, (length + c.block - 1) / c.block);
      used += (length + c.block - 1) / c.block;
    }
    // One block more than is used, never to be touched: unused entries of the table name it.
    blocks = used + 1;
    std::vector<int32_t> order(blocks);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), std::mt19937(seed));
    k = randomFloats(blocks * c.heads * c.kDim * c.block, seed + 1);
    v = randomFloats(blocks * c.heads * c.vDim * c.block, seed + 2);
    poison(order[used]);
    table.assign(lengths.size() * stride, order[used]);
    int64_t next = 0;
    for (size_t s = 0; s < lengths.size(); ++s) {
      for (int64_t b = 0; b * c.block < lengths[s]; ++b)
        table[s * stride + b] = order[next++];
      for (int64_t p = lengths[s] - newTokens[s]; p < lengths[s]; ++p) {
        tokenSequence.push_back(static_cast<int32_t>(s));
        positions.push_back(static_cast<int32_t>(p));
      }
      forgetBeforeWindow(s, lengths[s] - newTokens[s], order[used]);
      // Rubbish behind the context, in its last block.
      for (int64_t p = lengths[s]; p % c.block; ++p)
        for (int64_t h = 0; h < c.heads; ++h)
          for (int64_t d = 0; d < std::max(c.kDim, c.vDim); ++d) {
            if (d < c.kDim)
              k[keyAt(s, p, h, d)] = NAN;
            if (d < c.vDim)
              v[valueAt(s, p, h, d)] = -INFINITY;
          }
    }
    q = randomFloats(tokens() * c.qRow(), seed + 3, 1.5f);
    kBytes = store(k);
    vBytes = store(v);
  }

  int64_t tokens() const { return static_cast<int64_t>(positions.size()); }
  int64_t keyAt(int64_t s, int64_t p, int64_t h, int64_t d) const {
    int64_t b = table[s * stride + p / c.block];
    return ((b * c.heads + h) * c.kDim + d) * c.block + p % c.block;
  }
  int64_t valueAt(int64_t s, int64_t p, int64_t h, int64_t d) const {
    int64_t b = table[s * stride + p / c.block];
    return ((b * c.heads + h) * c.block + p % c.block) * c.vDim + d;
  }

  /// Token t, query head g, in f64.
  std::vector<double> expected(int64_t t, int64_t g) const {
    int64_t s = tokenSequence[t], last = positions[t], h = g / (c.queryHeads / c.heads);
    int64_t first = c.window ? std::max<int64_t>(0, last - *c.window + 1) : 0;
    std::vector<double> scores, result(c.vDim);
    for (int64_t p = first; p <= last; ++p) {
      double score = 0;
      for (int64_t d = 0; d < c.kDim; ++d)
        score += static_cast<double>(q[t * c.qRow() + g * c.kDim + d]) * k[keyAt(s, p, h, d)];
      score *= c.scale();
      scores.push_back(c.softcap ? *c.softcap * std::tanh(score / *c.softcap) : score);
    }
    double largest = *std::max_element(scores.begin(), scores.end()), sum = 0;
    for (double &score : scores)
      sum += score = std::exp(score - largest);
    for (int64_t p = first; p <= last; ++p)
      for (int64_t d = 0; d < c.vDim; ++d)
        result[d] += scores[p - first] / sum * v[valueAt(s, p, h, d)];
    return result;
  }

  std::vector<float> run(Attention *kernel, int64_t workers = 1) const {
    std::vector<float> result(tokens() * c.resultRow(), -77);
    for (int64_t worker = 0; worker < workers; ++worker)
      kernel(q.data(), kBytes.data(), vBytes.data(), tokenSequence.data(), positions.data(),
             table.data(), stride, c.window.value_or(0), result.data(), worker, tokens() * c.heads,
             workers);
    return result;
  }

  /// By splits in descending order, then the merge.
  std::vector<float> runSplit(Splits *split, Splits *merge, int64_t partialBytes) const {
    std::vector<float> result(tokens() * c.resultRow(), -77);
    const int64_t splits = stride * c.block / cpu::attentionSplit + 1;
    const int64_t items = tokens() * c.heads;
    std::vector<uint8_t> memory(items * splits * partialBytes + 64, 0xff);
    void *partials = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
    auto call = [&](Splits *kernel, int64_t from, int64_t to) {
      kernel(q.data(), kBytes.data(), vBytes.data(), tokenSequence.data(), positions.data(),
             table.data(), stride, c.window.value_or(0), result.data(), partials, splits, from, to,
             1);
    };
    for (int64_t item = items * splits; item-- > 0;)
      call(split, item, item + 1);
    call(merge, 0, items);
    return result;
  }

private:
  void poison(int64_t b) {
    std::fill_n(k.begin() + b * c.heads * c.kDim * c.block, c.heads * c.kDim * c.block, NAN);
    std::fill_n(v.begin() + b * c.heads * c.vDim * c.block, c.heads * c.vDim * c.block, NAN);
  }
  /// Blocks that lie before every new token's window may have been given back.
  void forgetBeforeWindow(size_t s, int64_t firstNew, int32_t untouched) {
    if (c.window)
      for (int64_t b = 0; (b + 1) * c.block <= firstNew - *c.window + 1; ++b)
        table[s * stride + b] = untouched;
  }
  /// As bytes of the cache; the f32 copy takes the rounded values.
  std::vector<uint8_t> store(std::vector<float> &values) const {
    std::vector<uint8_t> bytes(values.size() * (c.isF16 ? 2 : 4));
    for (size_t i = 0; i < values.size(); ++i) {
      uint16_t half = floatToHalf(values[i]);
      if (c.isF16)
        values[i] = halfToFloat(half);
      std::memcpy(&bytes[i * (c.isF16 ? 2 : 4)],
                  c.isF16 ? static_cast<const void *>(&half) : &values[i], c.isF16 ? 2 : 4);
    }
    return bytes;
  }
};

const std::vector<Case> cases = {
    {9, 3, 64, 64, 16},
    {9, 3, 64, 64, 32, true, 40},
    {4, 4, 64, 64, 8},
    {8, 2, 80, 80, 64, false},
    {7, 1, 40, 20, 16, true, std::nullopt, 20.0},
    {2, 1, 16, 16, 1024},
    {18, 2, 20, 40, 8, false, 17, 5.0, 3, 5},
    {3, 3, 128, 96, 128, true, 1},
    {2, 2, 7, 5, 16, true, 100},
    {10, 2, 256, 256, 32},
    {1, 1, 1, 1, 8},
    {1, 1, 3, 130, 64, false, 8},
    {131, 1, 4, 4, 16},
};

/// Decode, prefill from nothing, a later chunk; lengths around the ends of blocks and tiles.
Batch mixedBatch(const Case &c, uint32_t seed) {
  return Batch(c, {1, 7, c.block, c.block + 1, 70, 200, 33, 300}, {1, 7, 1, 3, 4, 1, 2, 45}, seed);
}

/// Every case, compiled once for all tests.
class AttentionKernel : public testing::Test {
protected:
  struct Compiled {
    explicit Compiled(const std::string &target) : kernels(target) {
      for (const Case &c : cases) {
        auto spec = c.spec(kernels.k());
        names.push_back(kernels.add(cpu::attentionKernel(kernels.k(), spec)));
        partialBytes.push_back(cpu::attentionPartialBytes(kernels.k(), spec));
        splitNames.emplace_back();
        mergeNames.emplace_back();
        if (!partialBytes.back())
          continue;
        splitNames.back() = kernels.add(cpu::attentionSplitKernel(kernels.k(), spec));
        mergeNames.back() = kernels.add(cpu::attentionMergeKernel(kernels.k(), spec));
      }
      kernels.compile();
    }
    Attention *kernel(size_t n) const { return kernels.kernel<Attention>(names[n]); }
    Splits *split(size_t n) const { return kernels.kernel<Splits>(splitNames[n]); }
    Splits *merge(size_t n) const { return kernels.kernel<Splits>(mergeNames[n]); }
    KernelModule kernels;
    std::vector<std::string> names, splitNames, mergeNames;
    std::vector<int64_t> partialBytes;
  };
  static void SetUpTestSuite() {
    for (const std::string &target : runnableTargets())
      compiled.push_back(std::make_unique<Compiled>(target));
  }
  static void TearDownTestSuite() { compiled.clear(); }
  static inline std::vector<std::unique_ptr<Compiled>> compiled; // one for each target
};

} // namespace

TEST_F(AttentionKernel, AgreesWithF64) {
  for (const auto &target : compiled) {
    for (size_t n = 0; n < cases.size(); ++n) {
      const Case &c = cases[n];
      Batch batch = mixedBatch(c, 50 + static_cast<uint32_t>(n));
      auto result = batch.run(target->kernel(n));
      double worst = 0;
      for (int64_t g = 0; g < c.queryHeads; ++g) {
        double error = 0, square = 0; // of all tokens: a single one may cancel to nearly nothing
        for (int64_t t = 0; t < batch.tokens(); ++t) {
          auto expected = batch.expected(t, g);
          for (int64_t d = 0; d < c.vDim; ++d) {
            double difference = result[t * c.resultRow() + g * c.vDim + d] - expected[d];
            error += difference * difference;
            square += expected[d] * expected[d];
          }
        }
        if (double relative = std::sqrt(error / square); !(relative <= worst))
          worst = relative;
      }
      for (int64_t t = 0; t < batch.tokens(); ++t)
        for (int64_t i = c.queryHeads * c.vDim; i < c.resultRow(); ++i)
          EXPECT_EQ(result[t * c.resultRow() + i], -77) << "behind the row";
      EXPECT_LE(worst, 1e-5) << target->names[n];
    }
  }
}

TEST_F(AttentionKernel, GivesTheSameBitsInEveryBatchAndForEveryWorker) {
  for (const auto &target : compiled) {
    for (size_t n = 0; n < cases.size(); ++n) {
      Batch batch = mixedBatch(cases[n], 80 + static_cast<uint32_t>(n));
      auto *kernel = target->kernel(n);
      auto whole = batch.run(kernel);
      for (int64_t workers : {2, 3, 7}) {
        auto shared = batch.run(kernel, workers);
        EXPECT_TRUE(sameBits(whole.data(), shared.data(), whole.size())) << target->names[n];
      }
      if (target->partialBytes[n]) {
        auto split = batch.runSplit(target->split(n), target->merge(n), target->partialBytes[n]);
        EXPECT_TRUE(sameBits(whole.data(), split.data(), whole.size())) << target->names[n];
      }
      for (int64_t t = 0; t < batch.tokens(); ++t) {
        Batch alone = batch;
        alone.tokenSequence = {0};
        alone.positions = {batch.positions[t]};
        auto row = batch.table.begin() + batch.tokenSequence[t] * batch.stride;
        alone.table.assign(row, row + batch.positions[t] / alone.c.block + 1);
        auto q = batch.q.begin() + t * alone.c.qRow();
        alone.q.assign(q, q + alone.c.qRow());
        auto result = alone.run(kernel);
        EXPECT_TRUE(sameBits(result.data(), &whole[t * alone.c.resultRow()], result.size()))
            << target->names[n] << " token " << t;
      }
    }
  }
}

TEST_F(AttentionKernel, LargeScoresStayFinite) {
  // Far beyond the range of e^x before the maximum is taken away.
  KernelModule kernels("host");
  Case c{2, 1, 16, 16, 16, false};
  auto name = kernels.add(cpu::attentionKernel(kernels.k(), c.spec(kernels.k())));
  kernels.compile();
  Batch batch(c, {90}, {3}, 99);
  for (float &value : batch.q)
    value *= 1000;
  auto result = batch.run(kernels.kernel<Attention>(name));
  for (float value : result)
    EXPECT_LT(std::abs(value), 10);
}

TEST_F(AttentionKernel, InnerLoopsKeepToRegisters) {
  // How LLVM schedules for other CPUs may cost a register: the two loops need all sixteen.
  Target zen3 = Target::named("x86-64-v3").value();
  zen3.tuneCpu = "znver3";
  KernelModule kernels(zen3);
  for (int64_t block : {16, 32}) {
    Case c{9, 3, 64, 64, block};
    kernels.add(cpu::attentionKernel(kernels.k(), c.spec(kernels.k())));
  }
  // Basic blocks with many products are the inner loops: two a kernel, with no vector on the stack.
  int loops = 0;
  std::istringstream lines(kernels.assembly());
  std::string line, block;
  auto endBlock = [&] {
    size_t products = 0;
    for (size_t at = 0; (at = block.find("vfmadd", at)) != std::string::npos; ++at)
      ++products;
    if (products == 48) {
      ++loops;
      EXPECT_EQ(block.find("vmovaps"), std::string::npos) << block;
      EXPECT_EQ(block.find("(%rsp), %ymm"), std::string::npos) << block;
      EXPECT_EQ(block.find("(%rbp), %ymm"), std::string::npos) << block;
    }
    block.clear();
  };
  while (std::getline(lines, line)) {
    if (line.starts_with(".LBB"))
      endBlock();
    block += line + "\n";
    if (line.starts_with("\tj"))
      endBlock();
  }
  EXPECT_EQ(loops, 4);
}

TEST_F(AttentionKernel, CompilesForEveryKnownTarget) {
  for (const char *target :
       {"x86-64-v4-vnni", "x86-64-v3", "x86-64", "aarch64", "aarch64-dotprod"}) {
    KernelModule kernels(target);
    for (const Case &c : {cases[0], cases[6]}) {
      auto spec = c.spec(kernels.k());
      kernels.add(cpu::attentionKernel(kernels.k(), spec));
      kernels.add(cpu::kvAppendKernel(kernels.k(), spec.kv, c.qRow() * 4, c.qRow() * 4));
    }
    // Conversions and exponentials are code, not calls.
    const std::string assembly = kernels.assembly();
    EXPECT_EQ(assembly.find("__extendhfsf2"), std::string::npos) << target;
    EXPECT_EQ(assembly.find("expf"), std::string::npos) << target;
  }
}
