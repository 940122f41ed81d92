// The table of names, and the shapes that a configuration gives them.
#include "llmir/formats/huggingface/Weights.h"

#include "llmir/support/Shown.h"
#include <algorithm>
#include <fmt/ranges.h>
#include <set>

namespace llmir::huggingface {

namespace {

/// A tensor that a model must have. Names of layers' tensors are the part behind the layer.
struct Wanted {
  std::string name, gguf; ///< of experts, the name of one with {} for its number
  std::vector<int64_t> shape;
  int64_t halvedHeads = 0;
  int64_t experts = 0;    ///< tensors of this shape that are one in GGUF
  bool isLessOne = false; ///< a norm whose numbers GGUF has plus 1
};

/// A linear layer: its weight, and its bias if it has one.
void addLinear(std::vector<Wanted> &list, const std::string &name, const std::string &gguf,
               int64_t rows, int64_t columns, bool hasBias, int64_t halvedHeads = 0) {
  list.push_back({name + ".weight", gguf + ".weight", {rows, columns}, halvedHeads});
  if (hasBias)
    list.push_back({name + ".bias", gguf + ".bias", {rows}, halvedHeads});
}

void addNorm(std::vector<Wanted> &list, const std::string &name, const std::string &gguf,
             int64_t size, const ModelConfig &config) {
  list.push_back({name + ".weight", gguf + ".weight", {size}, 0, 0, config.family->normsLessOne});
}

std::vector<Wanted> layerTensors(const ModelConfig &c) {
  const int64_t q = c.heads * c.headSize, k = c.kvHeads * c.headSize;
  const bool halves = c.family->interleavesHeads;
  std::vector<Wanted> list;
  const bool isBehind = c.family->postNorms;
  addNorm(list, "input_layernorm", "attn_norm", c.embedding, c);
  addNorm(list, "post_attention_layernorm", isBehind ? "post_attention_norm" : "ffn_norm",
          c.embedding, c);
  if (isBehind) {
    addNorm(list, "pre_feedforward_layernorm", "ffn_norm", c.embedding, c);
    addNorm(list, "post_feedforward_layernorm", "post_ffw_norm", c.embedding, c);
  }
  addLinear(list, "self_attn.q_proj", "attn_q", q, c.embedding, c.qkvBias, halves ? c.heads : 0);
  addLinear(list, "self_attn.k_proj", "attn_k", k, c.embedding, c.qkvBias, halves ? c.kvHeads : 0);
  addLinear(list, "self_attn.v_proj", "attn_v", k, c.embedding, c.qkvBias);
  addLinear(list, "self_attn.o_proj", "attn_output", c.embedding, q, c.outputBias);
  if (c.family->headNorms) {
    addNorm(list, "self_attn.q_norm", "attn_q_norm", c.headSize, c);
    addNorm(list, "self_attn.k_norm", "attn_k_norm", c.headSize, c);
  }
  if (!c.experts) {
    addLinear(list, "mlp.gate_proj", "ffn_gate", c.feedForward, c.embedding, c.mlpBias);
    addLinear(list, "mlp.up_proj", "ffn_up", c.feedForward, c.embedding, c.mlpBias);
    addLinear(list, "mlp.down_proj", "ffn_down", c.embedding, c.feedForward, c.mlpBias);
    return list;
  }
  const int64_t n = c.experts->count, inner = c.experts->feedForward;
  addLinear(list, "mlp.gate", "ffn_gate_inp", n, c.embedding, false);
  auto addExperts = [&](const std::string &name, const char *gguf, int64_t rows, int64_t columns) {
    list.push_back({"mlp.experts.{}." + name, gguf, {rows, columns}, 0, n});
  };
  addExperts("gate_proj.weight", "ffn_gate_exps.weight", inner, c.embedding);
  addExperts("up_proj.weight", "ffn_up_exps.weight", inner, c.embedding);
  addExperts("down_proj.weight", "ffn_down_exps.weight", c.embedding, inner);
  return list;
}

std::vector<Wanted> modelTensors(const ModelConfig &c) {
  std::vector<Wanted> list = {
      {"model.embed_tokens.weight", "token_embd.weight", {c.vocabulary, c.embedding}}};
  addNorm(list, "model.norm", "output_norm", c.embedding, c);
  if (!c.isTied)
    list.push_back({"lm_head.weight", "output.weight", {c.vocabulary, c.embedding}});
  return list;
}

/// Tensors that files have although nothing is to be learnt from them.
bool isRedundant(std::string_view name, const ModelConfig &config) {
  return name.ends_with(".rotary_emb.inv_freq") || (config.isTied && name == "lm_head.weight");
}

class Placement {
public:
  Placement(const ModelFolder &folder, Weights &weights) : folder(folder), weights(weights) {}

