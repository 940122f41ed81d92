// The generator of random models: writes llm IR as text, op by op, and invents the weights it
// names.
#include "RandomModel.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace llmir::test {

namespace {

class Generator : ModelWriter {
public:
  explicit Generator(uint64_t seed) : ModelWriter(seed) {}

  RandomModel run() {
    chooseSizes();
    chooseFormats();
    std::string functions, calls;
    int64_t kinds = pick({1, 1, 1, 2});
    for (int64_t kind = 0; kind < kinds; ++kind)
      functions += layerFunction(kind, kinds);
    for (int64_t layer = 0; layer < layers; ++layer)
      calls += fmt::format("    %l{0} = arith.constant {0} : index\n"
                           "    %x{1}, %kv{1} = func.call @layer.{2}(%x{0}, %batch, %kv{0}, %l{0}) "
                           ": ({3}, !batch, !kv, index) -> ({3}, !kv)\n",
                           layer, layer + 1, layer % kinds, act(hidden));
    std::string step = stepFunction(calls);
    model.ir = fmt::format(
        "!kv = !llm.kv<layers = {}, heads = {}, k_dim = {}, v_dim = {}, block = {}, element = {}>\n"
        "!batch = !llm.batch<mixed>\n"
        "llm.model @random attributes {{vocabulary = {} : i64, context_length = 512 : i64}} "
        "{{\n{}{}{}}}\n",
        layers, kvHeads, kDim, vDim, pick({8, 16, 32}), chance(0.5) ? "f16" : "f32",
        model.vocabulary, weights, functions, step);
    return std::move(model);
  }

private:
  int64_t hidden = 0, inner = 0, layers = 0, kvHeads = 0, queryHeads = 0, kDim = 0, vDim = 0;
  Format floats = {}, flat = {}, super = {};
  double superShare = 0, flatShare = 0;

  bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(random) < p; }
  template <typename T = int64_t> T pick(std::initializer_list<T> choices) {
    return choices.begin()[random() % choices.size()];
  }

  void chooseSizes() {
    layers = pick({1, 2, 3});
    kvHeads = pick({1, 2, 3});
    queryHeads = kvHeads * pick({1, 2, 3, 4, 7});
    kDim = pick({8, 16, 20, 32, 48, 64});
    vDim = chance(0.8) ? kDim : pick({8, 12, 24, 40});
    hidden = pick({32, 64, 96, 256, 256, 30, 37, 100});
    inner = pick({64, 256, 256, 512, 50, 77});
    // As in real models, columns of one number are frequent: such products share a kernel, and what
    // this test takes is the time that kernels take to compile.
    if (hidden != 256 && chance(0.6) && queryHeads * vDim <= 256)
      hidden = queryHeads * vDim;
    if (chance(0.6))
      inner = hidden;
    model.vocabulary = pick({50, 64, 101, 256});
  }

  /// A model's weights have at most one format of each kind: as in real models, matrices of one
  /// shape then share a kernel.
  void chooseFormats() {
    floats = pick({Format::F32, Format::F16, Format::BF16});
    flat = pick({Format::Q4_0, Format::Q4_1, Format::Q5_0, Format::Q5_1, Format::Q8_0});
    super = pick({Format::Q2_K, Format::Q3_K, Format::Q4_K, Format::Q5_K, Format::Q6_K});
    bool mixed = chance(0.5); // whether matrices of equal columns differ in their formats
    superShare = mixed ? 0.6 : pick<double>({0, 1, 1, 1});
    flatShare = mixed ? 0.7 : pick<double>({0, 1, 1});
  }

  /// A storage format for rows of k elements.
  Format formatFor(int64_t k) {
    if (k % 256 == 0 && chance(superShare))
      return super;
    return k % 32 == 0 && chance(flatShare) ? flat : floats;
  }

