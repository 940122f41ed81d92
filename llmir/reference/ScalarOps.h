// Scalar ops of arith and math, looked up once and run for every element.
#pragma once

#include "llmir/reference/DenseTensor.h"
#include "mlir/IR/Operation.h"
#include <functional>
#include <span>

namespace llmir::reference {

/// What an op makes of its operands. Fails, with the reason alone, where it is undefined.
using ScalarFunction = std::function<Expected<Scalar>(std::span<const Scalar>)>;

/// The function of an op of one scalar result, constants too; empty if the interpreter has none.
ScalarFunction scalarFunction(mlir::Operation *op);

} // namespace llmir::reference
