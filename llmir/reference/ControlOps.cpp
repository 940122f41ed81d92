// What moves values and control: calls, loops, phases, index arithmetic.
#include "llmir/reference/Machine.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include <cassert>

using namespace mlir;

namespace llmir::reference {

static void setResults(Operation *op, RuntimeValues values, Frame &frame) {
  for (auto [result, value] : llvm::zip_equal(op->getResults(), values))
    frame.set(result, value);
}

static Status call(func::CallOp op, Frame &frame) {
  auto callee = frame.machine.lookup<func::FuncOp>(op.getCalleeAttr());
  if (!callee || callee.isExternal())
    return failAt(op, "@{} has no body in the model", op.getCallee().str());
  auto results = frame.machine.runRegion(callee.getBody(), frame.valuesOf(op.getOperands()));
  if (!results)
    return forward(results);
  setResults(op, std::move(*results), frame);
  return {};
}

static Status fuse(llm::FuseOp op, Frame &frame) {
  auto results = frame.machine.runRegion(op.getBody(), frame.valuesOf(op.getInputs()));
  if (!results)
    return forward(results);
  setResults(op, std::move(*results), frame);
  return {};
}

static Status forLoop(scf::ForOp op, Frame &frame) {
  assert(op.getInductionVar().getType().isIndex() && "no other integer is defined");
  int64_t upper = frame.index(op.getUpperBound()), step = frame.index(op.getStep());
  if (step < 1)
    return failAt(op, "the step is {}, it must be positive", step);
  RuntimeValues carried = frame.valuesOf(op.getInitArgs());
  for (int64_t i = frame.index(op.getLowerBound()); i < upper; i += step) {
    carried.insert(carried.begin(), i);
    auto results = frame.machine.runBlock(*op.getBody(), std::move(carried), frame);
    if (!results)
      return forward(results);
    carried = std::move(*results);
  }
  setResults(op, std::move(carried), frame);
  return {};
}

static Status constant(arith::ConstantOp op, Frame &frame) {
  if (!op.getType().isIndex())
    return failAt(op, "the interpreter defines constants of type index only");
  frame.set(op.getResult(), cast<IntegerAttr>(op.getValue()).getInt());
  return {};
}

/// Index arithmetic wraps around, as arith says.
template <typename OpT, typename Function> static Status indexArith(OpT op, Frame &frame) {
  assert(op.getType().isIndex() && "no other integer is defined");
  auto a = static_cast<uint64_t>(frame.index(op.getLhs()));
  auto b = static_cast<uint64_t>(frame.index(op.getRhs()));
  frame.set(op.getResult(), static_cast<int64_t>(Function()(a, b)));
  return {};
}

void registerControlOps(OpTable &table) {
  table.add(call);
  table.add(fuse);
  table.add(forLoop);
  table.add(constant);
  table.add(indexArith<arith::AddIOp, std::plus<uint64_t>>);
  table.add(indexArith<arith::SubIOp, std::minus<uint64_t>>);
  table.add(indexArith<arith::MulIOp, std::multiplies<uint64_t>>);
}

} // namespace llmir::reference
