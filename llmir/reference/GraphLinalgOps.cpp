// Structured ops of linalg: a loop nest whose extents are those of the operands, and a body of
// scalar ops that is looked up once and run for every point.
#include "llmir/reference/GraphFrame.h"
#include "llmir/reference/ScalarOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace llmir::reference {

namespace {

/// The value of an affine expression; nothing where it is undefined or does not fit.
std::optional<int64_t> evaluate(AffineExpr expression, ArrayRef<int64_t> dims) {
  if (auto dim = dyn_cast<AffineDimExpr>(expression))
    return dims[dim.getPosition()];
  if (auto constant = dyn_cast<AffineConstantExpr>(expression))
    return constant.getValue();
  auto binary = dyn_cast<AffineBinaryOpExpr>(expression);
  if (!binary)
    return std::nullopt; // structured ops have no symbols
  auto a = evaluate(binary.getLHS(), dims), b = evaluate(binary.getRHS(), dims);
  if (!a || !b)
    return std::nullopt;
  int64_t result = 0;
  switch (expression.getKind()) {
  case AffineExprKind::Add:
    return llvm::AddOverflow(*a, *b, result) ? std::nullopt : std::optional(result);
  case AffineExprKind::Mul:
    return llvm::MulOverflow(*a, *b, result) ? std::nullopt : std::optional(result);
  default:
    break;
  }
  if (*b <= 0)
    return std::nullopt;
  const int64_t rest = (*a % *b + *b) % *b, floor = *a / *b - (*a % *b < 0);
  if (expression.getKind() == AffineExprKind::Mod)
    return rest;
  return floor + (expression.getKind() == AffineExprKind::CeilDiv && rest != 0);
}

/// The body as steps on an array of numbers: those of the block's arguments, then one for each op.
class Body {
public:
  static Expected<Body> of(Block &block, const GraphFrame &frame) {
    Body body;
    for (BlockArgument argument : block.getArguments())
      body.slotOf(argument);
    for (Operation &op : block) {
      Step &step = body.steps.emplace_back();
      step.op = &op;
      auto extract = dyn_cast<tensor::ExtractOp>(op);
      if (extract) {
        if (block.getParent()->isAncestor(extract.getTensor().getParentRegion()))
          return failAt(&op, "reads a tensor that is made in the body");
        step.table = &frame.tensor(extract.getTensor());
      }
      for (Value operand : extract ? ValueRange(extract.getIndices()) : op.getOperands()) {
        auto known = body.slots.find(operand);
        if (known != body.slots.end()) {
          step.operands.push_back(known->second);
        } else {
          const size_t slot = body.slotOf(operand); // from outside of the body
          if (isa<ShapedType>(operand.getType()) || !frame.has(operand))
            return failAt(&op, "an operand is no number of the body or the graph");
          body.numbers[slot] = frame.scalar(operand);
          step.operands.push_back(slot);
        }
      }
      if (auto index = dyn_cast<linalg::IndexOp>(op))
        step.dim = static_cast<int64_t>(index.getDim());
      else if (!extract && !op.hasTrait<OpTrait::IsTerminator>()) {
        step.function = scalarFunction(&op);
        if (!step.function)
          return failAt(&op, "the interpreter has no definition of this op in a body");
      }
      for (Value result : op.getResults())
        step.result = body.slotOf(result);
    }
    return body;
  }

  Scalar &argument(size_t i) { return numbers[i]; }
  Scalar yielded(size_t i) const { return numbers[steps.back().operands[i]]; }

  Status run(ArrayRef<int64_t> point) {
    for (const Step &step : ArrayRef(steps).drop_back()) {
      inputs.clear();
      for (size_t slot : step.operands)
        inputs.push_back(numbers[slot]);
      if (step.dim >= 0) {
        numbers[step.result] = {0, point[step.dim]};
      } else if (step.table) {
        std::vector<int64_t> indices;
        for (Scalar index : inputs)
          indices.push_back(index.integer);
        const int64_t offset = offsetOf(step.table->shape, indices);
        if (offset < 0)
          return failAt(step.op, "the element [{}] of a tensor [{}]", fmt::join(indices, ", "),
                        fmt::join(step.table->shape, ", "));
        numbers[step.result] = step.table->values[offset];
      } else {
        auto value = step.function(inputs);
        if (!value)
          return forward(value, where(step.op));
        numbers[step.result] = *value;
      }
    }
    return {};
  }

private:
  struct Step {
    Operation *op = nullptr;
    ScalarFunction function;
    const DenseTensor *table = nullptr;
    int64_t dim = -1;
    std::vector<size_t> operands;
    size_t result = 0;
  };

