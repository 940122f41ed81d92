// Writes models of one kernel.
#include "KernelModel.h"

#include <cmath>
#include <cstring>
#include <fmt/format.h>

namespace llmir::conformance {

std::string KernelModel::input(int64_t columns, float deviation) {
  Weight table = declare("table", Format::F32, {tokens, columns}, {}, 0, deviation);
  auto *numbers = reinterpret_cast<float *>(model.tensors.at(table.symbol).bytes.data());
  std::fill_n(numbers, columns, 3.5f * deviation);
  std::fill_n(numbers + columns, columns, 0.0f);
  std::string ids = emit("llm.batch.tokens %batch : (!batch) -> tensor<?xi32>");
  std::string value = get(table);
  return emit(fmt::format("llm.embed {}, {} : (tensor<?xi32>, {}) -> {}", ids, value, table.type,
                          act(columns)));
}

std::string KernelModel::rows(const std::string &x, int64_t columns) {
  return emit(
      fmt::format("llm.logit_rows {}, %batch : ({}, !batch) -> {}", x, act(columns), act(columns)));
}

std::string KernelModel::positions() {
  return emit("llm.batch.positions %batch : (!batch) -> tensor<?xi32>");
}

std::string KernelModel::linear(const std::string &x, int64_t k, int64_t n, Format format,
                                bool bias) {
  Weight w = declare("weight", format, {n, k}, {}, 0, 1 / std::sqrt(static_cast<float>(k)));
  Weight b = bias ? declare("bias", Format::F32, {n}, {}, 0, 0.3f) : Weight();
  std::string weight = get(w), added = bias ? " bias " + get(b) : "";
  return emit(fmt::format("llm.linear {}, {}{} : ({}, {}{}) -> {}", x, weight, added, act(k),
                          w.type, bias ? ", " + b.type : "", act(n)));
}

test::TestModel KernelModel::finish(const std::string &result, int64_t columns,
                                    const std::string &kv) {
  model.vocabulary = columns;
  model.ir =
      fmt::format("!kv = !llm.kv<layers = {}, heads = {}, k_dim = {}, v_dim = {}, block = {}, "
                  "element = {}>\n"
                  "!batch = !llm.batch<mixed>\n"
                  "llm.model @kernel attributes {{vocabulary = {} : i64, context_length = 512 : "
                  "i64}} {{\n{}"
                  "  func.func @step(%batch: !batch, %kv: !kv) -> ({}, !kv) {{\n{}"
                  "    return {}, {} : {}, !kv\n  }}\n}}\n",
                  kvLayers, kvHeads, kDim, vDim, block, kvElement, columns, weights, act(columns),
                  body, result, kv, act(columns));
  return std::move(model);
}

} // namespace llmir::conformance