  GgufParts parts;
  std::set<std::string_view> used;

  Status place(const Wanted &wanted) {
    GgufTensor tensor{.name = keep(wanted.gguf), .format = Format::F32, .shape = wanted.shape};
    tensor.origin = keep(wanted.name);
    if (!wanted.experts) {
      auto found = find(tensor.origin, wanted.shape);
      if (!found)
        return forward(found);
      tensor.format = *(*found)->tensor.type->format;
      tensor.offset = (*found)->tensor.offset;
      tensor.bytes = (*found)->tensor.bytes;
      tensor.halvedHeads = wanted.halvedHeads;
      if (wanted.isLessOne)
        addOne(tensor);
    }
    for (int64_t expert = 0; expert < wanted.experts; ++expert) {
      auto found = find(fmt::format(fmt::runtime(wanted.name), expert), wanted.shape);
      if (!found)
        return forward(found);
      const SafetensorsTensor &one = (*found)->tensor;
      if (expert && tensor.format != *one.type->format)
        return fail("{}: tensor {} has the dtype {}, the experts before it {}: they must be alike",
                    path(**found), shown(one.name), one.type->name, formatInfo(tensor.format).name);
      tensor.format = *one.type->format;
      tensor.matrices.push_back(one.bytes);
    }
    if (wanted.experts)
      tensor.shape.insert(tensor.shape.begin(), wanted.experts);
    parts.tensors.push_back(std::move(tensor));
    return {};
  }

  void placeRope() {
    if (weights.rope.empty())
      return;
    const auto *data = reinterpret_cast<const uint8_t *>(weights.rope.data());
    parts.tensors.push_back({.name = "rope_freqs.weight",
                             .format = Format::F32,
                             .shape = {int64_t(weights.rope.size())},
                             .bytes = {data, weights.rope.size() * sizeof(float)}});
  }

private:
  /// A norm as GGUF has it, the factor itself: few numbers, so that they may be copied here.
  void addOne(GgufTensor &tensor) {
    std::vector<float> &values = weights.norms.emplace_back(tensor.shape[0]);
    dequantize(tensor.format, tensor.bytes.data(), values.data(), tensor.shape[0]);
    for (float &value : values)
      value += 1;
    tensor.format = Format::F32;
    tensor.bytes = {reinterpret_cast<const uint8_t *>(values.data()),
                    values.size() * sizeof(float)};
  }
  std::string_view keep(const std::string &name) { return weights.names.emplace_back(name); }
  const std::string &path(const WeightFiles::Place &place) const {
    return weights.files.files()[place.file].path();
  }

  Expected<const WeightFiles::Place *> find(std::string_view name,
                                            const std::vector<int64_t> &shape) {
    const WeightFiles::Place *found = weights.files.find(name);
    if (!found)
      return fail("{}: tensor {}, which config.json asks for, is in none of its safetensors files: "
                  "fetch the model again",
                  folder.path, name);
    const SafetensorsTensor &tensor = found->tensor;
    if (tensor.shape != shape)
      return fail("{}: tensor {} has the shape [{}], config.json asks for [{}]: fetch the model "
                  "again",
                  path(*found), name, fmt::join(tensor.shape, ", "), fmt::join(shape, ", "));
    const auto format = tensor.type->format;
    if (format != Format::F32 && format != Format::F16 && format != Format::BF16)
      return fail("{}: tensor {} has the dtype {}, which is not supported yet; F32, F16 and BF16 "
                  "are: take the model in one of them, or a GGUF file of it",
                  path(*found), name, tensor.type->name);
    used.insert(tensor.name);
    return found;
  }

  const ModelFolder &folder;
  Weights &weights;
};

} // namespace

Expected<GgufParts> placeWeights(const ModelFolder &folder, const ModelConfig &config,
                                 Weights &weights) {
  Placement placement(folder, weights);
  for (const Wanted &wanted : modelTensors(config))
    if (Status status = placement.place(wanted); !status)
      return forward(status);
  const std::vector<Wanted> ofLayer = layerTensors(config);
  for (int64_t layer = 0; layer < config.layers; ++layer)
    for (Wanted wanted : ofLayer) {
      wanted.name = fmt::format("model.layers.{}.{}", layer, wanted.name);
      wanted.gguf = fmt::format("blk.{}.{}", layer, wanted.gguf);
      if (Status status = placement.place(wanted); !status)
        return forward(status);
    }
  weights.rope = frequencyFactors(config.rope, config.headSize);
  placement.placeRope();
  for (const auto &[name, place] : weights.files.all())
    if (!placement.used.contains(name) && !isRedundant(name, config))
      placement.parts.ignored.emplace_back(shown(name));
  std::ranges::sort(placement.parts.ignored);
  return std::move(placement.parts);
}

} // namespace llmir::huggingface
