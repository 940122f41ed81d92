// Verifiers and folds of the llm ops. A message begins with the label of the constraint that it
// reports.
#include "llmir/dialect/Constraints.h"
#include "llmir/dialect/Llm.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"
#include <cmath>

using namespace mlir;
using namespace llmir;
using namespace llmir::llm;

#define GET_OP_CLASSES
#include "llmir/dialect/LlmOps.cpp.inc"

/// A phase without results ends in a yield of nothing: the implicit terminator.
void YieldOp::build(OpBuilder &, OperationState &) {}

static int64_t columns(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape().back();
}
static int64_t rows(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(0); }
//===----------------------------------------------------------------------===//
// Model, weights
//===----------------------------------------------------------------------===//

func::FuncOp ModelOp::getStep() { return lookupSymbol<func::FuncOp>("step"); }
KvType ModelOp::getKvType() { return cast<KvType>(getStep().getArgumentTypes()[1]); }

/// Whether a use of a cache only reads it: attention does, and a phase that does nothing else with
/// it.
static bool isRead(OpOperand &use) {
  if (auto fuse = dyn_cast<FuseOp>(use.getOwner()))
    return llvm::all_of(fuse.getBody().getArgument(use.getOperandNumber()).getUses(), isRead);
  return isa<AttentionOp>(use.getOwner());
}

/// C2 for one cache value: one consumer at most, in the block of the value (a loop around it would
/// consume it again), and every reader before it.
static LogicalResult verifyKvUses(Value cache) {
  Operation *consumer = nullptr;
  for (OpOperand &use : cache.getUses()) {
    Operation *user = use.getOwner();
    if (isRead(use))
      continue;
    if (user->getBlock() != cache.getParentBlock())
      return user->emitOpError("C2: consumes a KV cache of another block");
    if (consumer)
      return user->emitOpError("C2: consumes a KV cache that ")
             << consumer->getName() << " consumes already";
    consumer = user;
  }
  if (!consumer)
    return success();
  for (OpOperand &use : cache.getUses()) {
    Operation *reader = consumer->getBlock()->findAncestorOpInBlock(*use.getOwner());
    if (isRead(use) && !(reader && reader->isBeforeInBlock(consumer)))
      return use.getOwner()->emitOpError("C2: reads a KV cache after ")
             << consumer->getName() << " has consumed it";
  }
  return success();
}

LogicalResult ModelOp::verifyRegions() {
  auto step = lookupSymbol<func::FuncOp>("step");
  if (!step || step.isExternal())
    return emitOpError("C1: has no function @step");
  FunctionType type = step.getFunctionType();
  bool wellTyped = type.getNumInputs() == 2 && isa<BatchType>(type.getInput(0)) &&
                   isa<KvType>(type.getInput(1)) && type.getNumResults() == 2 &&
                   isActivations(type.getResult(0)) && type.getResult(1) == type.getInput(1);
  if (!wellTyped)
    return step.emitOpError(
        "C1: must have the type (!llm.batch, !llm.kv) -> (tensor<?xVxf32>, !llm.kv)");
  if (cast<RankedTensorType>(type.getResult(0)).getDimSize(1) !=
      static_cast<int64_t>(getVocabulary()))
    return step.emitOpError("C1: must give logits of ")
           << getVocabulary() << " columns, the vocabulary";
  LogicalResult result = success();
  int64_t layers = cast<KvType>(type.getInput(1)).getLayers();
  getBody().walk([&](RopeOp rope) {
    if (rope.getRopes() && static_cast<int64_t>(rope.getRopes()->size()) != layers)
      result = rope.emitOpError("C4: ropes has ")
               << rope.getRopes()->size() << " entries, the model " << layers << " layers";
  });
  getBody().walk([&](Block *block) {
    auto check = [&](Value value) {
      if (isa<KvType>(value.getType()) && failed(verifyKvUses(value)))
        result = failure();
    };
    llvm::for_each(block->getArguments(), check);
    for (Operation &op : *block)
      llvm::for_each(op.getResults(), check);
  });
  return result;
}

