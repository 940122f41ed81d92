// Floats are computed in f64 and rounded where they are stored or cast; integers wrap around at the
// width of their type, as arith says.
#include "llmir/reference/ScalarOps.h"

#include "llmir/quant/Format.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <limits>

using namespace mlir;

namespace llmir::reference {

Expected<int64_t> DenseTensor::count(ArrayRef<int64_t> shape) {
  constexpr int64_t most = int64_t(1) << 26;
  int64_t elements = 1;
  for (int64_t size : shape) {
    if (size < 0)
      return fail("a dimension is {}", size);
    if (llvm::MulOverflow(elements, size, elements) || elements > most)
      return fail("a tensor has more than {} elements", most);
  }
  return elements;
}

Expected<DenseTensor> DenseTensor::make(std::vector<int64_t> shape, Scalar value) {
  auto elements = count(shape);
  if (!elements)
    return forward(elements);
  return DenseTensor{std::move(shape), std::vector<Scalar>(*elements, value)};
}

Scalar roundTo(Type type, Scalar value) {
  if (type.isF32())
    return {static_cast<double>(static_cast<float>(value.real))};
  if (auto floats = dyn_cast<FloatType>(type); floats && !type.isF64()) {
    llvm::APFloat number(value.real);
    bool losesInfo = false;
    number.convert(floats.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    return {number.convertToDouble()};
  }
  auto integers = dyn_cast<IntegerType>(type);
  if (!integers)
    return value; // f64, index
  const unsigned width = integers.getWidth();
  if (width == 1)
    return {0, value.integer & 1};
  return {0, width < 64 ? llvm::SignExtend64(static_cast<uint64_t>(value.integer), width)
                        : value.integer};
}

namespace {

unsigned widthOf(Type type) { return type.isIndex() ? 64 : type.getIntOrFloatBitWidth(); }

/// An integer without its sign.
uint64_t asUnsigned(int64_t value, unsigned width) {
  return width < 64 ? static_cast<uint64_t>(value) & ((uint64_t(1) << width) - 1)
                    : static_cast<uint64_t>(value);
}
/// An i1 counts as -1 where its sign matters.
int64_t asSigned(int64_t value, unsigned width) { return width == 1 ? -value : value; }

double maximum(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::nan("") : std::max(a, b);
}
double minimum(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::nan("") : std::min(a, b);
}

using One = double (*)(double);
using Two = double (*)(double, double);
using TwoIntegers = uint64_t (*)(uint64_t, uint64_t);

const llvm::StringMap<One> &floatsOfOne() {
  static const llvm::StringMap<One> table = {
      {"arith.negf", [](double x) { return -x; }},
      {"math.absf", [](double x) { return std::abs(x); }},
      {"math.ceil", [](double x) { return std::ceil(x); }},
      {"math.cos", [](double x) { return std::cos(x); }},
      {"math.erf", [](double x) { return std::erf(x); }},
      {"math.exp", [](double x) { return std::exp(x); }},
      {"math.exp2", [](double x) { return std::exp2(x); }},
      {"math.expm1", [](double x) { return std::expm1(x); }},
      {"math.floor", [](double x) { return std::floor(x); }},
      {"math.log", [](double x) { return std::log(x); }},
      {"math.log1p", [](double x) { return std::log1p(x); }},
      {"math.log2", [](double x) { return std::log2(x); }},
      {"math.roundeven", [](double x) { return std::nearbyint(x); }},
      {"math.rsqrt", [](double x) { return 1 / std::sqrt(x); }},
      {"math.sin", [](double x) { return std::sin(x); }},
      {"math.sqrt", [](double x) { return std::sqrt(x); }},
      {"math.tanh", [](double x) { return std::tanh(x); }},
      {"math.trunc", [](double x) { return std::trunc(x); }},
  };
  return table;
}

const llvm::StringMap<Two> &floatsOfTwo() {
  static const llvm::StringMap<Two> table = {
      {"arith.addf", [](double a, double b) { return a + b; }},
      {"arith.subf", [](double a, double b) { return a - b; }},
      {"arith.mulf", [](double a, double b) { return a * b; }},
      {"arith.divf", [](double a, double b) { return a / b; }},
      {"arith.remf", [](double a, double b) { return std::fmod(a, b); }},
      {"arith.maximumf", maximum},
      {"arith.minimumf", minimum},
      {"arith.maxnumf", [](double a, double b) { return std::fmax(a, b); }},
      {"arith.minnumf", [](double a, double b) { return std::fmin(a, b); }},
      {"math.atan2", [](double a, double b) { return std::atan2(a, b); }},
      {"math.powf", [](double a, double b) { return std::pow(a, b); }},
  };
  return table;
}

const llvm::StringMap<TwoIntegers> &integersOfTwo() {
  static const llvm::StringMap<TwoIntegers> table = {
      {"arith.addi", [](uint64_t a, uint64_t b) { return a + b; }},
      {"arith.subi", [](uint64_t a, uint64_t b) { return a - b; }},
      {"arith.muli", [](uint64_t a, uint64_t b) { return a * b; }},
      {"arith.andi", [](uint64_t a, uint64_t b) { return a & b; }},
      {"arith.ori", [](uint64_t a, uint64_t b) { return a | b; }},
      {"arith.xori", [](uint64_t a, uint64_t b) { return a ^ b; }},
  };
  return table;
}

ScalarFunction division(Operation *op) {
  const bool floors = isa<arith::FloorDivSIOp>(op), ceils = isa<arith::CeilDivSIOp>(op),
             remains = isa<arith::RemSIOp>(op);
  return [=](std::span<const Scalar> x) -> Expected<Scalar> {
    const int64_t a = x[0].integer, b = x[1].integer;
    if (b == 0 || (b == -1 && a == std::numeric_limits<int64_t>::min()))
      return fail("{} is divided by {}", a, b);
    if (remains)
      return Scalar{0, a % b};
    const bool isInexact = a % b != 0, isNegative = (a < 0) != (b < 0);
    return Scalar{0, a / b - (floors && isInexact && isNegative) +
                         (ceils && isInexact && !isNegative)};
  };
}

ScalarFunction comparison(arith::CmpFOp op) {
  const auto predicate = op.getPredicate();
  return [=](std::span<const Scalar> x) -> Expected<Scalar> {
    return Scalar{
        0, arith::applyCmpPredicate(predicate, llvm::APFloat(x[0].real), llvm::APFloat(x[1].real))};
  };
}

ScalarFunction comparison(arith::CmpIOp op) {
  const auto predicate = op.getPredicate();
  const unsigned width = widthOf(op.getLhs().getType());
  return [=](std::span<const Scalar> x) -> Expected<Scalar> {
    return Scalar{0, arith::applyCmpPredicate(predicate,
                                              llvm::APInt(width, asUnsigned(x[0].integer, width)),
                                              llvm::APInt(width, asUnsigned(x[1].integer, width)))};
  };
}

ScalarFunction conversion(Operation *op) {
  const Type from = op->getOperand(0).getType(), to = op->getResult(0).getType();
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return [=](std::span<const Scalar> x) -> Expected<Scalar> { return roundTo(to, x[0]); };
  if (isa<arith::FPToSIOp>(op))
    return [=](std::span<const Scalar> x) -> Expected<Scalar> {
      const double whole = std::trunc(x[0].real);
      const double limit = std::ldexp(1.0, static_cast<int>(widthOf(to)) - 1);
      if (!(whole >= -limit && whole < limit))
        return fail("{} does not fit into an integer of {} bits", x[0].real, widthOf(to));
      return roundTo(to, {0, static_cast<int64_t>(whole)});
    };
  const unsigned width = widthOf(from);
  if (isa<arith::SIToFPOp>(op))
    return [=](std::span<const Scalar> x) -> Expected<Scalar> {
      return Scalar{static_cast<double>(asSigned(x[0].integer, width))};
    };
  if (isa<arith::UIToFPOp>(op))
    return [=](std::span<const Scalar> x) -> Expected<Scalar> {
      return Scalar{static_cast<double>(asUnsigned(x[0].integer, width))};
    };
  const bool isSigned = isa<arith::ExtSIOp, arith::IndexCastOp>(op);
  return [=](std::span<const Scalar> x) -> Expected<Scalar> {
    return roundTo(to, {0, isSigned ? asSigned(x[0].integer, width)
                                    : static_cast<int64_t>(asUnsigned(x[0].integer, width))});
  };
}

ScalarFunction constant(arith::ConstantOp op) {
  Scalar value;
  if (auto number = dyn_cast<FloatAttr>(op.getValue()))
    value.real = number.getValueAsDouble();
  else if (auto number = dyn_cast<IntegerAttr>(op.getValue()))
    value = roundTo(op.getType(), {0, number.getType().isInteger(1)
                                          ? static_cast<int64_t>(number.getValue().getZExtValue())
                                          : number.getValue().trySExtValue().value_or(0)});
  else
    return {};
  return [=](std::span<const Scalar>) -> Expected<Scalar> { return value; };
}

/// Whether all operands and the result are numbers that a Scalar holds.
bool isScalar(Operation *op) {
  auto isNumber = [](Type type) {
    return type.isIndex() || isa<FloatType>(type) ||
           (isa<IntegerType>(type) && type.getIntOrFloatBitWidth() <= 64);
  };
  return op->getNumResults() == 1 && isNumber(op->getResult(0).getType()) &&
         llvm::all_of(op->getOperandTypes(), isNumber);
}

} // namespace

ScalarFunction scalarFunction(Operation *op) {
  if (!isScalar(op))
    return {};
  const StringRef name = op->getName().getStringRef();
  const Type type = op->getResult(0).getType();
  if (auto found = floatsOfOne().find(name); found != floatsOfOne().end())
    return [f = found->second](std::span<const Scalar> x) -> Expected<Scalar> {
      return Scalar{f(x[0].real)};
    };
  if (auto found = floatsOfTwo().find(name); found != floatsOfTwo().end())
    return [f = found->second](std::span<const Scalar> x) -> Expected<Scalar> {
      return Scalar{f(x[0].real, x[1].real)};
    };
  if (auto found = integersOfTwo().find(name); found != integersOfTwo().end())
    return [f = found->second, type](std::span<const Scalar> x) -> Expected<Scalar> {
      return roundTo(type, {0, static_cast<int64_t>(f(x[0].integer, x[1].integer))});
    };
  const unsigned width = isa<FloatType>(type) ? 64 : widthOf(type);
  if (isa<arith::MaxSIOp, arith::MinSIOp>(op))
    return [isMax = isa<arith::MaxSIOp>(op), width](std::span<const Scalar> x) -> Expected<Scalar> {
      const bool firstIsLess = asSigned(x[0].integer, width) < asSigned(x[1].integer, width);
      return firstIsLess == isMax ? x[1] : x[0];
    };
  if (isa<arith::DivSIOp, arith::FloorDivSIOp, arith::CeilDivSIOp, arith::RemSIOp>(op) && width > 1)
    return division(op);
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    return comparison(compare);
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return comparison(compare);
  if (isa<arith::SelectOp>(op))
    return [](std::span<const Scalar> x) -> Expected<Scalar> { return x[0].integer ? x[1] : x[2]; };
  if (isa<arith::ExtFOp, arith::TruncFOp, arith::FPToSIOp, arith::SIToFPOp, arith::UIToFPOp,
          arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp, arith::IndexCastOp>(op))
    return conversion(op);
  if (auto value = dyn_cast<arith::ConstantOp>(op))
    return constant(value);
  return {};
}

} // namespace llmir::reference
