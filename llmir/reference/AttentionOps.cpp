// The KV cache's ops. Attention gathers the keys and values of a sequence through the block table,
// one KV head at a time, and then takes every query's softmax in one piece: no blocks, no running
// maximum, nothing to get wrong.
#include "llmir/reference/DotRows.h"
#include "llmir/reference/Machine.h"
#include "llmir/reference/Parallel.h"

#include <cmath>

namespace llmir::reference {

static Status checkLayer(mlir::Operation *op, int64_t layer, const KvCache &kv) {
  if (layer < 0 || layer >= kv.getType().getLayers())
    return failAt(op, "layer {} of a cache of {} layers", layer, kv.getType().getLayers());
  return {};
}

static Status kvAppend(llm::KvAppendOp op, Frame &frame) {
  KvCache &kv = frame.kv(op.getKv());
  const Tensor &k = frame.tensor(op.getK()), &v = frame.tensor(op.getV());
  const Batch &batch = frame.batch(op.getBatch());
  int64_t layer = frame.index(op.getLayer());
  for (Status status : {checkLayer(op, layer, kv), checkRows(op, k.rows(), batch.numTokens()),
                        checkRows(op, v.rows(), batch.numTokens())})
    if (!status)
      return status;
  for (int64_t t = 0; t < batch.numTokens(); ++t)
    kv.append(layer, batch.slotMapping[t], std::span(k.row(t), k.columns()),
              std::span(v.row(t), v.columns()));
  frame.set(op.getResult(), &kv);
  return {};
}

namespace {
/// One sequence's keys and values of one KV head, positions first to first + length.
struct HeadCache {
  int64_t first, length;
  std::vector<double> keys; ///< [length][k_dim]
  std::vector<double>
      values; ///< [v_dim][length]: transposed, so that the weighted sum is a dot product too
};

/// What a query of the step asks of its head.
struct Rule {
  double scale;
  std::optional<double> softcap;
  std::optional<int64_t> window;

