// The functions of a model, the blocks of ops that families of models share, and the model that is
// made of nothing else.
#include "llmir/frontend/arch/ModelBuilder.h"

using namespace mlir;

namespace llmir::frontend {

void ModelBuilder::beginModel(const Hyperparameters &h) {
  Type element = llm::elementTypeOf(options.kvElement, module->getContext());
  kvType = llm::KvType::get(module->getContext(), h.layers, h.kvHeads, h.kDim, h.vDim,
                            options.blockTokens, element);
  b.setInsertionPointToEnd(module->getBody());
  model = llm::ModelOp::create(b, loc, "model", uint64_t(h.vocabulary), uint64_t(h.context),
                               b.getStringAttr(file.path()), llm::TargetAttr());
  b.createBlock(&model.getBody());
}

Status ModelBuilder::buildFunctions(const Hyperparameters &h, LayerBody body) {
  Type batchType = llm::BatchType::get(module->getContext(), llm::BatchKind::Mixed);
  auto tokenInts = RankedTensorType::get({ShapedType::kDynamic}, b.getI32Type());
  RankedTensorType hidden = activations(h.embedding);
  auto outputNorm = modelWeight("output_norm.weight", {h.embedding});
  auto table = modelWeight("token_embd.weight", {h.vocabulary, h.embedding});
  auto output = modelWeight("output.weight", {h.vocabulary, h.embedding}, false);
  for (auto *weight : {&outputNorm, &table, &output})
    if (!*weight)
      return forward(*weight);

  std::vector<func::FuncOp> layerFunctions;
  for (currentKind = 0; currentKind < layerKinds(); ++currentKind) {
    std::string name = layerKinds() == 1 ? "layer" : fmt::format("layer.{}", currentKind);
    auto type = b.getFunctionType({b.getIndexType(), hidden, batchType, kvType}, {hidden, kvType});
    auto function = func::FuncOp::create(b, loc, name, type);
    function.setPrivate();
    layerFunctions.push_back(function);
    OpBuilder::InsertionGuard guard(b);
    Block *entry = function.addEntryBlock();
    b.setInsertionPointToStart(entry);
    layer = entry->getArgument(0);
    batch = entry->getArgument(2);
    kv = entry->getArgument(3);
    positions = llm::BatchPositionsOp::create(b, loc, tokenInts, batch);
    Value result = body(*this, entry->getArgument(1));
    func::ReturnOp::create(b, loc, ValueRange{result, kv});
  }

  RankedTensorType logitsType = activations(h.vocabulary);
  auto step = func::FuncOp::create(b, loc, "step",
                                   b.getFunctionType({batchType, kvType}, {logitsType, kvType}));
  Block *entry = step.addEntryBlock();
  b.setInsertionPointToStart(entry);
  batch = entry->getArgument(0);
  kv = entry->getArgument(1);
  auto get = [&](llm::WeightOp weight) -> Value {
    return llm::GetWeightOp::create(b, loc, weight.getTensorType(), weight.getSymName(), Value());
  };
  Value tokens = llm::BatchTokensOp::create(b, loc, tokenInts, batch);
  Value x = llm::EmbedOp::create(b, loc, hidden, tokens, get(*table));
  if (h.embeddingScale != 1)
    x = llm::ScaleOp::create(b, loc, hidden, x, b.getF64FloatAttr(h.embeddingScale));
  for (int64_t i = 0; i < h.layers; ++i) {
    Value index = arith::ConstantIndexOp::create(b, loc, i);
    auto call = func::CallOp::create(b, loc, layerFunctions[kindOfLayer[i]],
                                     ValueRange{index, x, batch, kv});
    x = call.getResult(0);
    kv = call.getResult(1);
  }
  x = llm::LogitRowsOp::create(b, loc, hidden, x, batch);
  x = norm(x, get(*outputNorm), h.normEps);
  Value logits =
      llm::LinearOp::create(b, loc, logitsType, x, get(*output ? *output : *table), Value());
  if (h.logitSoftcap)
    logits = llm::SoftcapOp::create(b, loc, logitsType, logits, b.getF64FloatAttr(*h.logitSoftcap));
  func::ReturnOp::create(b, loc, ValueRange{logits, kv});
  return {};
}

llm::WeightOp ModelBuilder::findLayerWeight(const std::string &name) const {
  auto ops = weightOfLayer.find(name);
  return ops == weightOfLayer.end() ? llm::WeightOp() : ops->second[firstLayerOfKind[currentKind]];
}

Value ModelBuilder::layerWeight(const std::string &name) {
  llm::WeightOp weight = findLayerWeight(name);
  if (!weight)
    return {};
  return llm::GetWeightOp::create(b, loc, weight.getTensorType(), weight.getSymName(), layer);
}

Value ModelBuilder::norm(Value x, Value weight, double eps) {
  return llm::RmsNormOp::create(b, loc, x.getType(), x, weight, b.getF64FloatAttr(eps));
}

Value ModelBuilder::linear(Value x, const std::string &name) {
  Value weight = layerWeight(name + ".weight");
  Value bias = layerWeight(name + ".bias");
  auto type = activations(cast<RankedTensorType>(weight.getType()).getDimSize(0));
  return llm::LinearOp::create(b, loc, type, x, weight, bias);
}

Value ModelBuilder::add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }

