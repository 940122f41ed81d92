// Layers are found by what is alive. Between two layers one tensor of activations is: the residual
// stream. So the function is cut at every point where all that ops behind it read of ops before it
// is one such tensor, besides the cache and what is the same everywhere (constants, weights, fields
// of the batch). A piece between two cuts that holds attention begins a layer, which goes on until
// the next such piece. What is behind the last attention is the last layer's as far as it looks
// like the rest of an earlier layer; the rest is the head of the model. One pass over the ops finds
// the cuts, and one more makes the keys.
#include "llmir/transforms/FindLayers.h"

#include <set>

using namespace mlir;

namespace llmir::llm {

bool isInvariant(Operation *op) {
  return op && isa<arith::ConstantOp, GetWeightOp, BatchTokensOp, BatchPositionsOp>(op);
}

std::optional<int64_t> constantIndex(Value value) {
  auto constant = value ? value.getDefiningOp<arith::ConstantIndexOp>() : arith::ConstantIndexOp();
  return constant ? std::optional(constant.value()) : std::nullopt;
}

static bool isAttention(Operation *op) { return isa<AttentionOp, DenseAttentionOp>(op); }

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

namespace {

class KeyMaker {
public:
  KeyMaker(const Layer &layer, bool weightTypes) : layer(layer), weightTypes(weightTypes) {}

  LayerKey make() {
    for (Operation *op : layer.ops) {
      add(op->getName().getAsOpaquePointer());
      addAttributes(op);
      for (auto [index, operand] : llvm::enumerate(op->getOperands()))
        if (!isa<RopeOp>(op) || index < 2) // the layer of a table is no difference
          addOperand(operand);
      for (Value result : op->getResults()) {
        add(result.getType().getAsOpaquePointer());
        locals.try_emplace(result, locals.size());
      }
    }
    addOperand(layer.output);
    return std::move(key);
  }

private:
  enum Tag { Input, Kv, Local, Outside, Weight, Field, LayerNumber, Constant };

  void add(const void *part) { key.push_back(part); }
  void addNumber(uint64_t number) { add(reinterpret_cast<const void *>(number)); }

  void addAttributes(Operation *op) {
    if (auto rope = dyn_cast<RopeOp>(op)) {
      RopeAttr first = rope.getRotations().front();
      addNumber(static_cast<uint64_t>(first.getStyle()));
      addNumber(first.getDim());
    }
    for (NamedAttribute attribute : op->getAttrDictionary()) {
      StringRef name = attribute.getName();
      if ((isa<RopeOp>(op) && (name == "rope" || name == "ropes")) ||
          (isa<AttentionOp>(op) && (name == "window" || name == "windows")))
        continue;
      add(attribute.getName().getAsOpaquePointer());
      add(attribute.getValue().getAsOpaquePointer());
    }
    addNumber(op->getNumRegions());
  }

  void addOperand(Value operand) {
    Operation *source = operand.getDefiningOp();
    if (auto local = locals.find(operand); local != locals.end()) {
      addNumber(Local);
      addNumber(local->second);
    } else if (operand == layer.input || operand == layer.kvInput) {
      addNumber(operand == layer.input ? Input : Kv);
      add(operand.getType().getAsOpaquePointer());
    } else if (isa_and_nonnull<GetWeightOp>(source)) {
      addNumber(Weight);
      addNumber(weights.try_emplace(operand, weights.size()).first->second);
      auto type = cast<RankedTensorType>(operand.getType());
      if (!weightTypes)
        type = RankedTensorType::get(type.getShape(), Float32Type::get(type.getContext()));
      add(type.getAsOpaquePointer());
    } else if (isa_and_nonnull<arith::ConstantOp>(source)) {
      const bool isNumber = constantIndex(operand) == layer.number;
      addNumber(isNumber ? LayerNumber : Constant);
      add(isNumber ? nullptr : cast<arith::ConstantOp>(source).getValue().getAsOpaquePointer());
    } else if (isInvariant(source)) {
      addNumber(Field);
      add(source->getName().getAsOpaquePointer());
      add(source->getOperand(0).getAsOpaquePointer());
    } else {
      addNumber(Outside);
      add(operand.getAsOpaquePointer());
    }
  }

