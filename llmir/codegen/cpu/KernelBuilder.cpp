// The kernel vocabulary; see KernelBuilder.h.
#include "llmir/codegen/cpu/KernelBuilder.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
namespace llmir::cpu {

void registerKernelDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                  scf::SCFDialect, vector::VectorDialect>();
}

KernelBuilder::KernelBuilder(ModuleOp module, const Target &target)
    : b(module.getContext()), loc(b.getUnknownLoc()), module(module), target(target) {
  i1 = b.getI1Type();
  i8 = b.getI8Type();
  i16 = b.getI16Type();
  i32 = b.getI32Type();
  i64 = b.getI64Type();
  f16 = b.getF16Type();
  bf16 = b.getBF16Type();
  f32 = b.getF32Type();
  f64 = b.getF64Type();
  ptr = LLVM::LLVMPointerType::get(module.getContext());
}

func::FuncOp KernelBuilder::function(StringRef name, TypeRange arguments,
                                     function_ref<void(ValueRange)> body, bool isPrivate) {
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(module.getBody());
  auto function = func::FuncOp::create(b, loc, name, b.getFunctionType(arguments, {}));
  if (isPrivate)
    function.setPrivate();
  for (auto [i, type] : llvm::enumerate(arguments))
    if (type == ptr)
      function.setArgAttr(i, "llvm.noalias", b.getUnitAttr());
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  body(entry->getArguments());
  func::ReturnOp::create(b, loc);
  return function;
}

static bool isFloat(Value x) { return isa<FloatType>(getElementTypeOrSelf(x)); }

Value KernelBuilder::constInt(int64_t value, Type type) {
  auto element = b.getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vector, Attribute(element)));
  return arith::ConstantOp::create(b, loc, element);
}

Value KernelBuilder::constFloat(double value, Type type) {
  auto element = b.getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vector, Attribute(element)));
  return arith::ConstantOp::create(b, loc, element);
}

Value KernelBuilder::add(Value x, Value y) {
  return isFloat(x) ? Value(arith::AddFOp::create(b, loc, x, y))
                    : Value(arith::AddIOp::create(b, loc, x, y));
}
Value KernelBuilder::sub(Value x, Value y) {
  return isFloat(x) ? Value(arith::SubFOp::create(b, loc, x, y))
                    : Value(arith::SubIOp::create(b, loc, x, y));
}
Value KernelBuilder::mul(Value x, Value y) {
  return isFloat(x) ? Value(arith::MulFOp::create(b, loc, x, y))
                    : Value(arith::MulIOp::create(b, loc, x, y));
}
Value KernelBuilder::div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
Value KernelBuilder::divUnsigned(Value x, Value y) { return arith::DivUIOp::create(b, loc, x, y); }
Value KernelBuilder::remUnsigned(Value x, Value y) { return arith::RemUIOp::create(b, loc, x, y); }

static constexpr auto noNan = arith::FastMathFlags::nnan | arith::FastMathFlags::nsz;
Value KernelBuilder::min(Value x, Value y) {
  return isFloat(x) ? Value(arith::MinNumFOp::create(b, loc, x, y, noNan))
                    : Value(arith::MinSIOp::create(b, loc, x, y));
}
Value KernelBuilder::max(Value x, Value y) {
  return isFloat(x) ? Value(arith::MaxNumFOp::create(b, loc, x, y, noNan))
                    : Value(arith::MaxSIOp::create(b, loc, x, y));
}
Value KernelBuilder::fma(Value x, Value y, Value accumulator) {
  if (target.isa == CpuIsa::Portable)
    return add(mul(x, y), accumulator);
  return math::FmaOp::create(b, loc, x, y, accumulator);
}
Value KernelBuilder::bitAnd(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
Value KernelBuilder::bitOr(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
Value KernelBuilder::shiftLeft(Value x, int64_t bits) {
  return arith::ShLIOp::create(b, loc, x, constInt(bits, x.getType()));
}
Value KernelBuilder::shiftRightUnsigned(Value x, int64_t bits) {
  return arith::ShRUIOp::create(b, loc, x, constInt(bits, x.getType()));
}
Value KernelBuilder::shiftRightUnsigned(Value x, Value bits) {
  if (auto vector = dyn_cast<VectorType>(x.getType()))
    bits = splat(bits, vector.getNumElements());
  return arith::ShRUIOp::create(b, loc, x, bits);
}
Value KernelBuilder::lessThan(Value x, Value y) {
  if (isFloat(x))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, x, y);
}
Value KernelBuilder::isNull(Value pointer) {
  return LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq, pointer,
                              LLVM::ZeroOp::create(b, loc, ptr));
}
Value KernelBuilder::isEqual(Value x, Value y) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, y);
}
Value KernelBuilder::isNot(Value condition) {
  return arith::XOrIOp::create(b, loc, condition, constInt(1, condition.getType()));
}
Value KernelBuilder::select(Value condition, Value whenTrue, Value whenFalse) {
  return arith::SelectOp::create(b, loc, condition, whenTrue, whenFalse);
}