  int64_t firstVisible(int64_t position) const {
    return window ? std::max<int64_t>(0, position - *window + 1) : 0;
  }
};
} // namespace

/// The slots of positions first to last of a sequence.
static Expected<std::vector<int64_t>> findSlots(const Batch &batch, int64_t sequence, int64_t first,
                                                int64_t last, const KvCache &kv) {
  int64_t block = kv.getType().getBlock();
  std::vector<int64_t> slots;
  for (int64_t position = first; position <= last; ++position) {
    int64_t entry = batch.blockTable[sequence * batch.blockTableStride + position / block];
    if (entry < 0 || entry >= kv.getBlocks())
      return fail("batch: block_table[{}][{}] is {}, the cache has {} blocks", sequence,
                  position / block, entry, kv.getBlocks());
    slots.push_back(entry * block + position % block);
  }
  return slots;
}

static HeadCache gather(const KvCache &kv, int64_t layer, int64_t head,
                        const std::vector<int64_t> &slots, int64_t first) {
  int64_t kDim = kv.getType().getKDim(), vDim = kv.getType().getVDim();
  auto length = static_cast<int64_t>(slots.size());
  HeadCache cache{first, length, std::vector<double>(length * kDim),
                  std::vector<double>(length * vDim)};
  for (int64_t j = 0; j < length; ++j) {
    auto k = kv.keys(layer, slots[j]).subspan(head * kDim, kDim);
    auto v = kv.values(layer, slots[j]).subspan(head * vDim, vDim);
    std::copy(k.begin(), k.end(), cache.keys.begin() + j * kDim);
    for (int64_t d = 0; d < vDim; ++d)
      cache.values[d * length + j] = v[d];
  }
  return cache;
}

/// One query head's result [v_dim] at a position.
static void attend(const Rule &rule, const HeadCache &cache, int64_t position, const float *q,
                   int64_t kDim, float *result, int64_t vDim) {
  int64_t first = rule.firstVisible(position) - cache.first;
  int64_t count = position - cache.first - first + 1;
  std::vector<double> query(q, q + kDim), scores(count), sums(vDim);
  dotRows(query.data(), cache.keys.data() + first * kDim, kDim, count, kDim, scores.data());
  double largest = -INFINITY, total = 0;
  for (double &score : scores) {
    score *= rule.scale;
    if (rule.softcap)
      score = *rule.softcap * std::tanh(score / *rule.softcap);
    largest = std::max(largest, score);
  }
  for (double &score : scores)
    total += score = std::exp(score - largest);
  dotRows(scores.data(), cache.values.data() + first, cache.length, vDim, count, sums.data());
  for (int64_t d = 0; d < vDim; ++d)
    result[d] = static_cast<float>(sums[d] / total);
}

/// What all forms of attention have, but for windows that differ by layer.
template <typename OpT> static Rule ruleOf(OpT op) {
  Rule rule{op.getScale().convertToDouble(), {}, {}};
  if (op.getSoftcap())
    rule.softcap = op.getSoftcap()->convertToDouble();
  if (op.getWindow())
    rule.window = *op.getWindow();
  return rule;
}

static Status attention(llm::AttentionOp op, Frame &frame) {
  const KvCache &kv = frame.kv(op.getKv());
  const Tensor &q = frame.tensor(op.getQ());
  const Batch &batch = frame.batch(op.getBatch());
  int64_t layer = frame.index(op.getLayer());
  for (Status status : {checkLayer(op, layer, kv), checkRows(op, q.rows(), batch.numTokens())})
    if (!status)
      return status;
  Rule rule = ruleOf(op);
  if (op.getWindows() && (*op.getWindows())[layer] > 0)
    rule.window = (*op.getWindows())[layer];

  int64_t heads = kv.getType().getHeads(), group = op.getQueryHeads() / heads;
  int64_t kDim = kv.getType().getKDim(), vDim = kv.getType().getVDim();
  Tensor result = makeTensor(q.rows(), op.getQueryHeads() * vDim);
  for (int64_t s = 0; s < batch.numSequences(); ++s) {
    int64_t begin = batch.queryStarts[s], end = batch.queryStarts[s + 1];
    if (begin == end)
      continue;
    auto [low, high] =
        std::minmax_element(batch.positions.begin() + begin, batch.positions.begin() + end);
    int64_t first = rule.firstVisible(*low);
    auto slots = findSlots(batch, s, first, *high, kv);
    if (!slots)
      return forward(slots, where(op));
    for (int64_t head = 0; head < heads; ++head) {
      HeadCache cache = gather(kv, layer, head, *slots, first);
      parallelFor(frame.machine.getThreads(), (end - begin) * group, [&](int64_t task) {
        int64_t t = begin + task / group, queryHead = head * group + task % group;
        attend(rule, cache, batch.positions[t], q.row(t) + queryHead * kDim, kDim,
               result.row(t) + queryHead * vDim, vDim);
      });
    }
  }
  frame.set(op.getResult(), std::move(result));
  return {};
}

/// One sequence's keys and values of one KV head, from the step's rows begin to end.
static HeadCache gather(const Tensor &k, const Tensor &v, int64_t heads, int64_t head,
                        int64_t begin, int64_t end) {
  const int64_t kDim = k.columns() / heads, vDim = v.columns() / heads, length = end - begin;
  HeadCache cache{0, length, std::vector<double>(length * kDim),
                  std::vector<double>(length * vDim)};
  for (int64_t j = 0; j < length; ++j) {
    std::copy_n(k.row(begin + j) + head * kDim, kDim, cache.keys.begin() + j * kDim);
    for (int64_t d = 0; d < vDim; ++d)
      cache.values[d * length + j] = v.row(begin + j)[head * vDim + d];
  }
  return cache;
}

static Status denseAttention(llm::DenseAttentionOp op, Frame &frame) {
  const Tensor &q = frame.tensor(op.getQ()), &k = frame.tensor(op.getK()),
               &v = frame.tensor(op.getV());
  const Batch &batch = frame.batch(op.getBatch());
  for (const Tensor *rows : {&q, &k, &v})
    if (Status status = checkRows(op, rows->rows(), batch.numTokens()); !status)
      return status;
  const Rule rule = ruleOf(op);
  const auto heads = static_cast<int64_t>(op.getHeads());
  const int64_t kDim = k.columns() / heads, vDim = v.columns() / heads,
                group = q.columns() / k.columns();
  Tensor result = makeTensor(q.rows(), op.getType().getDimSize(1));
  for (int64_t s = 0; s < batch.numSequences(); ++s) {
    const int64_t begin = batch.queryStarts[s], end = batch.queryStarts[s + 1];
    for (int64_t head = 0; head < heads && begin < end; ++head) {
      // Positions ascend by one within a sequence, so the step's first one stands for 0.
      const HeadCache cache = gather(k, v, heads, head, begin, end);
      parallelFor(frame.machine.getThreads(), (end - begin) * group, [&](int64_t task) {
        const int64_t t = begin + task / group, queryHead = head * group + task % group;
        attend(rule, cache, t - begin, q.row(t) + queryHead * kDim, kDim,
               result.row(t) + queryHead * vDim, vDim);
      });
    }
  }
  frame.set(op.getResult(), std::move(result));
  return {};
}

void registerAttentionOps(OpTable &table) {
  table.add(denseAttention);
  table.add(kvAppend);
  table.add(attention);
}

} // namespace llmir::reference
