// ATen ops that are sums of products: matrix products in all their forms, and einsum.
#include "llmir/frontend/torch/Call.h"

#include "llmir/support/Shown.h"

using namespace mlir;
namespace llmir::frontend::torch {

namespace {

bool isOne(const SizeExpression &size) { return size.isInteger() && size.value == 1; }

/// Takes away dimensions of one element whose label has more elsewhere: they are broadcast.
Tensor squeezeOnes(TensorBuilder &g, const Tensor &input, std::string &labels,
                   const std::map<char, SizeExpression> &sizes) {
  Sizes kept;
  std::string keptLabels;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (isOne(input.sizes[i]) && !isOne(sizes.at(labels[i])))
      continue;
    kept.push_back(input.sizes[i]);
    keptLabels += labels[i];
  }
  if (kept.size() == labels.size())
    return input;
  labels = keptLabels;
  return g.reshape(input, kept);
}

/// As TensorBuilder::contract, with broadcasting.
Tensor contract(TensorBuilder &g, Tensor a, std::string aLabels, Tensor b, std::string bLabels,
                std::string_view out) {
  if (a.element() != b.element())
    refuse("operands of different types are not supported");
  std::map<char, SizeExpression> sizes;
  for (auto [tensor, labels] : {std::pair(&a, &aLabels), std::pair(&b, &bLabels)})
    for (size_t i = 0; i < labels->size(); ++i) {
      auto [place, isNew] = sizes.try_emplace((*labels)[i], tensor->sizes[i]);
      if (!isNew && isOne(place->second))
        place->second = tensor->sizes[i];
    }
  a = squeezeOnes(g, a, aLabels, sizes);
  b = squeezeOnes(g, b, bLabels, sizes);
  return g.contract(a, aLabels, b, bLabels, out);
}

/// Labels of batch dimensions are the last `count` of these, so that two tensors share them.
std::string batchLabels(int64_t count) {
  constexpr std::string_view all = "abcdefghijlopqrstuvwxyzABCDEFGHIJ"; // 33, without k, m, n
  return std::string(all.substr(all.size() - std::min<size_t>(count, all.size())));
}

/// beta * input + alpha * product
void addProduct(Call &c, const char *a, const char *b) {
  const double beta = c.number("beta", 1), alpha = c.number("alpha", 1);
  const Tensor product = matmul(c.g, c.tensor(a), c.tensor(b)), input = c.tensor("self");
  c.give(c.g.map({input, product}, product.sizes, c.resultElement(),
                 [&](OpBuilder &ob, Location loc, ValueRange v) {
                   const Scalars s{ob, loc};
                   auto scaled = [&](Value value, double by) {
                     return by == 1 ? value : s.multiply(s.number(value.getType(), by), value);
                   };
                   return s.add(scaled(v[1], alpha), scaled(v[0], beta));
                 }));
}
void addmm(Call &c) { addProduct(c, "mat1", "mat2"); }
void baddbmm(Call &c) { addProduct(c, "batch1", "batch2"); }

void matmulOf(Call &c, const char *a, const char *b) {
  c.give(matmul(c.g, c.tensor(a), c.tensor(b)));
}
void matmulOp(Call &c) { matmulOf(c, "self", "other"); }
void mm(Call &c) { matmulOf(c, "self", "mat2"); }
void mv(Call &c) { matmulOf(c, "self", "vec"); }
void dot(Call &c) { matmulOf(c, "self", "tensor"); }

/// input · weightᵀ + bias
void linear(Call &c) {
  const Tensor input = c.tensor("input"), weight = c.tensor("weight");
  if (weight.rank() != 2 || input.rank() < 1)
    refuse("the weight has the sizes {}, it must be a matrix", shownSizes(weight.sizes));
  const std::string batch = batchLabels(input.rank() - 1);
  Tensor result = c.g.contract(input, batch + "k", weight, "nk", batch + "n");
  if (auto bias = c.optionalTensor("bias"))
    result = c.g.map(
        {result, *bias}, result.sizes, result.element(),
        [](OpBuilder &b, Location loc, ValueRange v) { return Scalars{b, loc}.add(v[0], v[1]); });
  c.give(result);
}

struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

/// "bhqd,bhkd->bhqk"; without an arrow, the result has the labels that occur once, sorted.
Equation parseEquation(const std::string &text, const std::vector<Tensor> &tensors) {
  std::string equation = text;
  std::erase(equation, ' ');
  const size_t arrow = equation.find("->");
  Equation result;
  result.inputs.emplace_back();
  std::map<char, int> counts;
  for (char c : equation.substr(0, arrow)) {
    if (c == ',') {
      result.inputs.emplace_back();
      continue;
    }
    if (!std::isalpha(static_cast<unsigned char>(c)) ||
        result.inputs.back().find(c) != std::string::npos)
      refuse("the equation {} is not supported: known are letters, each once in an operand",
             shown(text));
    result.inputs.back() += c;
    ++counts[c];
  }
  if (arrow == equation.npos)
    for (auto [label, count] : counts)
      result.output += count == 1 ? std::string(1, label) : "";
  else
    result.output = equation.substr(arrow + 2);
  for (size_t i = 0; i < result.output.size(); ++i)
    if (!counts.contains(result.output[i]) ||
        result.output.find(result.output[i], i + 1) != std::string::npos)
      refuse("the equation {} has a result that its operands do not give", shown(text));
  bool fits = result.inputs.size() == tensors.size();
  for (size_t i = 0; fits && i < tensors.size(); ++i)
    fits = static_cast<int64_t>(result.inputs[i].size()) == tensors[i].rank();
  if (!fits)
    refuse("the equation {} does not fit its operands", shown(text));
  return result;
}

/// The dimensions of `labels` that `out` lacks are summed, the rest is put in order.
Tensor sumAndOrder(TensorBuilder &g, Tensor input, std::string labels, std::string_view out) {
  SmallVector<int64_t> summed, order;
  for (size_t i = 0; i < labels.size(); ++i)
    if (out.find(labels[i]) == out.npos)
      summed.push_back(static_cast<int64_t>(i));
  input = g.reduce(input, summed, Reduction::Sum);
  std::erase_if(labels, [&](char label) { return out.find(label) == out.npos; });
  for (char label : out)
    order.push_back(static_cast<int64_t>(labels.find(label)));
  return g.transpose(input, order);
}

/// From the left, two at a time; a label stays while it is needed.
void einsum(Call &c) {
  const std::vector<Tensor> tensors = c.tensors("tensors");
  const Equation equation = parseEquation(c.text("equation"), tensors);
  Tensor result = tensors[0];
  std::string labels = equation.inputs[0];
  if (tensors.size() == 1)
    result = sumAndOrder(c.g, result, labels, equation.output);
  for (size_t i = 1; i < tensors.size(); ++i) {
    std::string needed = equation.output, out;
    for (size_t j = i + 1; j < tensors.size(); ++j)
      needed += equation.inputs[j];
    for (char label : labels + equation.inputs[i])
      if (needed.find(label) != needed.npos && out.find(label) == out.npos)
        out += label;
    if (i + 1 == tensors.size())
      out = equation.output;
    result = contract(c.g, result, labels, tensors[i], equation.inputs[i], out);
    labels = out;
  }
  c.give(result);
}

constexpr AtenOp ops[] = {
    {"matmul.default", matmulOp}, {"mm.default", mm},         {"bmm.default", mm},
    {"mv.default", mv},           {"dot.default", dot},       {"addmm.default", addmm},
    {"baddbmm.default", baddbmm}, {"linear.default", linear}, {"einsum.default", einsum},
};

} // namespace

Tensor matmul(TensorBuilder &g, const Tensor &a, const Tensor &b) {
  if (a.rank() < 1 || b.rank() < 1)
    refuse("the sizes {} and {} have no product", shownSizes(a.sizes), shownSizes(b.sizes));
  const std::string aBatch = batchLabels(std::max<int64_t>(a.rank() - 2, 0)),
                    bBatch = batchLabels(std::max<int64_t>(b.rank() - 2, 0)),
                    aRow = a.rank() > 1 ? "m" : "", bColumn = b.rank() > 1 ? "n" : "";
  const std::string &batch = aBatch.size() > bBatch.size() ? aBatch : bBatch;
  return contract(g, a, aBatch + aRow + "k", b, bBatch + "k" + bColumn, batch + aRow + bColumn);
}

std::span<const AtenOp> contractionOps() { return ops; }

} // namespace llmir::frontend::torch
