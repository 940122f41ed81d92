// Runs the ops of @forward one after the other, and lets go of values behind their last use.
#include "llmir/reference/GraphInterpreter.h"

#include "llmir/reference/GraphFrame.h"
#include "llmir/reference/ScalarOps.h"

using namespace mlir;

namespace llmir::reference {

GraphInterpreter::GraphInterpreter(llm::GraphOp graph, WeightSource weights)
    : graph(graph), weights(std::move(weights)) {}

static Expected<DenseTensor> constantTensor(DenseElementsAttr values) {
  auto shape = values.getType().getShape();
  auto result = DenseTensor::make({shape.begin(), shape.end()});
  if (!result)
    return forward(result);
  if (isa<FloatType>(values.getElementType())) {
    for (auto [to, from] : llvm::zip_equal(result->values, values.getValues<APFloat>())) {
      APFloat number = from;
      bool losesInfo = false;
      number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
      to.real = number.convertToDouble();
    }
  } else if (isa<IntegerType, IndexType>(values.getElementType())) {
    const bool isBool = values.getElementType().isInteger(1);
    for (auto [to, from] : llvm::zip_equal(result->values, values.getValues<APInt>()))
      to.integer =
          isBool ? static_cast<int64_t>(from.getZExtValue()) : from.trySExtValue().value_or(0);
  } else {
    return fail("the interpreter knows no numbers of this type");
  }
  return result;
}

static Expected<DenseTensor> loadWeight(llm::GetWeightOp op, llm::GraphOp graph,
                                        const WeightSource &weights) {
  auto symbol = graph.lookupSymbol<llm::WeightOp>(op.getWeightAttr());
  if (symbol.getLayers())
    return fail("a raw graph has no weights of several layers");
  auto found = weights(symbol.getFrom());
  if (!found)
    return forward(found, fmt::format("weight @{}", op.getWeight().str()));
  const RankedTensorType type = symbol.getTensorType();
  const int64_t columns = type.getShape().back();
  auto result = DenseTensor::make({type.getShape().begin(), type.getShape().end()});
  if (!result)
    return forward(result);
  const int64_t rows = static_cast<int64_t>(result->values.size()) / columns;
  if (found->format != *llm::formatOf(type.getElementType()) ||
      ArrayRef(found->shape) != type.getShape() ||
      found->bytes.size() != static_cast<size_t>(rows * rowBytes(found->format, columns)))
    return fail("weight @{} has another type or shape in the source than in the graph",
                op.getWeight().str());
  std::vector<float> row(columns);
  for (int64_t r = 0; r < rows; ++r) {
    dequantize(found->format, found->bytes.data() + r * rowBytes(found->format, columns),
               row.data(), columns);
    for (int64_t i = 0; i < columns; ++i)
      result->values[r * columns + i].real = row[i];
  }
  return result;
}

static Status runOp(Operation *op, GraphFrame &frame, llm::GraphOp graph,
                    const WeightSource &weights) {
  if (auto get = dyn_cast<llm::GetWeightOp>(op)) {
    auto weight = loadWeight(get, graph, weights);
    return weight ? frame.set(get, std::move(*weight)) : forward(weight);
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    if (auto values = dyn_cast<DenseElementsAttr>(constant.getValue())) {
      auto tensor = constantTensor(values);
      return tensor ? frame.set(constant, std::move(*tensor)) : forward(tensor);
    }
  if (ScalarFunction function = scalarFunction(op)) {
    std::vector<Scalar> operands;
    for (Value operand : op->getOperands())
      operands.push_back(frame.scalar(operand));
    auto value = function(operands);
    return value ? frame.set(op->getResult(0), {{}, {*value}}) : forward(value);
  }
  for (auto *run : {runTensorOp, runLinalgOp}) {
    auto isDone = run(op, frame);
    if (!isDone)
      return forward(isDone);
    if (*isDone)
      return {};
  }
  return fail("the interpreter has no definition of this op");
}

Expected<std::vector<DenseTensor>> GraphInterpreter::run(std::span<const DenseTensor> arguments) {
  func::FuncOp function = graph.getForward();
  if (!function.getBody().hasOneBlock())
    return fail("@forward has several blocks, the interpreter runs one");
  if (arguments.size() != function.getNumArguments())
    return fail("@forward takes {} tensors, {} are given", function.getNumArguments(),
                arguments.size());
  Block &block = function.getBody().front();
  GraphFrame frame;
  for (auto [i, argument] : llvm::enumerate(block.getArguments())) {
    if (!isa<RankedTensorType>(argument.getType()))
      return fail("argument {} of @forward is no tensor: only raw graphs are run like this", i);
    if (Status status = frame.set(argument, arguments[i]); !status)
      return forward(status, fmt::format("argument {} of @forward", i));
  }
  llvm::DenseMap<Value, Operation *> lastUse;
  for (Operation &op : block)
    op.walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        lastUse[operand] = &op;
    });
  for (Operation &op : block.without_terminator()) {
    if (Status status = runOp(&op, frame, graph, weights); !status)
      return forward(status, where(&op));
    for (Value operand : op.getOperands())
      if (lastUse.lookup(operand) == &op)
        frame.release(operand);
  }
  std::vector<DenseTensor> results;
  for (Value result : block.getTerminator()->getOperands())
    results.push_back(frame.tensor(result));
  return results;
}

} // namespace llmir::reference