  /// Declares a weight of a format that fits its rows.
  Weight declare(const char *prefix, std::vector<int64_t> shape,
                 const std::vector<int64_t> &ofLayers, float mean, float deviation) {
    Format format =
        shape.size() > 1 ? formatFor(shape.back()) : (chance(0.8) ? Format::F32 : Format::F16);
    return ModelWriter::declare(prefix, format, std::move(shape), ofLayers, mean, deviation);
  }

  std::string norm(const std::string &x, int64_t columns, int64_t group) {
    Weight w = declare("norm", {group}, here, 1, 0.2f);
    std::string weight = get(w);
    if (group == columns && chance(0.3)) {
      bool bias = chance(0.5);
      Weight b = bias ? declare("norm_bias", {columns}, here, 0, 0.2f) : Weight();
      return emit(fmt::format("llm.layer_norm {}, {}{} {{eps = 1.0e-05 : f64}} : {}, {}{}", x,
                              weight, bias ? " bias " + get(b) : "", act(columns), w.type,
                              bias ? ", " + b.type : ""));
    }
    return emit(fmt::format("llm.rms_norm {}, {} {{eps = 1.0e-06 : f64}} : {}, {}", x, weight,
                            act(columns), w.type));
  }

  std::string linear(const std::string &x, int64_t k, int64_t n) {
    Weight w = declare("weight", {n, k}, here, 0, 1.0f / std::sqrt(static_cast<float>(k)));
    std::string weight = get(w);
    bool bias = chance(0.3);
    Weight b = bias ? declare("bias", {n}, here, 0, 0.3f) : Weight();
    return emit(fmt::format("llm.linear {}, {}{} : ({}, {}{}) -> {}", x, weight,
                            bias ? " bias " + get(b) : "", act(k), w.type,
                            bias ? ", " + b.type : "", act(n)));
  }

  const char *activation() {
    static const char *names[] = {"silu", "gelu", "gelu_tanh", "relu"};
    return names[random() % 4];
  }

  std::string rope(const std::string &x, int64_t columns, const std::string &rotations) {
    bool ofLayer = rotations.starts_with('[');
    return emit(fmt::format(
        "llm.rope {}, %positions{} {{head_dim = {} : i64, {} = {}}} : {}, tensor<?xi32>", x,
        ofLayer ? "[%layer]" : "", kDim, ofLayer ? "ropes" : "rope", rotations, act(columns)));
  }

  /// One rotation for all layers, or a list of one for each.
  std::string rotations() {
    int64_t dim = chance(0.7) ? kDim : kDim / 4 * 2;
    const char *style = chance(0.5) ? "interleaved" : "half";
    auto rotation = [&] {
      std::string factors;
      for (int64_t i = 0, offset = pick({0, 1}); i < dim / 2; ++i)
        factors += fmt::format("{}{}.0", i ? ", " : "", 1 + (i + offset) % 3);
      return fmt::format("#llm.rope<style = {}, dim = {}, theta = {} : f64, magnitude = {} : f64, "
                         "factors = [{}]>",
                         style, dim, chance(0.5) ? "1.0e+04" : "1.0e+06",
                         chance(0.8) ? "1.0" : "1.25", chance(0.5) ? factors : "");
    };
    if (chance(0.7))
      return rotation();
    std::string list;
    for (int64_t layer = 0; layer < layers; ++layer)
      list += (layer ? ", " : "") + rotation();
    return "[" + list + "]";
  }