  size_t slotOf(Value value) {
    auto [slot, isNew] = slots.try_emplace(value, numbers.size());
    if (isNew)
      numbers.emplace_back();
    return slot->second;
  }

  llvm::DenseMap<Value, size_t> slots;
  std::vector<Step> steps;
  std::vector<Scalar> numbers, inputs;
};

/// The extents of the loops: those of the operands' dimensions that one loop alone goes along.
Expected<std::vector<int64_t>> extentsOf(linalg::LinalgOp op, const GraphFrame &frame) {
  std::vector<int64_t> extents(op.getNumLoops(), -1);
  for (auto [operand, map] : llvm::zip_equal(op->getOperands(), op.getIndexingMapsArray())) {
    const auto &shape = frame.tensor(operand).shape;
    if (map.getNumResults() != shape.size())
      return fail("an operand has {} dimensions, its map {}", shape.size(), map.getNumResults());
    for (auto [size, expression] : llvm::zip_equal(shape, map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expression)) {
        int64_t &extent = extents[dim.getPosition()];
        if (extent >= 0 && extent != size)
          return fail("loop {} goes along dimensions of {} and {}", dim.getPosition(), extent,
                      size);
        extent = size;
      }
  }
  constexpr int64_t most = int64_t(1) << 33;
  int64_t points = 1;
  for (auto [loop, extent] : llvm::enumerate(extents)) {
    if (extent < 0)
      return fail("no operand says how far loop {} goes", loop);
    if (llvm::MulOverflow(points, extent, points) || points > most)
      return fail("the loops have more than {} points", most);
  }
  return extents;
}

Expected<int64_t> offsetAt(AffineMap map, ArrayRef<int64_t> point, ArrayRef<int64_t> shape) {
  int64_t offset = 0;
  for (auto [size, expression] : llvm::zip_equal(shape, map.getResults())) {
    auto index = evaluate(expression, point);
    if (!index || *index < 0 || *index >= size)
      return fail("a map leaves a dimension of {}", size);
    offset = offset * size + *index;
  }
  return offset;
}

} // namespace

Expected<bool> runLinalgOp(Operation *operation, GraphFrame &frame) {
  auto op = dyn_cast<linalg::LinalgOp>(operation);
  if (!op)
    return false;
  if (!op.hasPureTensorSemantics())
    return fail("the interpreter runs it on tensors only");
  auto extents = extentsOf(op, frame);
  if (!extents)
    return forward(extents);
  auto body = Body::of(*op.getBlock(), frame);
  if (!body)
    return forward(body);
  const auto maps = op.getIndexingMapsArray();
  const auto inputs = static_cast<size_t>(op.getNumDpsInputs());
  std::vector<const DenseTensor *> operands;
  std::vector<DenseTensor> results;
  for (Value operand : op->getOperands())
    operands.push_back(&frame.tensor(operand));
  for (Value init : op.getDpsInits())
    results.push_back(frame.tensor(init));
  std::vector<int64_t> point(extents->size()), offsets(operands.size());
  bool more = !llvm::is_contained(*extents, 0);
  while (more) {
    for (size_t i = 0; i < operands.size(); ++i) {
      auto offset = offsetAt(maps[i], point, operands[i]->shape);
      if (!offset)
        return forward(offset);
      offsets[i] = *offset;
      body->argument(i) =
          i < inputs ? operands[i]->values[*offset] : results[i - inputs].values[*offset];
    }
    if (Status status = body->run(point); !status)
      return forward(status);
    for (size_t i = inputs; i < operands.size(); ++i)
      results[i - inputs].values[offsets[i]] = body->yielded(i - inputs);
    more = false;
    for (size_t i = point.size(); i-- > 0 && !more;) {
      more = ++point[i] < (*extents)[i];
      if (!more)
        point[i] = 0;
    }
  }
  for (auto [value, result] : llvm::zip_equal(operation->getResults(), results))
    if (Status status = frame.set(value, std::move(result)); !status)
      return forward(status);
  return true;
}

} // namespace llmir::reference