Value KernelBuilder::intToFloat(Value x, Type type) {
  return arith::SIToFPOp::create(b, loc, type, x);
}
Value KernelBuilder::floatToInt(Value x, Type type) {
  return arith::FPToSIOp::create(b, loc, type, x);
}

/// `type` with another element type, scalar or vector.
static Type withElement(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.cloneWith(std::nullopt, element)) : element;
}

/// f16 to f32: the fields are moved into place, and a product corrects the exponent, of subnormal
/// numbers too.
static Value halfToFloatByInteger(KernelBuilder &k, Value half, Type type) {
  Type wide = withElement(type, k.i32);
  auto constant = [&](int64_t value) { return k.constInt(value, wide); };
  Value bits = k.extendUnsigned(k.bitcast(half, withElement(type, k.i16)), wide);
  Value magnitude = k.bitAnd(bits, constant(0x7fff));
  Value finite = k.mul(k.bitcast(k.shiftLeft(magnitude, 13), type), k.constFloat(0x1p112, type));
  // Infinity and NaN have the largest exponent, which the product misses.
  Value special = k.bitOr(k.shiftLeft(magnitude, 13), constant(0x7f800000));
  Value result =
      k.select(k.lessThan(magnitude, constant(0x7c00)), k.bitcast(finite, wide), special);
  Value sign = k.shiftLeft(k.bitAnd(bits, constant(0x8000)), 16);
  return k.bitcast(k.bitOr(result, sign), type);
}

/// f32 to f16, to nearest even, overflow to infinity.
static Value floatToHalfByInteger(KernelBuilder &k, Value value, Type type) {
  Type wide = withElement(type, k.i32);
  auto constant = [&](int64_t number) { return k.constInt(number, wide); };
  Value bits = k.bitcast(value, wide);
  Value magnitude = k.bitAnd(bits, constant(0x7fffffff));
  // Normal numbers: move the exponent's bias, add just under half of the last place (all of it if
  // that place is odd), cut off.
  Value odd = k.bitAnd(k.shiftRightUnsigned(magnitude, 13), constant(1));
  Value rounded = k.add(k.add(magnitude, odd), constant(0xfff - (int64_t(127 - 15) << 23)));
  Value normal = k.shiftRightUnsigned(rounded, 13);
  // Numbers below the smallest normal one: adding 0.5 lets the adder round them to units of 2^-24.
  Value subnormal = k.sub(
      k.bitcast(k.add(k.bitcast(magnitude, value.getType()), k.constFloat(0.5, value.getType())),
                wide),
      constant(0x3f000000));
  Value result = k.select(k.lessThan(magnitude, constant(0x38800000)), subnormal, normal);
  result = k.select(k.lessThan(magnitude, constant(0x47800000)), result, constant(0x7c00));
  result = k.select(k.lessThan(constant(0x7f800000), magnitude), constant(0x7e00), result);
  Value sign = k.bitAnd(k.shiftRightUnsigned(bits, 16), constant(0x8000));
  return k.bitcast(k.truncateInt(k.bitOr(result, sign), withElement(type, k.i16)), type);
}