  const Layer &layer;
  const bool weightTypes;
  LayerKey key;
  llvm::DenseMap<Value, uint64_t> locals, weights;
};

} // namespace

LayerKey keyOf(const Layer &layer, bool weightTypes) { return KeyMaker(layer, weightTypes).make(); }

//===----------------------------------------------------------------------===//
// Cuts
//===----------------------------------------------------------------------===//

namespace {

/// The ops between two cuts.
struct Piece {
  Value input, output;
  SmallVector<Operation *> ops;
  bool attends = false;
};

/// Whether a value has to be carried over a cut; the cache is carried over every one.
bool isCarried(Value value) {
  return !isa<KvType, BatchType>(value.getType()) && !isInvariant(value.getDefiningOp());
}

/// The pieces of a block, the first and the last one without input or output. Linear in its ops.
std::vector<Piece> cut(Block &block) {
  llvm::DenseMap<Value, Operation *> lastUse;
  for (Operation &op : block)
    op.walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        lastUse[operand] = &op;
    });
  llvm::SetVector<Value> alive;
  auto define = [&](Value value) {
    if (isCarried(value) && lastUse.contains(value))
      alive.insert(value);
  };
  llvm::for_each(block.getArguments(), define);
  std::vector<Piece> pieces(1);
  auto cutHere = [&] {
    if (alive.size() != 1 || !isActivations(alive.front().getType()) ||
        alive.front() == pieces.back().input)
      return;
    pieces.back().output = alive.front();
    pieces.emplace_back().input = alive.front();
  };
  cutHere();
  for (Operation &op : block.without_terminator()) {
    if (isInvariant(&op))
      continue;
    pieces.back().ops.push_back(&op);
    pieces.back().attends |= isAttention(&op);
    for (Value operand : op.getOperands())
      if (lastUse.lookup(operand) == &op)
        alive.remove(operand);
    llvm::for_each(op.getResults(), define);
    cutHere();
  }
  return pieces;
}

/// Pieces as one layer. Fails where they speak of several layers of the cache.
FailureOr<Layer> join(ArrayRef<Piece> pieces, int64_t ordinal) {
  Layer layer{ordinal, {}, pieces.front().input, pieces.back().output, {}, {}};
  llvm::DenseSet<Operation *> inside;
  std::optional<int64_t> number;
  for (const Piece &piece : pieces)
    for (Operation *op : piece.ops) {
      layer.ops.push_back(op);
      inside.insert(op);
      Value index;
      if (auto append = dyn_cast<KvAppendOp>(op))
        index = append.getLayer();
      else if (auto attention = dyn_cast<AttentionOp>(op))
        index = attention.getLayer();
      if (index) {
        auto stated = constantIndex(index);
        if (!stated || number.value_or(*stated) != *stated)
          return failure();
        number = stated;
      }
      for (Value operand : op->getOperands())
        if (isa<KvType>(operand.getType()) && !inside.contains(operand.getDefiningOp()) &&
            !layer.kvInput)
          layer.kvInput = layer.kvOutput = operand;
      for (Value result : op->getResults())
        if (isa<KvType>(result.getType()))
          layer.kvOutput = result;
    }
  layer.number = number.value_or(ordinal);
  return layer;
}

} // namespace

std::vector<Layer> findLayers(func::FuncOp function, bool remarks) {
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return {};
  Block &block = function.getBody().front();
  const auto attentions = llvm::count_if(block, [](Operation &op) { return isAttention(&op); });
  if (attentions < 2)
    return {};
  std::vector<Piece> pieces = cut(block);
  std::vector<size_t> starts;
  for (size_t i = 0; i < pieces.size(); ++i)
    if (pieces[i].attends && pieces[i].input && pieces[i].output)
      starts.push_back(i);
  if (starts.size() < 2) {
    if (remarks)
      function.emitRemark("layers are not rolled: between the ")
          << attentions << " attentions there is no point where one tensor of activations is all "
          << "that is needed further on";
    return {};
  }
  std::vector<Layer> layers;
  std::set<LayerKey> shapes;
  std::set<size_t, std::greater<>> lengths;
  auto add = [&](size_t begin, size_t length, bool mustBeKnown) {
    auto layer = join(ArrayRef(pieces).slice(begin, length), static_cast<int64_t>(layers.size()));
    if (failed(layer)) {
      if (remarks && !mustBeKnown)
        pieces[begin].ops.front()->emitRemark(
            "a layer is not rolled: its ops name several layers of the cache");
      return false;
    }
    const LayerKey shape = keyOf(*layer, /*weightTypes=*/false);
    if (mustBeKnown && !shapes.contains(shape))
      return false;
    shapes.insert(shape);
    lengths.insert(length);
    layers.push_back(std::move(*layer));
    return true;
  };
  for (size_t i = 0; i + 1 < starts.size(); ++i)
    add(starts[i], starts[i + 1] - starts[i], false);
  // The last piece, which gives the function's results, is no part of a layer.
  const size_t last = starts.back(), most = pieces.size() - (pieces.back().output ? 0 : 1) - last;
  const bool isFound = llvm::any_of(lengths, [&](size_t length) {
    return length <= most && add(last, length, /*mustBeKnown=*/true);
  });
  if (remarks && !isFound)
    pieces[last].ops.front()->emitRemark(
        "the last layer is not rolled: it is like none before, so its end is not known");
  return layers;
}

} // namespace llmir::llm
