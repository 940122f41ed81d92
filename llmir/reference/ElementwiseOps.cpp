// Functions of single elements and of pairs of them.
#include "llmir/reference/Machine.h"

#include <cmath>
#include <numbers>

using namespace mlir;

namespace llmir::reference {

double activate(llm::Activation activation, double x) {
  switch (activation) {
  case llm::Activation::Silu:
    return x / (1 + std::exp(-x));
  case llm::Activation::Gelu:
    return x / 2 * (1 + std::erf(x / std::numbers::sqrt2));
  case llm::Activation::GeluTanh:
    return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
  case llm::Activation::Relu:
    return x < 0 ? 0 : x; // NaN stays
  }
  llvm_unreachable("all activations have a definition");
}

template <typename Function>
static Status mapOne(mlir::Value operand, mlir::Value result, Frame &frame, Function function) {
  const Tensor &x = frame.tensor(operand);
  Tensor y = makeTensor(x.rows(), x.columns());
  for (size_t i = 0; i < y.values.size(); ++i)
    y.values[i] = static_cast<float>(function(static_cast<double>(x.values[i])));
  frame.set(result, std::move(y));
  return {};
}

template <typename Function> static Status mapTwo(Operation *op, Frame &frame, Function function) {
  const Tensor &a = frame.tensor(op->getOperand(0)), &b = frame.tensor(op->getOperand(1));
  if (Status status = checkRows(op, b.rows(), a.rows()); !status)
    return status;
  Tensor y = makeTensor(a.rows(), a.columns());
  for (size_t i = 0; i < y.values.size(); ++i)
    y.values[i] = static_cast<float>(
        function(static_cast<double>(a.values[i]), static_cast<double>(b.values[i])));
  frame.set(op->getResult(0), std::move(y));
  return {};
}

static Status glu(llm::GluOp op, Frame &frame) {
  return mapTwo(op, frame,
                [&](double gate, double up) { return activate(op.getActivation(), gate) * up; });
}

static Status activateOp(llm::ActivateOp op, Frame &frame) {
  return mapOne(op.getX(), op.getResult(), frame,
                [&](double x) { return activate(op.getActivation(), x); });
}

static Status scale(llm::ScaleOp op, Frame &frame) {
  double factor = op.getFactor().convertToDouble();
  return mapOne(op.getX(), op.getResult(), frame, [&](double x) { return x * factor; });
}

static Status softcap(llm::SoftcapOp op, Frame &frame) {
  double cap = op.getCap().convertToDouble();
  return mapOne(op.getX(), op.getResult(), frame,
                [&](double x) { return cap * std::tanh(x / cap); });
}

template <typename OpT, typename Function> static Status arith(OpT op, Frame &frame) {
  if (!llm::isActivations(op.getType()))
    return failAt(op, "the interpreter defines this op for activations tensor<?xDxf32> only");
  return mapTwo(op, frame, Function());
}

void registerElementwiseOps(OpTable &table) {
  table.add(glu);
  table.add(activateOp);
  table.add(scale);
  table.add(softcap);
  table.add(arith<arith::AddFOp, std::plus<double>>);
  table.add(arith<arith::SubFOp, std::minus<double>>);
  table.add(arith<arith::MulFOp, std::multiplies<double>>);
}

} // namespace llmir::reference