  std::string attention(const std::string &x) {
    int64_t q = queryHeads * kDim, k = kvHeads * kDim, v = kvHeads * vDim, o = queryHeads * vDim;
    std::string qv = linear(x, hidden, q), kv = linear(x, hidden, k), vv = linear(x, hidden, v);
    if (chance(0.3)) {
      qv = norm(qv, q, kDim);
      kv = norm(kv, k, kDim);
    }
    if (chance(0.85)) {
      std::string chosen = rotations();
      qv = rope(qv, q, chosen);
      kv = rope(kv, k, chosen);
    }
    body += fmt::format(
        "    %kv_after = llm.kv_append %kv[%layer], {}, {}, %batch : !kv, {}, {}, !batch\n", kv, vv,
        act(k), act(v));
    std::string options = fmt::format("scale = {} : f64", 1 / std::sqrt(static_cast<double>(kDim)));
    if (chance(0.3)) {
      options += fmt::format(", window = {} : i64", pick({1, 3, 8, 17}));
    } else if (chance(0.3)) {
      std::vector<int64_t> windows;
      for (int64_t layer = 0; layer < layers; ++layer)
        windows.push_back(pick({0, 1, 3, 8, 17}));
      options += fmt::format(", windows = array<i64: {}>", fmt::join(windows, ", "));
    }
    if (chance(0.2))
      options += ", softcap = 5.0 : f64";
    std::string result = emit(
        fmt::format("llm.attention {}, %kv_after[%layer], %batch {{{}}} : ({}, !kv, !batch) -> {}",
                    qv, options, act(q), act(o)));
    return linear(result, o, hidden);
  }

  std::string mlp(const std::string &x) {
    if (chance(0.25))
      return mixture(x);
    std::string up = linear(x, hidden, inner), result;
    if (chance(0.7))
      result = emit(fmt::format("llm.glu {} {}, {} : {}", activation(), linear(x, hidden, inner),
                                up, act(inner)));
    else
      result = emit(fmt::format("llm.activate {} {} : {}", activation(), up, act(inner)));
    return linear(result, inner, hidden);
  }

  /// Logits that choose the same experts in the interpreter and in compiled code: numbers at least
  /// 2 apart that belong to the token's id, moved by less than 1 by what the router sees. Experts
  /// that are nearly equal would be told apart by the rounding of the layers before.
  std::string router(const std::string &x, int64_t experts) {
    Weight table{name("router_table"), fmt::format("tensor<{}x{}xf32>", model.vocabulary, experts)};
    weights += fmt::format("  llm.weight @{0} : {1} from \"{0}\"\n", table.symbol, table.type);
    RandomTensor numbers{Format::F32, {model.vocabulary, experts}, {}};
    std::vector<float> row(experts);
    for (int64_t i = 0; i < experts; ++i)
      row[i] = static_cast<float>(2 * i);
    for (int64_t token = 0; token < model.vocabulary; ++token) {
      std::shuffle(row.begin(), row.end(), random);
      auto *bytes = reinterpret_cast<const uint8_t *>(row.data());
      numbers.bytes.insert(numbers.bytes.end(), bytes, bytes + experts * 4);
    }
    model.tensors[table.symbol] = std::move(numbers);
    std::string matrix = "%" + name("w"), tokens = emit("llm.batch.tokens %batch : (!batch) -> "
                                                        "tensor<?xi32>");
    body += fmt::format("    {} = llm.get_weight @{} : {}\n", matrix, table.symbol, table.type);
    std::string chosen = emit(fmt::format("llm.embed {}, {} : (tensor<?xi32>, {}) -> {}", tokens,
                                          matrix, table.type, act(experts)));
    std::string seen =
        emit(fmt::format("llm.softcap {} at 0.9 : {}", linear(x, hidden, experts), act(experts)));
    return emit(fmt::format("arith.addf {}, {} : {}", chosen, seen, act(experts)));
  }

  std::string mixture(const std::string &x) {
    const int64_t experts = pick({1, 2, 5, 8}), top = 1 + random() % std::min<int64_t>(experts, 4);
    std::string logits = router(x, experts);
    const float deviation = 1.0f / std::sqrt(static_cast<float>(hidden));
    Weight gate = declare("gate", {experts, inner, hidden}, here, 0, deviation),
           up = declare("up", {experts, inner, hidden}, here, 0, deviation),
           down = declare("down", {experts, hidden, inner}, here, 0,
                          1.0f / std::sqrt(static_cast<float>(inner)));
    std::string g = get(gate), u = get(up), d = get(down);
    return emit(fmt::format("llm.moe {} {}, {}, {}, {} by {} {} top {} {{{}scale = {} : f64}} : "
                            "({}, {}, {}, {}, {}) -> {}",
                            activation(), x, g, u, d, chance(0.5) ? "softmax" : "sigmoid", logits,
                            top, chance(0.5) ? "renormalise, " : "",
                            pick({1, 2}) == 1 ? "1.0" : "0.5", act(hidden), gate.type, up.type,
                            down.type, act(experts), act(hidden)));
  }

