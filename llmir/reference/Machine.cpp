// Runs blocks: looks up each op's definition, keeps frames, loads and checks weights.
#include "llmir/reference/Machine.h"

#include "llmir/quant/Quantize.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace llmir::reference {

//===----------------------------------------------------------------------===//
// Values and frames
//===----------------------------------------------------------------------===//

void Weight::readRow(int64_t row, float *dst) const {
  dequantize(format, bytes + row * rowBytes(format, columns), dst, columns);
}

std::vector<float> Weight::readVector() const {
  std::vector<float> values(columns);
  readRow(0, values.data());
  return values;
}

const RuntimeValue &Frame::value(mlir::Value value) const {
  auto slot = slots.find(value);
  assert(slot != slots.end() && "verified IR defines values before their uses");
  return slot->second.value;
}

RuntimeValues Frame::valuesOf(ValueRange range) const {
  RuntimeValues values;
  for (mlir::Value v : range)
    values.push_back(value(v));
  return values;
}

void Frame::set(mlir::Value value, RuntimeValue runtimeValue) {
  int64_t uses = 0;
  bool pinned = false;
  for (Operation *user : value.getUsers()) {
    ++uses;
    pinned |= user->getBlock() != value.getParentBlock();
  }
  slots[value] = {std::move(runtimeValue), pinned ? -1 : uses};
}

void Frame::set(mlir::Value value, Tensor tensor) {
  set(value, RuntimeValue(std::make_shared<const Tensor>(std::move(tensor))));
}

void Frame::releaseOperands(Operation *op) {
  for (mlir::Value operand : op->getOperands())
    if (auto slot = slots.find(operand); slot != slots.end() && slot->second.uses > 0)
      if (--slot->second.uses == 0)
        slots.erase(slot);
}

Tensor makeTensor(int64_t rows, int64_t columns) {
  Tensor tensor{{rows, columns}};
  tensor.values.resize(rows * columns);
  return tensor;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

const OpTable &OpTable::get() {
  static const OpTable table = [] {
    OpTable ops;
    registerModelOps(ops);
    registerNormOps(ops);
    registerLinearOps(ops);
    registerExpertOps(ops);
    registerElementwiseOps(ops);
    registerRopeOps(ops);
    registerAttentionOps(ops);
    registerSampleOp(ops);
    registerControlOps(ops);
    return ops;
  }();
  return table;
}

const OpTable::Definition *OpTable::find(llvm::StringRef name) const {
  auto entry = definitions.find(name);
  return entry == definitions.end() ? nullptr : &entry->second;
}

std::string where(Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (auto file = dyn_cast<FileLineColLoc>(op->getLoc()))
    stream << file.getFilename().getValue() << ':' << file.getLine() << ':' << file.getColumn();
  else
    stream << op->getLoc();
  stream << ": '" << op->getName() << '\'';
  return text;
}

Status checkRows(Operation *op, int64_t rows, int64_t expected) {
  if (rows != expected)
    return failAt(op,
                  "an operand has {} rows, {} are needed: the rows of the batch and of its "
                  "logits must not be mixed",
                  rows, expected);
  return {};
}

//===----------------------------------------------------------------------===//
// Blocks and weights
//===----------------------------------------------------------------------===//

Expected<RuntimeValues> Machine::runBlock(Block &block, RuntimeValues arguments, Frame &frame) {
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
    frame.set(argument, value);
  arguments.clear(); // the frame alone keeps them, so that it can let them go
  for (Operation &op : block.without_terminator()) {
    const OpTable::Definition *define = OpTable::get().find(op.getName().getStringRef());
    if (!define)
      return failAt(&op, "the interpreter has no definition of this op");
    if (Status status = (*define)(&op, frame); !status)
      return forward(status);
    observe(&op, frame);
    frame.releaseOperands(&op);
  }
  return frame.valuesOf(block.getTerminator()->getOperands());
}

void Machine::observe(Operation *op, const Frame &frame) const {
  if (!options.observe)
    return;
  for (mlir::Value result : op->getResults())
    if (const auto *tensor = std::get_if<std::shared_ptr<const Tensor>>(&frame.value(result)))
      options.observe(op, **tensor);
}

Expected<RuntimeValues> Machine::runRegion(Region &region, RuntimeValues arguments) {
  constexpr int maxDepth = 64; // functions of a model do not recurse
  if (!region.hasOneBlock())
    return failAt(region.getParentOp(), "the interpreter runs bodies of one block; this has {}",
                  region.getBlocks().size());
  if (depth == maxDepth)
    return failAt(region.getParentOp(), "calls are nested more than {} deep", maxDepth);
  ++depth;
  Frame frame(*this);
  auto results = runBlock(region.front(), std::move(arguments), frame);
  --depth;
  return results;
}

static std::string describe(Format format, llvm::ArrayRef<int64_t> shape) {
  return fmt::format("{} [{}]", formatInfo(format).name, fmt::join(shape, ", "));
}

Expected<const Weight *> Machine::getWeight(llm::WeightOp op, int64_t layer) {
  if (op.getLayers() && !llvm::is_contained(*op.getLayers(), layer))
    return failAt(op, "weight @{} has no layer {}", op.getSymName().str(), layer);
  std::string name = op.sourceName(layer);
  // Two symbols may name the same bytes (tied embeddings) but must agree on the type, so the symbol
  // is part of the key.
  std::string key = (op.getSymName() + "\n" + name).str();
  if (auto known = weights.find(key); known != weights.end())
    return &known->second;
  auto found = source(name);
  if (!found)
    return forward(found, fmt::format("weight @{} ('{}')", op.getSymName().str(), name));
  RankedTensorType type = op.getTensorType();
  Format format =
      options.weightFormat ? options.weightFormat(op) : *llm::formatOf(type.getElementType());
  int64_t columns = type.getShape().back(), rows = type.getNumElements() / columns;
  if (!canBecome(found->format, format) || llvm::ArrayRef(found->shape) != type.getShape())
    return fail("weight @{} ('{}') is {} in the source, the model needs {}", op.getSymName().str(),
                name, describe(found->format, found->shape), describe(format, type.getShape()));
  size_t size = rows * rowBytes(found->format, columns);
  if (found->bytes.size() != size)
    return fail("weight @{} ('{}') has {} bytes in the source, {} needs {}", op.getSymName().str(),
                name, found->bytes.size(), describe(found->format, type.getShape()), size);
  Weight weight{format, rows, columns, found->bytes.data()};
  if (found->format != format) {
    weight.quantised.resize(rows * rowBytes(format, columns));
    if (Status status = quantizeRows(found->format, weight.bytes, format, weight.quantised.data(),
                                     rows, columns);
        !status)
      return fail("weight @{} ('{}') {}: it cannot be quantised", op.getSymName().str(), name,
                  status.error().message);
    weight.bytes = weight.quantised.data();
  }
  return &weights.try_emplace(key, std::move(weight)).first->second;
}

} // namespace llmir::reference
