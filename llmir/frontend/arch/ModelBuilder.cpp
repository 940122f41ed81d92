// Configuration, tensors and weight symbols of a GGUF model: all that a file can get wrong is found
// here, before any IR is built from it.
#include "llmir/frontend/arch/ModelBuilder.h"

#include <algorithm>
#include <cassert>
#include <cmath>

using namespace mlir;

namespace llmir::frontend {
namespace {

// Beyond every model there is, and small enough that products stay far from overflow.
constexpr int64_t maxLayers = 4096, maxHeads = 4096, maxWidth = 1 << 20, maxTokens = 1 << 24,
                  maxContext = int64_t(1) << 30;

std::string upper(std::string_view text) { return StringRef(text.data(), text.size()).upper(); }

std::string shapeText(const std::vector<int64_t> &shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::string layerTensorName(int64_t layer, const std::string &name) {
  return fmt::format("blk.{}.{}", layer, name);
}

} // namespace

ModelBuilder::ModelBuilder(const GgufFile &file, const ImportOptions &options, MLIRContext &context,
                           std::string architecture)
    : file(file), options(options), architecture(std::move(architecture)), b(&context),
      loc(b.getUnknownLoc()), module(ModuleOp::create(loc)) {}

Expected<int64_t> ModelBuilder::count(const std::string &key, std::optional<int64_t> absent,
                                      int64_t limit) {
  if (absent && !file.has(key))
    return *absent;
  auto value = file.getU64(key);
  if (!value)
    return forward(value);
  if (*value < 1 || *value > uint64_t(limit))
    return fail("{}: {} is {}, 1 to {} are allowed: convert the model again", file.path(), key,
                *value, limit);
  return int64_t(*value);
}

Status ModelBuilder::readWindows(Hyperparameters &h, int64_t period) {
  h.slides.assign(h.layers, false);
  h.windows.assign(h.layers, 0);
  auto window = file.findU64(key("attention.sliding_window"));
  if (!window)
    return forward(window);
  if (window->value_or(0) == 0)
    return {};
  const std::string pattern = key("attention.sliding_window_pattern");
  if (auto stored = file.value(pattern); stored && stored->isArray) {
    auto slides = file.getBoolArray(pattern);
    if (!slides)
      return forward(slides);
    if (int64_t(slides->size()) != h.layers)
      return fail("{}: {} has {} entries, the model {} layers: convert the model again",
                  file.path(), pattern, slides->size(), h.layers);
    h.slides = std::move(*slides);
  } else {
    auto given = file.findU64(pattern);
    if (!given)
      return forward(given);
    if (*given)
      period = int64_t(std::min<uint64_t>(**given, maxLayers + 1));
    for (int64_t i = 0; i < h.layers; ++i)
      h.slides[i] = period == 0 || i % period < period - 1;
  }
  // A window as long as the context hides nothing.
  if (**window < uint64_t(h.context))
    for (int64_t i = 0; i < h.layers; ++i)
      h.windows[i] = h.slides[i] ? int64_t(**window) : 0;
  return {};
}

Expected<std::optional<double>> ModelBuilder::readSoftcap(std::string_view field,
                                                          std::optional<double> absent) {
  auto stored = file.findF32(key(field));
  if (!stored)
    return forward(stored);
  if (!*stored)
    return absent;
  if (!(**stored >= 0) || !std::isfinite(**stored))
    return fail("{}: {} is {}, it must be positive and finite: convert the model again",
                file.path(), key(field), **stored);
  return **stored == 0 ? std::nullopt : std::optional<double>(**stored);
}

Expected<Hyperparameters> ModelBuilder::readHyperparameters(int64_t windowPeriod) {
  Hyperparameters h{};
  std::optional<Error> error;
  auto read = [&](int64_t &field, std::string_view name, std::optional<int64_t> absent,
                  int64_t limit) {
    auto value = count(key(name), absent, limit);
    if (value)
      field = *value;
    else if (!error)
      error = value.error();
    return !error;
  };
  bool complete = read(h.layers, "block_count", std::nullopt, maxLayers) &&
                  read(h.embedding, "embedding_length", std::nullopt, maxWidth) &&
                  read(h.feedForward, "feed_forward_length", std::nullopt, maxWidth) &&
                  read(h.context, "context_length", std::nullopt, maxContext) &&
                  read(h.heads, "attention.head_count", std::nullopt, maxHeads) &&
                  read(h.kvHeads, "attention.head_count_kv", h.heads, maxHeads);
  if (!complete)
    return tl::unexpected<Error>(*error);
  if (h.heads % h.kvHeads)
    return fail("{}: {} is {}, which is no multiple of {} = {}: convert the model again",
                file.path(), key("attention.head_count"), h.heads, key("attention.head_count_kv"),
                h.kvHeads);
  if (!file.has(key("attention.key_length")) && h.embedding % h.heads)
    return fail("{}: {} is {}, which is no multiple of {} = {}, and there is no {}: convert the "
                "model again",
                file.path(), key("embedding_length"), h.embedding, key("attention.head_count"),
                h.heads, key("attention.key_length"));
  int64_t headSize = std::max<int64_t>(1, h.embedding / h.heads);
  if (!read(h.kDim, "attention.key_length", headSize, maxWidth) ||
      !read(h.vDim, "attention.value_length", headSize, maxWidth))
    return tl::unexpected<Error>(*error);

  auto eps = file.getF32(key("attention.layer_norm_rms_epsilon"));
  if (!eps)
    return forward(eps);
  if (!(*eps > 0) || !std::isfinite(*eps))
    return fail("{}: {} is {}, it must be positive and finite: convert the model again",
                file.path(), key("attention.layer_norm_rms_epsilon"), *eps);
  h.normEps = *eps;
  auto scale = file.findF32(key("attention.scale"));
  if (!scale)
    return forward(scale);
  h.attentionScale = scale->value_or(0) == 0 ? 1 / std::sqrt(double(h.kDim)) : **scale;
  if (!(h.attentionScale > 0) || !std::isfinite(h.attentionScale))
    return fail("{}: {} is {}, it must be positive and finite: convert the model again",
                file.path(), key("attention.scale"), h.attentionScale);
  if (Status status = readWindows(h, windowPeriod); !status)
    return forward(status);

  const GgufTensor *table = file.findTensor("token_embd.weight");
  if (!table)
    return fail("{}: tensor token_embd.weight is missing: convert the model again", file.path());
  if (table->shape.size() != 2 || table->shape[0] > maxTokens)
    return fail("{}: tensor token_embd.weight has the shape {}, it must be [vocabulary, {}] with "
                "at most {} tokens",
                file.path(), shapeText(table->shape), h.embedding, maxTokens);
  h.vocabulary = table->shape[0];
  bool hasTokens = file.has("tokenizer.ggml.tokens");
  if (hasTokens) {
    auto tokens = file.getStringArray("tokenizer.ggml.tokens");
    if (!tokens)
      return forward(tokens);
    if (int64_t(tokens->size()) != h.vocabulary)
      return fail("{}: tokenizer.ggml.tokens has {} tokens, but token_embd.weight has {} rows: "
                  "convert the model again",
                  file.path(), tokens->size(), h.vocabulary);
  } else {
    auto stored = count(key("vocab_size"), h.vocabulary, maxTokens);
    if (!stored)
      return forward(stored);
    if (*stored != h.vocabulary)
      return fail("{}: {} is {}, but token_embd.weight has {} rows: convert the model again",
                  file.path(), key("vocab_size"), *stored, h.vocabulary);
  }
  return h;
}

std::vector<LayerTensor> decoderTensors(const Hyperparameters &h, bool headNorms) {
  const int64_t q = h.heads * h.kDim, k = h.kvHeads * h.kDim, v = h.kvHeads * h.vDim;
  std::vector<LayerTensor> tensors = {
      {"attn_norm.weight", {h.embedding}},
      {"attn_q.weight", {q, h.embedding}},
      {"attn_q.bias", {q}, false},
      {"attn_k.weight", {k, h.embedding}},
      {"attn_k.bias", {k}, false},
      {"attn_v.weight", {v, h.embedding}},
      {"attn_v.bias", {v}, false},
      {"attn_output.weight", {h.embedding, h.heads * h.vDim}},
      {"attn_output.bias", {h.embedding}, false},
      {"ffn_norm.weight", {h.embedding}},
      {"ffn_gate.weight", {h.feedForward, h.embedding}},
      {"ffn_gate.bias", {h.feedForward}, false},
      {"ffn_up.weight", {h.feedForward, h.embedding}},
      {"ffn_up.bias", {h.feedForward}, false},
      {"ffn_down.weight", {h.embedding, h.feedForward}},
      {"ffn_down.bias", {h.embedding}, false},
  };
  if (headNorms) {
    tensors.push_back({"attn_q_norm.weight", {h.kDim}});
    tensors.push_back({"attn_k_norm.weight", {h.kDim}});
  }
  return tensors;
}

Status ModelBuilder::checkTensor(const GgufTensor &tensor, const std::vector<int64_t> &shape) {
  if (tensor.shape != shape)
    return fail("{}: tensor {} has the shape {}, the configuration asks for {}: convert the model "
                "again",
                file.path(), tensor.name, shapeText(tensor.shape), shapeText(shape));
  const FormatInfo &info = formatInfo(tensor.format);
  bool isFloat =
      tensor.format == Format::F32 || tensor.format == Format::F16 || tensor.format == Format::BF16;
  if (shape.size() == 1 && !isFloat)
    return fail("{}: {} has type {}, a vector must be F32, F16 or BF16: convert the model again",
                file.path(), tensor.name, upper(info.name));
  if (!isFloat && (!info.hasCodec || !info.scheme))
    return fail("{}: {} has type {}, which has no code generation yet; use a file in Q4_0, Q4_1, "
                "Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, F16, BF16 or F32",
                file.path(), tensor.name, upper(info.name));
  assert(llm::isWeight(tensorType(tensor), int64_t(shape.size())) && "GgufFile checks the blocks");
  return {};
}

RankedTensorType ModelBuilder::tensorType(const GgufTensor &tensor) {
  return RankedTensorType::get(tensor.shape,
                               llm::elementTypeOf(tensor.format, module->getContext()));
}

RankedTensorType ModelBuilder::activations(int64_t columns) {
  return RankedTensorType::get({ShapedType::kDynamic, columns}, b.getF32Type());
}

/// "attn_q.weight" -> "attn_q", "attn_q.bias" -> "attn_q_bias".
static std::string symbolOf(StringRef name) {
  name.consume_back(".weight");
  std::string symbol = name.str();
  std::ranges::replace(symbol, '.', '_');
  return symbol;
}

Expected<llm::WeightOp> ModelBuilder::modelWeight(const std::string &name,
                                                  const std::vector<int64_t> &shape,
                                                  bool required) {
  const GgufTensor *tensor = file.findTensor(name);
  if (!tensor && !required)
    return llm::WeightOp();
  if (!tensor)
    return fail("{}: tensor {} is missing: convert the model again", file.path(), name);
  if (Status status = checkTensor(*tensor, shape); !status)
    return forward(status);
  used.insert(name);
  return llm::WeightOp::create(b, loc, symbolOf(name), tensorType(*tensor), name,
                               DenseI64ArrayAttr());
}

Status ModelBuilder::layerWeights(std::span<const LayerTensor> tensors, int64_t layers) {
  // Formats of each layer's tensors, -1 for an absent one: equal lists are one kind of layer.
  std::vector<std::vector<int>> formats(layers);
  for (const LayerTensor &wanted : tensors)
    for (int64_t i = 0; i < layers; ++i) {
      std::string name = layerTensorName(i, wanted.name);
      const GgufTensor *tensor = file.findTensor(name);
      if (!tensor && wanted.required)
        return fail("{}: tensor {} is missing, {} is {}: convert the model again", file.path(),
                    name, key("block_count"), layers);
      if (tensor) {
        if (Status status = checkTensor(*tensor, wanted.shape); !status)
          return forward(status);
        used.insert(name);
      }
      formats[i].push_back(tensor ? int(tensor->format) : -1);
    }

  std::map<std::vector<int>, int64_t> kinds;
  for (int64_t i = 0; i < layers; ++i) {
    auto [kind, isNew] = kinds.try_emplace(formats[i], layerKinds());
    if (isNew)
      firstLayerOfKind.push_back(i);
    kindOfLayer.push_back(kind->second);
  }

  for (size_t slot = 0; slot < tensors.size(); ++slot) {
    llvm::MapVector<int, SmallVector<int64_t>> layersOfFormat;
    for (int64_t i = 0; i < layers; ++i)
      if (formats[i][slot] >= 0)
        layersOfFormat[formats[i][slot]].push_back(i);
    auto &ops = weightOfLayer[tensors[slot].name];
    ops.resize(layers);
    for (auto &[format, list] : layersOfFormat) {
      std::string symbol = symbolOf(tensors[slot].name);
      if (layersOfFormat.size() > 1)
        symbol += "." + std::string(formatInfo(Format(format)).name);
      const GgufTensor *first = file.findTensor(layerTensorName(list[0], tensors[slot].name));
      auto op = llm::WeightOp::create(b, loc, symbol, tensorType(*first),
                                      "blk.{}." + tensors[slot].name, b.getDenseI64ArrayAttr(list));
      for (int64_t i : list)
        ops[i] = op;
    }
  }
  return {};
}

void ModelBuilder::warnOfUnusedTensors() {
  used.insert("rope_freqs.weight"); // folded into #llm.rope
  for (const GgufTensor &tensor : file.tensors())
    if (options.warn && !used.contains(tensor.name))
      options.warn(fmt::format("{}: tensor {} is not used by the architecture {}", file.path(),
                               tensor.name, architecture));
  for (const std::string &name : file.ignoredTensors())
    if (options.warn)
      options.warn(fmt::format("{}: tensor {} is not used by the architecture {}", file.path(),
                               name, architecture));
}

} // namespace llmir::frontend
