// Goes through a raw graph in order: what can be nothing but a whole op (products, biases,
// attention) is raised where it stands, and what these need is raised for them. So expressions
// reach from one product to the next, never further.
#include "llmir/transforms/raise/Raiser.h"

namespace llmir::llm::raise {

using namespace mlir;

bool readsData(Algebra &algebra, Expr x) {
  return algebra.contains(
      x, [](Expr node) { return node->is(Kind::Load) && node->base != Base::Table; });
}

Raiser::Raiser(GraphOp graph)
    : algebra(graph.getContext()), elements(algebra, [this](Expr x) { return known.lookup(x); }),
      builder(graph.getContext()), loc(graph.getLoc()), graph(graph), raw(graph.getForward()) {}

RankedTensorType Raiser::rowsType(int64_t columns) {
  return RankedTensorType::get({ShapedType::kDynamic, columns}, builder.getF32Type());
}

Value Raiser::refuse(const Twine &why) {
  if (reason.empty())
    reason = why.str();
  return {};
}

Expr Raiser::rowsLoad(Value rows, AffineExpr column) {
  return algebra.load(Base::Rows, rows.getAsOpaquePointer(),
                      {algebra.index(token()), algebra.index(column)});
}

WeightOp Raiser::weightOf(Expr load) {
  if (!load->is(Kind::Load) || load->base != Base::Weight)
    return {};
  return graph.lookupSymbol<WeightOp>(
      cast<StringAttr>(Attribute::getFromOpaquePointer(load->data)));
}

Value Raiser::weight(Expr load) {
  Value &value = weights[load->data];
  if (!value) {
    WeightOp op = weightOf(load);
    value = GetWeightOp::create(builder, loc, op.getTensorType(),
                                FlatSymbolRefAttr::get(op.getSymNameAttr()), Value());
  }
  return value;
}

Value Raiser::rows(Expr x, int64_t columns) {
  if (Value found = known.lookup(x))
    return found;
  if (x->is(Kind::Load) && x->base == Base::Rows) {
    Value base = Value::getFromOpaquePointer(x->data);
    if (cast<RankedTensorType>(base.getType()).getDimSize(1) == columns &&
        x == rowsLoad(base, column(columns)))
      return base;
  }
  if (x->is(Kind::Load) && x->base == Base::Rows)
    return refuse("only whole rows can be raised, not some of their columns in this order: give q, "
                  "k, v, gate and up "
                  "weights of their own");
  Value result;
  for (auto recognise :
       {raiseEmbedding, raiseLinear, raiseBias, raiseNorm, raiseRope, raiseElementwise})
    if ((result = recognise(*this, x, columns)) || !reason.empty())
      break;
  if (result) {
    reason.clear();
    return known[x] = result;
  }
  Operation *strange = nullptr;
  bool isStrange = algebra.contains(x, [&](Expr node) {
    strange =
        node->is(Kind::Opaque) ? static_cast<Operation *>(const_cast<void *>(node->data)) : nullptr;
    return node->is(Kind::Opaque);
  });
  if (isStrange)
    return refuse(strange ? "'" + strange->getName().getStringRef() +
                                "' is used in a way that raising does not know"
                          : Twine("it is larger than any layer is"));
  return refuse("no embedding, linear, norm, rotation, attention or element-wise op of the dialect "
                "computes it");
}

LogicalResult Raiser::setArguments() {
  Type batchType = BatchType::get(builder.getContext(), BatchKind::Mixed);
  SmallVector<Type> inputs{batchType};
  BlockArgument ids, positionIds, x;
  for (BlockArgument arg : raw.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(arg.getType());
    if (!type || type.getRank() < 2 || type.getDimSize(0) != 1 || !type.isDynamicDim(1) ||
        type.getNumDynamicDims() != 1)
      return raw.emitOpError() << "argument " << arg.getArgNumber() << " is " << arg.getType()
                               << ": only tensors of one batch and a dynamic number of tokens can "
                                  "be raised, tensor<1x?xi64> "
                                  "or tensor<1x?xDxf32>: export with a batch of 1, a dynamic "
                                  "sequence and without attention_mask";
    bool isFloat = isa<FloatType>(type.getElementType());
    BlockArgument *slot = isFloat && type.getRank() == 3 ? &x
                          : type.getRank() == 2 && type.getElementType().isInteger() &&
                                  !type.getElementType().isInteger(1)
                              ? (ids || x ? &positionIds : &ids)
                              : nullptr;
    if (!slot || *slot)
      return raw.emitOpError() << "argument " << arg.getArgNumber() << " is " << arg.getType()
                               << ", but a graph has token ids or hidden states, and position ids: "
                                  "export without attention_mask";
    *slot = arg;
    if (isFloat)
      inputs.push_back(rowsType(type.getDimSize(2)));
  }
  builder.setInsertionPoint(raw);
  raised =
      func::FuncOp::create(builder, raw.getLoc(), "forward", builder.getFunctionType(inputs, {}));
  Block *block = raised.addEntryBlock();
  builder.setInsertionPointToEnd(block);
  batch = block->getArgument(0);
  Type ints = RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  tokens = BatchTokensOp::create(builder, raw.getLoc(), ints, batch);
  positions = BatchPositionsOp::create(builder, raw.getLoc(), ints, batch);
  Expr at = algebra.index(elements.positions(ids ? ids : x ? x : Value())[1]);
  if (ids)
    elements.setElement(ids, algebra.load(Base::Tokens, nullptr, {at}));
  // The dense graph's tokens stand at the positions 0, 1, …, which is what a caller gives as
  // position ids.
  if (positionIds)
    elements.setElement(positionIds, at);
  if (x) {
    Value rows = block->getArgument(1);
    SmallVector<AffineExpr> own = elements.positions(x);
    elements.setElement(
        x, algebra.load(Base::Rows, rows.getAsOpaquePointer(), {at, algebra.index(own[2])}));
  }
  return success();
}

/// The columns of a value's head: those of its last dimension.
static int64_t lastExtent(const Flat &flat) {
  return flat.extents.empty() ? 1 : flat.extents.back();
}

LogicalResult Raiser::raiseBody() {
  std::string nearMiss;
  Location missedAt = raw.getLoc();
  for (Operation &op : raw.getBody().front().without_terminator()) {
    for (Value result : op.getResults()) {
      Expr element = isa<RankedTensorType>(result.getType()) ? elements.element(result) : nullptr;
      if (!element || !element->height ||
          !(element->is(Kind::Sum) || element->is(Kind::Add) || element->is(Kind::Mul)))
        continue;
      std::optional<Flat> flat = elements.flatten(result);
      if (!flat || known.count(flat->element))
        continue;
      loc = op.getLoc();
      reason.clear();
      Value made = raiseLinear(*this, flat->element, flat->columns);
      if (!made && reason.empty())
        made = raiseAttention(*this, flat->element, flat->columns, lastExtent(*flat));
      if (made)
        known[flat->element] = made;
      else if (!reason.empty() && nearMiss.empty()) {
        nearMiss = reason;
        missedAt = loc;
      }
    }
    // A bias belongs to its product before anything splits the sum.
    for (Value result : op.getResults())
      if (Expr element = elements.element(result); element->is(Kind::Add) && !element->height)
        if (std::optional<Flat> flat = elements.flatten(result);
            flat && !known.count(flat->element))
          if (Value made = raiseBias(*this, flat->element, flat->columns)) {
            known[flat->element] = made;
            elements.setElement(result, {});
          }
  }
  auto back = cast<func::ReturnOp>(raw.getBody().front().getTerminator());
  loc = back.getLoc();
  if (back.getNumOperands() != 1)
    return back.emitOpError() << "has " << back.getNumOperands()
                              << " operands: a graph that is raised has one result";
  std::optional<Flat> flat = elements.flatten(back.getOperand(0));
  reason.clear();
  Value result = flat ? rows(flat->element, flat->columns)
                      : refuse("the result is no tensor with one row for each token");
  if (!result) {
    InFlightDiagnostic error = emitError(nearMiss.empty() ? loc : missedAt)
                               << "cannot be raised to llm ops: "
                               << (nearMiss.empty() ? reason : nearMiss);
    if (!nearMiss.empty())
      error.attachNote(loc) << "the result needs it: " << reason;
    return failure();
  }
  func::ReturnOp::create(builder, loc, result);
  raised.setFunctionType(builder.getFunctionType(raised.getArgumentTypes(), result.getType()));
  return success();
}

LogicalResult Raiser::run() {
  if (!raw.getBody().hasOneBlock() || raw.getNumArguments() == 0)
    return raw.emitOpError("has no arguments, or more than one block");
  if (failed(setArguments()))
    return failure();
  if (failed(raiseBody())) {
    raised.erase();
    return failure();
  }
  raw.erase();
  // What was made on the way to something that covers it.
  SmallVector<Operation *> made;
  for (Operation &op : raised.getBody().front().without_terminator())
    made.push_back(&op);
  for (Operation *op : llvm::reverse(made))
    if (op->use_empty())
      op->erase();
  return success();
}

} // namespace llmir::llm::raise
