// bool is i1: its sum is "or", its product "and", as torch has it.
#include "llmir/frontend/torch/Scalars.h"

#include "llmir/frontend/torch/Tensors.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
namespace llmir::frontend::torch {

TypedAttr numberAttr(Type element, double value) {
  if (isa<FloatType>(element))
    return FloatAttr::get(element, value);
  if (element.isInteger(1))
    return IntegerAttr::get(element, value != 0);
  // Beyond the integers, any number is as wrong as another; the conversion itself must be defined.
  const double limit = 9.2e18;
  return integerAttr(
      element, static_cast<int64_t>(std::isnan(value) ? 0 : std::clamp(value, -limit, limit)));
}

TypedAttr integerAttr(Type element, int64_t value) {
  if (isa<FloatType>(element))
    return FloatAttr::get(element, static_cast<double>(value));
  if (element.isInteger(1))
    return IntegerAttr::get(element, value != 0);
  if (element.isIndex())
    return IntegerAttr::get(element, value);
  return IntegerAttr::get(element, APInt(element.getIntOrFloatBitWidth(), value, /*isSigned=*/true,
                                         /*implicitTrunc=*/true));
}

Value Scalars::number(Type type, double value) const {
  return arith::ConstantOp::create(builder, loc, numberAttr(type, value));
}

Value Scalars::integer(Type type, int64_t value) const {
  return arith::ConstantOp::create(builder, loc, integerAttr(type, value));
}

static bool isFloat(Value value) { return isa<FloatType>(value.getType()); }
static bool isBool(Value value) { return value.getType().isInteger(1); }

Value Scalars::convert(Value value, Type type) const {
  const Type from = value.getType();
  if (from == type)
    return value;
  if (from.isIndex())
    return convert(arith::IndexCastOp::create(builder, loc, builder.getI64Type(), value), type);
  if (type.isIndex())
    return arith::IndexCastOp::create(builder, loc, type, value);
  if (type.isInteger(1))
    return compare(Order::NotEqual, value, integer(from, 0));
  if (isFloat(value) && isa<FloatType>(type)) {
    const unsigned fromBits = from.getIntOrFloatBitWidth(), bits = type.getIntOrFloatBitWidth();
    if (fromBits == bits) // f16 and bf16
      return convert(convert(value, builder.getF32Type()), type);
    if (fromBits < bits)
      return arith::ExtFOp::create(builder, loc, type, value);
    return arith::TruncFOp::create(builder, loc, type, value);
  }
  if (isFloat(value))
    return arith::FPToSIOp::create(builder, loc, type, value);
  if (isa<FloatType>(type))
    return isBool(value) ? Value(arith::UIToFPOp::create(builder, loc, type, value))
                         : Value(arith::SIToFPOp::create(builder, loc, type, value));
  if (isBool(value))
    return arith::ExtUIOp::create(builder, loc, type, value);
  if (from.getIntOrFloatBitWidth() < type.getIntOrFloatBitWidth())
    return arith::ExtSIOp::create(builder, loc, type, value);
  return arith::TruncIOp::create(builder, loc, type, value);
}

Value Scalars::add(Value a, Value b) const {
  if (isFloat(a))
    return arith::AddFOp::create(builder, loc, a, b);
  return isBool(a) ? Value(arith::OrIOp::create(builder, loc, a, b))
                   : Value(arith::AddIOp::create(builder, loc, a, b));
}

Value Scalars::subtract(Value a, Value b) const {
  if (isFloat(a))
    return arith::SubFOp::create(builder, loc, a, b);
  return arith::SubIOp::create(builder, loc, a, b);
}

Value Scalars::multiply(Value a, Value b) const {
  if (isFloat(a))
    return arith::MulFOp::create(builder, loc, a, b);
  return isBool(a) ? Value(arith::AndIOp::create(builder, loc, a, b))
                   : Value(arith::MulIOp::create(builder, loc, a, b));
}

Value Scalars::divide(Value a, Value b) const { return arith::DivFOp::create(builder, loc, a, b); }

Value Scalars::maximum(Value a, Value b) const {
  if (isFloat(a))
    return arith::MaximumFOp::create(builder, loc, a, b);
  return isBool(a) ? Value(arith::OrIOp::create(builder, loc, a, b))
                   : Value(arith::MaxSIOp::create(builder, loc, a, b));
}

Value Scalars::minimum(Value a, Value b) const {
  if (isFloat(a))
    return arith::MinimumFOp::create(builder, loc, a, b);
  return isBool(a) ? Value(arith::AndIOp::create(builder, loc, a, b))
                   : Value(arith::MinSIOp::create(builder, loc, a, b));
}

Value Scalars::compare(Order order, Value a, Value b) const {
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  constexpr F floats[] = {F::OEQ, F::UNE, F::OLT, F::OLE, F::OGT, F::OGE};
  constexpr I integers[] = {I::eq, I::ne, I::slt, I::sle, I::sgt, I::sge};
  constexpr I bools[] = {I::eq, I::ne, I::ult, I::ule, I::ugt, I::uge};
  const int at = static_cast<int>(order);
  if (isFloat(a))
    return arith::CmpFOp::create(builder, loc, floats[at], a, b);
  return arith::CmpIOp::create(builder, loc, isBool(a) ? bools[at] : integers[at], a, b);
}

} // namespace llmir::frontend::torch
