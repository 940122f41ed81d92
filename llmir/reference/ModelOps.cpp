// Weights, fields of the batch, rows: the ops that fetch.
#include "llmir/reference/Machine.h"

#include <algorithm>

namespace llmir::reference {

static Status getWeight(llm::GetWeightOp op, Frame &frame) {
  auto symbol = frame.machine.lookup<llm::WeightOp>(op.getWeightAttr());
  auto weight = frame.machine.getWeight(symbol, op.getLayer() ? frame.index(op.getLayer()) : 0);
  if (!weight)
    return forward(weight, where(op));
  frame.set(op.getResult(), *weight);
  return {};
}

static Tensor intTensor(const std::vector<int32_t> &ints) {
  Tensor tensor{{static_cast<int64_t>(ints.size())}, Format::I32};
  tensor.ints = ints;
  return tensor;
}

static Status batchTokens(llm::BatchTokensOp op, Frame &frame) {
  frame.set(op.getResult(), intTensor(frame.batch(op.getBatch()).tokens));
  return {};
}

static Status batchPositions(llm::BatchPositionsOp op, Frame &frame) {
  frame.set(op.getResult(), intTensor(frame.batch(op.getBatch()).positions));
  return {};
}

static Status logitRows(llm::LogitRowsOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX());
  const Batch &batch = frame.batch(op.getBatch());
  if (Status status = checkRows(op, x.rows(), batch.numTokens()); !status)
    return status;
  Tensor result = makeTensor(static_cast<int64_t>(batch.logitRows.size()), x.columns());
  for (int64_t r = 0; r < result.rows(); ++r)
    std::copy_n(x.row(batch.logitRows[r]), x.columns(), result.row(r));
  frame.set(op.getResult(), std::move(result));
  return {};
}

static Status embed(llm::EmbedOp op, Frame &frame) {
  const Tensor &tokens = frame.tensor(op.getTokens());
  const Weight &table = frame.weight(op.getTable());
  Tensor result = makeTensor(tokens.rows(), table.columns);
  for (int64_t t = 0; t < result.rows(); ++t) {
    int32_t token = tokens.ints[t];
    if (token < 0 || token >= table.rows)
      return failAt(op, "token {} is {}, the table has {} rows", t, token, table.rows);
    table.readRow(token, result.row(t));
  }
  frame.set(op.getResult(), std::move(result));
  return {};
}

void registerModelOps(OpTable &table) {
  table.add(getWeight);
  table.add(batchTokens);
  table.add(batchPositions);
  table.add(logitRows);
  table.add(embed);
}

} // namespace llmir::reference
