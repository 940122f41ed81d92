// Storing into the cache and attention over it: head sizes, query heads of a KV head, windows, soft
// caps, element types, block sizes; contexts over borders of blocks and in splits.
#include "Case.h"
#include "KernelModel.h"

#include <cmath>
#include <fmt/format.h>

namespace llmir::conformance {

namespace {

struct Shape {
  int64_t heads, ratio, kDim, vDim, block;
  const char *element;
  std::string options; ///< ", softcap = 5.0 : f64"
  std::string note;    ///< for the name
};

test::TestModel makeAttention(const Shape &s) {
  KernelModel m(s.kDim * 100 + s.vDim);
  m.kvHeads = s.heads, m.kDim = s.kDim, m.vDim = s.vDim, m.block = s.block;
  m.kvElement = s.element;
  const int64_t q = s.heads * s.ratio * s.kDim, k = s.heads * s.kDim, v = s.heads * s.vDim,
                o = s.heads * s.ratio * s.vDim;
  std::string query = m.input(q), key = m.input(k), value = m.input(v);
  m.body += "    %layer = arith.constant 0 : index\n";
  m.body += fmt::format("    %kv1 = llm.kv_append %kv[%layer], {}, {}, %batch : !kv, {}, {}, "
                        "!batch\n",
                        key, value, KernelModel::act(k), KernelModel::act(v));
  std::string result = m.emit(
      fmt::format("llm.attention {}, %kv1[%layer], %batch {{scale = {} : f64{}}} : ({}, !kv, "
                  "!batch) -> {}",
                  query, 1 / std::sqrt(static_cast<double>(s.kDim)), s.options, KernelModel::act(q),
                  KernelModel::act(o)));
  return m.finish(m.rows(result, o), o, "%kv1");
}

void add(std::vector<Case> &cases, const Shape &s, bool isLong) {
  cases.push_back({fmt::format("attention/{}/{}x{}/{}:{}/block{}{}/{}", s.element, s.heads, s.ratio,
                               s.kDim, s.vDim, s.block, s.note, isLong ? "long" : "mixed"),
                   [=] { return makeAttention(s); }, isLong ? longSteps() : mixedSteps(), 2e-5,
                   Products::Float});
}

} // namespace

void addAttentionCases(std::vector<Case> &cases) {
  std::vector<Shape> shapes;
  for (const char *element : {"f16", "f32"}) {
    for (int64_t ratio = 1; ratio <= 8; ++ratio)
      shapes.push_back({2, ratio, 16, 16, 16, element, "", ""});
    for (int64_t dim : {8, 24, 40, 56, 64, 72, 128, 256})
      shapes.push_back({1, 3, dim, dim, 32, element, "", ""});
    for (auto [kDim, vDim] : {std::pair{20, 12}, {48, 24}, {192, 128}})
      shapes.push_back({1, 2, kDim, vDim, 16, element, "", ""});
    for (int64_t block : {8, 64})
      shapes.push_back({3, 2, 32, 32, block, element, "", ""});
    for (int window : {1, 3, 17, 130})
      shapes.push_back({2, 2, 32, 32, 16, element, fmt::format(", window = {} : i64", window),
                        fmt::format("/window{}", window)});
    shapes.push_back({2, 2, 32, 32, 16, element, ", softcap = 2.0 : f64", "/softcap"});
    shapes.push_back({1, 5, 24, 24, 8, element, ", window = 33 : i64, softcap = 2.0 : f64",
                      "/window33+softcap"});
    shapes.push_back({2, 2, 32, 32, 16, element, ", windows = array<i64: 9>", "/windows"});
  }
  for (const Shape &shape : shapes)
    for (bool isLong : {false, true})
      add(cases, shape, isLong);
}

} // namespace llmir::conformance