LogicalResult WeightOp::verify() {
  if (!isWeight(getType(), 1) && !isWeight(getType(), 2) && !isWeight(getType(), 3))
    return emitOpError("type must be a static vector, matrix or list of matrices of f32, f16, bf16 "
                       "or !llm.quant, its rows whole blocks");
  size_t places = getFrom().count("{}");
  if (places != (getLayers() ? 1 : 0))
    return emitOpError("C2: the name must have ")
           << (getLayers() ? "one '{}' for the layer" : "no '{}' without layers");
  if (getLayers()) {
    ArrayRef<int64_t> layers = *getLayers();
    for (size_t i = 0; i < layers.size(); ++i)
      if (layers[i] < 0 || (i > 0 && layers[i] <= layers[i - 1]))
        return emitOpError("C1: layers must be ascending and not negative");
  }
  return success();
}

std::string WeightOp::sourceName(int64_t layer) {
  auto [before, after] = getFrom().split("{}");
  return getLayers() ? (before + Twine(layer) + after).str() : getFrom().str();
}

LogicalResult GetWeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  if (!weight)
    return emitOpError("C1: ") << getWeightAttr() << " is no llm.weight";
  if (weight.getType() != getResult().getType())
    return emitOpError("C2: ") << getWeightAttr() << " has the type " << weight.getType();
  if (weight.getLayers().has_value() != static_cast<bool>(getLayer()))
    return emitOpError("C3: ") << getWeightAttr()
                               << (getLayer() ? " has no layers" : " needs a layer index");
  return success();
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

LogicalResult LogitRowsOp::verify() {
  if (columns(getX()) != columns(getResult()))
    return emitOpError("C1: x has ")
           << columns(getX()) << " columns and the result " << columns(getResult());
  return success();
}

LogicalResult EmbedOp::verify() {
  if (columns(getTable()) != columns(getResult()))
    return emitOpError("C1: the table has ")
           << columns(getTable()) << " columns and the result " << columns(getResult());
  return success();
}

LogicalResult RmsNormOp::verify() {
  if (columns(getX()) % columns(getWeight()))
    return emitOpError("C1: ") << columns(getX()) << " columns are no multiple of the weight's "
                               << columns(getWeight());
  if (!isPositive(getEps()))
    return emitOpError("C2: eps must be positive");
  return success();
}

LogicalResult LayerNormOp::verify() {
  for (Value operand : {getWeight(), getBias()})
    if (operand && columns(operand) != columns(getX()))
      return emitOpError("C1: weight or bias has ")
             << columns(operand) << " elements, the row " << columns(getX());
  if (!isPositive(getEps()))
    return emitOpError("C2: eps must be positive");
  return success();
}

LogicalResult LinearOp::verify() {
  if (columns(getX()) != columns(getWeight()))
    return emitOpError("C1: x has ")
           << columns(getX()) << " columns and the weight " << columns(getWeight());
  if (columns(getResult()) != rows(getWeight()))
    return emitOpError("C2: the result has ")
           << columns(getResult()) << " columns and the weight " << rows(getWeight()) << " rows";
  if (getBias() && columns(getBias()) != rows(getWeight()))
    return emitOpError("C3: the bias has ")
           << columns(getBias()) << " elements and the weight " << rows(getWeight()) << " rows";
  if (isQuantized(getX().getType()) && !isQuantized(getWeight().getType()))
    return emitOpError("C4: quantised activations need a quantised weight");
  return success();
}

LogicalResult QuantizeOp::verify() {
  if (columns(getX()) != columns(getResult()) || columns(getX()) % 32)
    return emitOpError("C1: x and the result need the same columns, a multiple of 32; they have ")
           << columns(getX()) << " and " << columns(getResult());
  if (getX().getType().getShape() != getResult().getType().getShape())
    return emitOpError("C2: x and the result have different rows for each token");
  return success();
}

LogicalResult RopeOp::verify() {
  int64_t headDim = getHeadDim();
  if (headDim < 1 || columns(getX()) % headDim)
    return emitOpError("C1: ") << columns(getX()) << " columns are no multiple of head_dim "
                               << headDim;
  if (getRope().has_value() == getRopes().has_value() ||
      getRopes().has_value() != static_cast<bool>(getLayer()))
    return emitOpError("C3: needs either rope, or ropes and a layer index");
  SmallVector<RopeAttr> rotations = getRotations();
  if (rotations.empty())
    return emitOpError("C4: ropes is empty");
  RopeAttr first = rotations.front();
  if (first.getDim() > headDim)
    return emitOpError("C2: rope.dim ") << first.getDim() << " is larger than head_dim " << headDim;
  for (RopeAttr rotation : rotations)
    if (rotation.getDim() != first.getDim() || rotation.getStyle() != first.getStyle())
      return emitOpError("C4: ropes must be of one style and dim");
  return success();
}