Value ModelBuilder::rotate(Value heads, const Hyperparameters &h) {
  if (h.ropes.empty())
    return heads;
  auto same = uniform(h.ropes);
  ArrayAttr table;
  if (!same)
    table = b.getArrayAttr(SmallVector<Attribute>(h.ropes.begin(), h.ropes.end()));
  return llm::RopeOp::create(b, loc, heads.getType(), heads, positions, same ? Value() : layer,
                             b.getI64IntegerAttr(h.kDim), same.value_or(llm::RopeAttr()), table);
}

Value ModelBuilder::attentionBlock(Value x, const Hyperparameters &h) {
  Value q = linear(x, "attn_q"), k = linear(x, "attn_k"), v = linear(x, "attn_v");
  if (Value weight = layerWeight("attn_q_norm.weight"))
    q = norm(q, weight, h.normEps);
  if (Value weight = layerWeight("attn_k_norm.weight"))
    k = norm(k, weight, h.normEps);
  q = rotate(q, h);
  k = rotate(k, h);
  kv = llm::KvAppendOp::create(b, loc, kvType, kv, layer, k, v, batch);
  auto window = uniform(h.windows);
  Value o = llm::AttentionOp::create(
      b, loc, activations(h.heads * h.vDim), q, kv, layer, batch,
      b.getF64FloatAttr(h.attentionScale),
      window.value_or(0) > 0 ? b.getI64IntegerAttr(*window) : IntegerAttr(),
      window ? DenseI64ArrayAttr() : b.getDenseI64ArrayAttr(h.windows),
      h.attentionSoftcap ? b.getF64FloatAttr(*h.attentionSoftcap) : FloatAttr());
  return linear(o, "attn_output");
}

Value ModelBuilder::mlpBlock(Value x, llm::Activation activation) {
  if (experts && findLayerWeight("ffn_gate_inp.weight"))
    return expertsBlock(*this, x, *experts, activation);
  Value gate = linear(x, "ffn_gate"), up = linear(x, "ffn_up");
  Value product = llm::GluOp::create(
      b, loc, gate.getType(), llm::ActivationAttr::get(b.getContext(), activation), gate, up);
  return linear(product, "ffn_down");
}

Value ModelBuilder::preNormLayer(Value x, const Hyperparameters &h, llm::Activation activation) {
  auto normBy = [&](Value y, const char *name) {
    Value weight = layerWeight(name);
    return weight ? norm(y, weight, h.normEps) : y;
  };
  Value attended = attentionBlock(normBy(x, "attn_norm.weight"), h);
  x = add(x, normBy(attended, "post_attention_norm.weight"));
  Value mixed = mlpBlock(normBy(x, "ffn_norm.weight"), activation);
  return add(x, normBy(mixed, "post_ffw_norm.weight"));
}

Status buildPreNormModel(ModelBuilder &builder, llm::RopeStyle style, bool headNorms) {
  auto h = builder.readHyperparameters();
  if (!h)
    return forward(h);
  auto experts = readExperts(builder, *h);
  if (!experts)
    return forward(experts);
  builder.experts = *experts;
  auto rope = readRope(builder.file, builder.architecture, h->kDim, h->context, style,
                       *builder.b.getContext());
  if (!rope)
    return forward(rope);
  h->ropes.assign(h->layers, *rope);

  builder.beginModel(*h);
  std::vector<LayerTensor> tensors = decoderTensors(*h, headNorms);
  if (builder.experts)
    replaceMlpTensors(tensors, *h, *builder.experts);
  if (Status status = builder.layerWeights(tensors, h->layers); !status)
    return status;
  return builder.buildFunctions(
      *h, [&](ModelBuilder &m, Value x) { return m.preNormLayer(x, *h, llm::Activation::Silu); });
}

} // namespace llmir::frontend