  std::string add(const std::string &x, const std::string &y) {
    return emit(fmt::format("arith.addf {}, {} : {}", x, y, act(hidden)));
  }

  std::string layerFunction(int64_t kind, int64_t kinds) {
    body = "    %positions = llm.batch.positions %batch : (!batch) -> tensor<?xi32>\n";
    here.clear();
    for (int64_t layer = kind; layer < std::max(layers, kind + 1); layer += kinds)
      here.push_back(layer);
    std::string x = "%x", n = chance(0.9) ? norm(x, hidden, hidden) : x, result;
    std::string a = attention(n);
    if (chance(0.2))
      a = norm(a, hidden, hidden);
    if (chance(0.3)) { // a parallel block: attention and MLP read the same
      result = add(add(x, a), mlp(n));
    } else {
      std::string y = add(x, a);
      // Without a norm, gate times up grows with the square of what the layer before gave.
      std::string m = mlp(layers > 1 || chance(0.7) ? norm(y, hidden, hidden) : y);
      if (chance(0.2))
        m = emit(fmt::format("llm.scale {} by 0.5 : {}", m, act(hidden)));
      result = add(y, m);
    }
    return fmt::format("  func.func private @layer.{0}(%x: {1}, %batch: !batch, %kv: !kv, %layer: "
                       "index) -> ({1}, !kv) {{\n{2}"
                       "    return {3}, %kv_after : {1}, !kv\n  }}\n",
                       kind, act(hidden), body, result);
  }

  std::string stepFunction(const std::string &calls) {
    body.clear();
    here.clear();
    Weight table = declare("embedding", {model.vocabulary, hidden}, {}, 0, 1);
    std::string tokens = emit("llm.batch.tokens %batch : (!batch) -> tensor<?xi32>");
    std::string embedding = get(table);
    std::string x = emit(fmt::format("llm.embed {}, {} : (tensor<?xi32>, {}) -> {}", tokens,
                                     embedding, table.type, act(hidden)));
    if (chance(0.3))
      x = emit(fmt::format("llm.scale {} by 1.5 : {}", x, act(hidden)));
    std::string before = body;
    body.clear();
    std::string rows = emit(fmt::format("llm.logit_rows %x{}, %batch : ({}, !batch) -> {}", layers,
                                        act(hidden), act(hidden)));
    if (chance(0.9))
      rows = norm(rows, hidden, hidden);
    std::string logits;
    if (chance(0.4)) // tied
      logits = emit(fmt::format("llm.linear {}, {} : ({}, {}) -> {}", rows, embedding, act(hidden),
                                table.type, act(model.vocabulary)));
    else
      logits = linear(rows, hidden, model.vocabulary);
    if (chance(0.2))
      logits = emit(fmt::format("llm.softcap {} at 8.0 : {}", logits, act(model.vocabulary)));
    std::string first = fmt::format("%x0");
    size_t at;
    while ((at = before.find(x + " ")) != std::string::npos)
      before.replace(at, x.size(), first);
    return fmt::format("  func.func @step(%batch: !batch, %kv0: !kv) -> ({0}, !kv) {{\n{1}{2}{3}   "
                       " return {4}, %kv{5} : {0}, !kv\n  }}\n",
                       act(model.vocabulary), before, calls, body, logits, layers);
  }
};

} // namespace

RandomModel randomModel(uint64_t seed) { return Generator(seed).run(); }

} // namespace llmir::test