SmallVector<RopeAttr> RopeOp::getRotations() {
  if (getRope())
    return {*getRope()};
  return llvm::to_vector(getRopes()->getAsRange<RopeAttr>());
}

OpFoldResult ScaleOp::fold(FoldAdaptor) {
  if (getFactor().convertToDouble() == 1.0)
    return getX();
  return {};
}

LogicalResult SoftcapOp::verify() {
  if (!isPositive(getCap()))
    return emitOpError("C1: cap must be positive");
  return success();
}

//===----------------------------------------------------------------------===//
// KV cache
//===----------------------------------------------------------------------===//

LogicalResult KvAppendOp::verify() {
  KvType kv = getKv().getType();
  if (columns(getK()) != kv.getHeads() * kv.getKDim())
    return emitOpError("C1: k has ")
           << columns(getK()) << " columns, the cache " << kv.getHeads() * kv.getKDim();
  if (columns(getV()) != kv.getHeads() * kv.getVDim())
    return emitOpError("C2: v has ")
           << columns(getV()) << " columns, the cache " << kv.getHeads() * kv.getVDim();
  return success();
}

LogicalResult AttentionOp::verify() {
  KvType kv = getKv().getType();
  int64_t perGroup = kv.getHeads() * kv.getKDim();
  if (columns(getQ()) % perGroup)
    return emitOpError("C1: q has ")
           << columns(getQ()) << " columns, no multiple of heads * k_dim = " << perGroup;
  int64_t expected = columns(getQ()) / kv.getKDim() * kv.getVDim();
  if (columns(getResult()) != expected)
    return emitOpError("C2: the result has ")
           << columns(getResult()) << " columns, expected " << expected;
  if (!isPositive(getScale()))
    return emitOpError("C3: scale must be positive and finite");
  if ((getWindow() && static_cast<int64_t>(*getWindow()) < 1) ||
      (getSoftcap() && !isPositive(*getSoftcap())))
    return emitOpError("C4: window and softcap must be positive");
  if (getWindows()) {
    if (getWindow())
      return emitOpError("C5: has both window and windows");
    if (static_cast<int64_t>(getWindows()->size()) != kv.getLayers())
      return emitOpError("C5: windows has ")
             << getWindows()->size() << " entries, the cache " << kv.getLayers() << " layers";
    if (llvm::any_of(*getWindows(), [](int64_t window) { return window < 0; }))
      return emitOpError("C5: windows must not be negative");
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

ParseResult FuseOp::parse(OpAsmParser &parser, OperationState &result) {
  StringRef keyword;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  auto partition = symbolizePartition(keyword);
  if (!partition)
    return parser.emitError(location, "expected tokens, features or heads");
  result.addAttribute("partition", PartitionAttr::get(parser.getContext(), *partition));
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  auto parsePair = [&]() -> ParseResult {
    return failure(parser.parseArgument(arguments.emplace_back()) || parser.parseEqual() ||
                   parser.parseOperand(operands.emplace_back()));
  };
  FunctionType type;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, parsePair) ||
      parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(type))
    return failure();
  if (type.getNumInputs() != operands.size())
    return parser.emitError(location, "expected as many operand types as operands");
  for (auto [argument, argumentType] : llvm::zip(arguments, type.getInputs()))
    argument.type = argumentType;
  result.addTypes(type.getResults());
  Region *body = result.addRegion();
  if (parser.resolveOperands(operands, type.getInputs(), location, result.operands) ||
      parser.parseRegion(*body, arguments))
    return failure();
  ensureTerminator(*body, parser.getBuilder(), result.location);
  return success();
}

void FuseOp::print(OpAsmPrinter &printer) {
  printer << ' ' << stringifyPartition(getPartition()) << " (";
  llvm::interleaveComma(llvm::zip(getBody().getArguments(), getInputs()), printer, [&](auto pair) {
    printer << std::get<0>(pair) << " = " << std::get<1>(pair);
  });
  printer << ')';
  printer.printOptionalAttrDict((*this)->getAttrs(), {"partition"});
  printer << " : ";
  printer.printFunctionalType(getInputs().getTypes(), getResultTypes());
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult FuseOp::verify() {
  if (getBody().getArgumentTypes() != getInputs().getTypes())
    return emitOpError("C1: block arguments and operands differ in number or type");
  if (cast<YieldOp>(getBody().front().getTerminator()).getOperandTypes() != getResultTypes())
    return emitOpError("C2: the yielded types are not the results'");
  return success();
}
