// Bytes count every number once, as if all that is used twice stayed in a cache. Operations are
// those of an op's definition: a multiplication, an addition, a comparison and a function such as
// exp are one each.
#include "llmir/codegen/cpu/DescribeKernel.h"

#include "llmir/codegen/cpu/BufferPlan.h"
#include "llmir/codegen/cpu/LinearKernel.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
namespace llmir::cpu {

namespace {

int64_t columnsOf(Type type) { return cast<RankedTensorType>(type).getShape().back(); }

/// Bytes of a token's rows, without padding.
int64_t tokenBytes(Type type) {
  if (llm::isExpertNumbers(type))
    return columnsOf(type) * 4;
  Format format = *llm::formatOf(cast<RankedTensorType>(type).getElementType());
  return llm::rowsPerToken(type) * rowBytes(format, columnsOf(type));
}

/// The elements of a token's rows.
int64_t tokenElements(Value value) {
  return llm::rowsPerToken(value.getType()) * columnsOf(value.getType());
}

int64_t elementBytes(llm::KvType kv) { return kv.getElement().isF16() ? 2 : 4; }

/// Of one position of one layer: K and V of all heads.
int64_t positionBytes(llm::KvType kv) {
  return kv.getHeads() * (kv.getKDim() + kv.getVDim()) * elementBytes(kv);
}

/// The kernel of one op; the operations of a row follow from the kind of op.
class Description {
public:
  Description(KernelBuilder &k, Operation &op, const WeightTable &weights)
      : k(k), op(op), weights(weights) {
    kernel.op = op.getName().getStringRef().str();
    for (Value operand : op.getOperands())
      if (isBuffer(operand.getType()))
        kernel.rowBytes += tokenBytes(operand.getType());
      else if (auto get = rootOf(operand).getDefiningOp<llm::GetWeightOp>())
        kernel.weights.push_back({get.getWeight().str(), weights.at(get.getWeight()).bytes});
    for (Value result : op.getResults())
      if (isBuffer(result.getType()))
        kernel.rowBytes += tokenBytes(result.getType());
  }

  KernelManifest take() {
    constexpr int64_t activation = 4; // silu(x) = x / (1 + exp(-x))
    llvm::TypeSwitch<Operation &>(op)
        .Case([&](llm::EmbedOp o) { embed(o); })
        .Case([&](llm::RmsNormOp o) { perElement(o.getX(), 4); })
        .Case([&](llm::LayerNormOp o) { perElement(o.getX(), 7); })
        .Case([&](llm::QuantizeOp o) { perElement(o.getX(), 5); })
        .Case([&](llm::RopeOp o) {
          // A pair takes four multiplications and two additions.
          const int64_t heads = tokenElements(o.getX()) / static_cast<int64_t>(o.getHeadDim());
          kernel.rowOperations = heads * o.getRotations().front().getDim() * 3;
        })
        .Case([&](llm::KvAppendOp o) { kernel.rowBytes += positionBytes(o.getKv().getType()); })
        .Case([&](llm::AttentionOp o) { attention(o); })
        .Case([&](llm::LinearOp o) { product(o); })
        .Case([&](llm::ExpertsLinearOp o) {
          product(o);
          kernel.picked = columnsOf(o.getExperts().getType());
        })
        .Case([&](llm::ExpertsRouteOp o) { perElement(o.getRouter(), 4); })
        .Case([&](llm::ExpertsCombineOp o) { perElement(o.getX(), 2); })
        .Case([&](llm::GluOp) { perElement(op.getResult(0), activation + 1); })
        .Case([&](llm::ActivateOp) { perElement(op.getResult(0), activation); })
        .Case([&](llm::SoftcapOp) { perElement(op.getResult(0), 3); })
        .Case<llm::ScaleOp, arith::AddFOp, arith::MulFOp>(
            [&](auto) { perElement(op.getResult(0), 1); });
    return std::move(kernel);
  }

private:
  void perElement(Value value, int64_t operations) {
    kernel.rowOperations = tokenElements(value) * operations;
  }

  void matrix(Value weight) {
    auto get = rootOf(weight).getDefiningOp<llm::GetWeightOp>();
    const WeightSlot &slot = weights.at(get.getWeight());
    kernel.format = formatInfo(slot.layout->format).name;
    kernel.rows = slot.layout->n;
    kernel.columns = slot.layout->k;
    kernel.lanes = slot.layout->lanes;
    kernel.rowBlocks = slot.layout->rowBlocks;
    kernel.matrices = slot.matrices;
  }

  void embed(llm::EmbedOp o) {
    matrix(o.getTable());
    // The row that is looked up; the table has more.
    kernel.rowBytes += rowBytes(*formatByName(kernel.format), kernel.columns);
    perElement(o.getResult(), formatInfo(*formatByName(kernel.format)).scheme ? 2 : 0);
  }

  template <typename Product> void product(Product o) {
    matrix(o.getWeight());
    auto get = rootOf(o.getWeight()).template getDefiningOp<llm::GetWeightOp>();
    Format x = *llm::formatOf(cast<RankedTensorType>(o.getX().getType()).getElementType());
    kernel.activations = formatInfo(x).name;
    LinearTiling tiling = linearTiling(k, {*weights.at(get.getWeight()).layout, x});
    kernel.tileTokens = tiling.tokens;
    kernel.unpackFrom = tiling.unpackFrom;
    kernel.rowOperations = 2 * kernel.columns * tokenElements(o.getResult());
  }

  void attention(llm::AttentionOp o) {
    llm::KvType kv = o.getKv().getType();
    constexpr int64_t softmax = 4; // of a score: scale, compare, exp, add
    kernel.positionBytes = positionBytes(kv);
    kernel.positionOperations =
        static_cast<int64_t>(o.getQueryHeads()) * (2 * kv.getKDim() + 2 * kv.getVDim() + softmax);
    if (o.getWindows())
      kernel.windows.assign(o.getWindows()->begin(), o.getWindows()->end());
    else if (o.getWindow())
      kernel.windows = {static_cast<int64_t>(*o.getWindow())};
    // In @step the layer is a constant.
    auto constant = rootOf(o.getLayer()).getDefiningOp<arith::ConstantOp>();
    const auto size = static_cast<int64_t>(kernel.windows.size());
    if (constant && size > 1)
      if (int64_t layer = cast<IntegerAttr>(constant.getValue()).getInt();
          layer >= 0 && layer < size)
        kernel.windows = {kernel.windows[layer]};
  }

  KernelBuilder &k;
  Operation &op;
  const WeightTable &weights;
  KernelManifest kernel;
};

} // namespace

KernelManifest describeKernel(KernelBuilder &k, Operation &op, const WeightTable &weights) {
  return Description(k, op, weights).take();
}

KernelManifest describeRopeTable(llvm::StringRef name, llm::RopeAttr rope) {
  KernelManifest kernel;
  kernel.op = "llm.rope, table";
  kernel.names = {name.str()};
  kernel.rowBytes = rope.getDim() * 4;
  kernel.rowOperations = rope.getDim() * 2; // an angle and its function, times the magnitude
  return kernel;
}

KernelManifest describeCopy(llvm::StringRef name, Type type) {
  KernelManifest kernel;
  kernel.op = "func.return, copy";
  kernel.names = {name.str()};
  kernel.rowBytes = 2 * tokenBytes(type);
  return kernel;
}

} // namespace llmir::cpu