Value KernelBuilder::extendFloat(Value x, Type type) {
  if (target.isa == CpuIsa::Portable && getElementTypeOrSelf(x) == f16 &&
      getElementTypeOrSelf(type) == f32)
    return halfToFloatByInteger(*this, x, type);
  return arith::ExtFOp::create(b, loc, type, x);
}
Value KernelBuilder::truncateFloat(Value x, Type type) {
  if (target.isa == CpuIsa::Portable && getElementTypeOrSelf(x) == f32 &&
      getElementTypeOrSelf(type) == f16)
    return floatToHalfByInteger(*this, x, type);
  return arith::TruncFOp::create(b, loc, type, x);
}
Value KernelBuilder::extendSigned(Value x, Type type) {
  return arith::ExtSIOp::create(b, loc, type, x);
}
Value KernelBuilder::extendUnsigned(Value x, Type type) {
  return arith::ExtUIOp::create(b, loc, type, x);
}
Value KernelBuilder::truncateInt(Value x, Type type) {
  return arith::TruncIOp::create(b, loc, type, x);
}
Value KernelBuilder::bitcast(Value x, Type type) {
  return LLVM::BitcastOp::create(b, loc, type, x);
}

Value KernelBuilder::splat(Value scalar, int64_t count) {
  return vector::BroadcastOp::create(b, loc, vec(count, scalar.getType()), scalar);
}
Value KernelBuilder::shuffle(Value x, Value y, ArrayRef<int64_t> indices) {
  return vector::ShuffleOp::create(b, loc, x, y, indices);
}
Value KernelBuilder::concatenate(Values parts) {
  while (parts.size() > 1) {
    Values pairs;
    for (size_t i = 0; i < parts.size(); i += 2) {
      int64_t count = 2 * cast<VectorType>(parts[i].getType()).getNumElements();
      pairs.push_back(
          shuffle(parts[i], parts[i + 1], llvm::to_vector(llvm::seq<int64_t>(0, count))));
    }
    parts = pairs;
  }
  return parts.front();
}
Value KernelBuilder::extractLane(Value vector, int64_t lane) {
  return vector::ExtractOp::create(b, loc, vector, lane);
}

/// Combines the two halves of a vector until one lane is left: an order that does not depend on
/// LLVM's mood.
static Value reduceLanes(KernelBuilder &k, Value vector,
                         function_ref<Value(Value, Value)> combine) {
  int64_t count = cast<VectorType>(vector.getType()).getNumElements();
  while (count > 1) {
    int64_t half = (count + 1) / 2;
    SmallVector<int64_t> low(llvm::to_vector(llvm::seq<int64_t>(0, half))), high;
    // An odd middle lane is passed on as it is.
    if (count % 2) {
      Value middle = k.extractLane(vector, half - 1);
      high = llvm::to_vector(llvm::seq<int64_t>(half, count));
      SmallVector<int64_t> lowEven(llvm::to_vector(llvm::seq<int64_t>(0, half - 1)));
      Value combined = combine(k.shuffle(vector, vector, lowEven), k.shuffle(vector, vector, high));
      Value one =
          vector::BroadcastOp::create(k.b, k.loc, k.vec(half - 1, middle.getType()), middle);
      low.back() = half - 1;
      vector = k.shuffle(combined, one, low);
    } else {
      high = llvm::to_vector(llvm::seq<int64_t>(half, count));
      vector = combine(k.shuffle(vector, vector, low), k.shuffle(vector, vector, high));
    }
    count = half;
  }
  return k.extractLane(vector, 0);
}

Value KernelBuilder::sumLanes(Value vector) {
  return reduceLanes(*this, vector, [&](Value x, Value y) { return add(x, y); });
}
Value KernelBuilder::maxLanes(Value vector) {
  return reduceLanes(*this, vector, [&](Value x, Value y) { return max(x, y); });
}
Value KernelBuilder::laneNumbers(int64_t count) {
  SmallVector<int32_t> numbers(llvm::to_vector(llvm::seq<int32_t>(0, count)));
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(vec(count, i32), ArrayRef<int32_t>(numbers)));
}

Value KernelBuilder::offset(Value pointer, Value bytes) {
  return LLVM::GEPOp::create(b, loc, ptr, i8, pointer, ArrayRef<LLVM::GEPArg>{bytes});
}
Value KernelBuilder::offset(Value pointer, int64_t bytes) {
  return bytes ? offset(pointer, index(bytes)) : pointer;
}
Value KernelBuilder::load(Value pointer, Type type, unsigned alignment) {
  return LLVM::LoadOp::create(b, loc, type, pointer, alignment);
}
void KernelBuilder::store(Value value, Value pointer, unsigned alignment) {
  LLVM::StoreOp::create(b, loc, value, pointer, alignment);
}
static Value firstLanes(KernelBuilder &k, VectorType type, Value count) {
  int64_t lanes = type.getNumElements();
  return k.lessThan(k.laneNumbers(lanes), k.splat(k.truncateInt(count, k.i32), lanes));
}
Value KernelBuilder::loadFirst(Value pointer, VectorType type, Value count) {
  return LLVM::MaskedLoadOp::create(b, loc, type, pointer, firstLanes(*this, type, count),
                                    constFloat(0, type), b.getI32IntegerAttr(1));
}
void KernelBuilder::storeFirst(Value vector, Value pointer, Value count) {
  LLVM::MaskedStoreOp::create(b, loc, vector, pointer,
                              firstLanes(*this, cast<VectorType>(vector.getType()), count),
                              /*alignment=*/1);
}
void KernelBuilder::storeVolatile(Value value, Value pointer) {
  LLVM::StoreOp::create(b, loc, value, pointer, 1, /*isVolatile=*/true);
}
void KernelBuilder::prefetch(Value pointer) {
  LLVM::Prefetch::create(b, loc, pointer, /*rw=*/0, /*hint=*/3, /*cache=*/1);
}
Value KernelBuilder::stack(int64_t bytes) {
  return LLVM::AllocaOp::create(b, loc, ptr, i8, index(bytes), /*alignment=*/64);
}

template <typename T>
static Value placeArray(KernelBuilder &k, Type element, StringRef name, ArrayRef<T> values) {
  if (!k.module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(k.b);
    k.b.setInsertionPointToStart(k.module.getBody());
    auto elements =
        DenseElementsAttr::get(RankedTensorType::get({int64_t(values.size())}, element), values);
    LLVM::GlobalOp::create(k.b, k.loc, LLVM::LLVMArrayType::get(element, values.size()),
                           /*isConstant=*/true, LLVM::Linkage::Private, name, elements);
  }
  return LLVM::AddressOfOp::create(k.b, k.loc, k.ptr, name);
}

Value KernelBuilder::constantArray(StringRef name, ArrayRef<double> values) {
  return placeArray(*this, f64, name, values);
}

Value KernelBuilder::constantArray(StringRef name, ArrayRef<int64_t> values) {
  return placeArray(*this, i64, name, values);
}

Value KernelBuilder::intrinsic(StringRef name, Type result, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, loc, result, b.getStringAttr(name), operands)
      .getResult(0);
}

Value KernelBuilder::callC(StringRef name, Type result, ValueRange operands) {
  if (!module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    func::FuncOp::create(b, loc, name, b.getFunctionType(operands.getTypes(), {result}))
        .setPrivate();
  }
  return func::CallOp::create(b, loc, name, TypeRange{result}, operands).getResult(0);
}

Values KernelBuilder::forLoop(Value from, Value to, Value step, ValueRange init,
                              function_ref<Values(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, loc, from, to, step, init,
                                 [&](OpBuilder &inner, Location, Value i, ValueRange carried) {
                                   OpBuilder outer = b;
                                   b = inner;
                                   scf::YieldOp::create(b, loc, body(i, carried));
                                   b = outer;
                                 });
  return Values(loop.getResults());
}
Values KernelBuilder::forLoop(Value from, Value to, int64_t step, ValueRange init,
                              function_ref<Values(Value, ValueRange)> body) {
  return forLoop(from, to, index(step), init, body);
}
void KernelBuilder::forLoop(Value from, Value to, int64_t step, function_ref<void(Value)> body) {
  forLoop(from, to, step, ValueRange{}, [&](Value i, ValueRange) -> Values {
    body(i);
    return {};
  });
}
void KernelBuilder::forColumns(int64_t columns, function_ref<void(Value, int64_t)> body) {
  int64_t whole = columns / lanes() * lanes();
  if (whole)
    forLoop(index(0), index(whole), lanes(), [&](Value first) { body(first, lanes()); });
  if (whole < columns)
    body(index(whole), columns - whole);
}
void KernelBuilder::ifThen(Value condition, function_ref<void()> body) {
  scf::IfOp::create(b, loc, condition, [&](OpBuilder &inner, Location) {
    OpBuilder outer = b;
    b = inner;
    body();
    scf::YieldOp::create(b, loc);
    b = outer;
  });
}

} // namespace llmir::cpu
