// The vocabulary in which CPU kernels are written: short names for the arith, vector, scf and llvm
// ops they are made of. Memory is addressed by raw pointers with byte offsets, since the packed
// layouts are no arrays of one element type.
#pragma once

#include "llmir/codegen/Target.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include <functional>

namespace llmir::cpu {

using mlir::Type;
using mlir::Value;
using mlir::ValueRange;
using mlir::VectorType;
using Values = llvm::SmallVector<Value>;

/// Registers the dialects that kernels consist of.
void registerKernelDialects(mlir::DialectRegistry &registry);

class KernelBuilder {
public:
  /// Kernels are added to `module`; its context must have the kernel dialects loaded.
  KernelBuilder(mlir::ModuleOp module, const Target &target);

  mlir::OpBuilder b;
  mlir::Location loc;
  mlir::ModuleOp module;
  const Target &target;
  Type i1, i8, i16, i32, i64, f16, bf16, f32, f64, ptr;

  int64_t lanes() const { return target.lanes(); }
  VectorType vec(int64_t count, Type element) const { return VectorType::get({count}, element); }
  VectorType vecF32() const { return vec(lanes(), f32); }
  VectorType vecI32() const { return vec(lanes(), i32); }

  /// A function of this module by name, built by `body` the first time it is asked for: kernels are
  /// shared per shape. Pointer arguments are noalias. `body` gets the arguments; the function
  /// returns nothing.
  mlir::func::FuncOp function(llvm::StringRef name, mlir::TypeRange arguments,
                              llvm::function_ref<void(ValueRange)> body, bool isPrivate = true);

  void call(mlir::func::FuncOp function, ValueRange operands) {
    mlir::func::CallOp::create(b, loc, function, operands);
  }

  // Constants: of a scalar type, or splat over a vector type.
  Value constInt(int64_t value, Type type);
  Value constFloat(double value, Type type);
  Value index(int64_t value) { return constInt(value, i64); }

  // Arithmetic on scalars and vectors; integer or float by the operands' type.
  Value add(Value x, Value y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value div(Value x, Value y); ///< float
  Value divUnsigned(Value x, Value y);
  Value remUnsigned(Value x, Value y);
  Value min(Value x, Value y); ///< signed integers, or floats without NaN
  Value max(Value x, Value y);
  /// x * y + accumulator, rounded once where the target has such an instruction: the portable one
  /// rounds twice, since plain x86-64 has none and libm's is slow.
  Value fma(Value x, Value y, Value accumulator);
  Value bitAnd(Value x, Value y);
  Value bitOr(Value x, Value y);
  Value shiftLeft(Value x, int64_t bits);
  Value shiftRightUnsigned(Value x, int64_t bits);
  Value shiftRightUnsigned(Value x, Value bits); ///< by a scalar of x's element type
  Value lessThan(Value x, Value y);              ///< signed integers, or ordered floats
  Value isNull(Value pointer);
  Value isEqual(Value x, Value y); ///< integers
  Value isNot(Value condition);
  Value select(Value condition, Value whenTrue, Value whenFalse);

  // Conversions.
  Value intToFloat(Value x, Type type); ///< signed
  Value floatToInt(Value x, Type type); ///< signed, towards zero
  /// Between f16 and f32, the portable target converts with integer arithmetic: plain x86-64 has no
  /// instruction for it. Truncation rounds to nearest even.
  Value extendFloat(Value x, Type type);
  Value truncateFloat(Value x, Type type);
  Value extendSigned(Value x, Type type);
  Value extendUnsigned(Value x, Type type);
  Value truncateInt(Value x, Type type);
  Value bitcast(Value x, Type type);

  // Vectors.
  Value splat(Value scalar, int64_t count);
  Value shuffle(Value x, Value y, llvm::ArrayRef<int64_t> indices);
  /// One vector out of a power of two of vectors of the same type.
  Value concatenate(Values parts);
  Value extractLane(Value vector, int64_t lane);
  /// Sum of the lanes in a fixed tree order: halves are added until one lane is left.
  Value sumLanes(Value vector);
  Value maxLanes(Value vector);
  /// 0, 1, 2, … as a vector of i32.
  Value laneNumbers(int64_t count);

  // Memory: `pointer` plus bytes.
  Value offset(Value pointer, Value bytes);
  Value offset(Value pointer, int64_t bytes);
  /// pointer + index * stride bytes.
  Value at(Value pointer, Value index, int64_t stride) {
    return offset(pointer, mul(index, this->index(stride)));
  }
  Value load(Value pointer, Type type, unsigned alignment = 1);
  void store(Value value, Value pointer, unsigned alignment = 1);
  /// The first `count` (i64) lanes of a vector; memory behind them is not touched, lanes behind
  /// them are zero.
  Value loadFirst(Value pointer, VectorType type, Value count);
  void storeFirst(Value vector, Value pointer, Value count);
  /// A store that LLVM may not promote to a register: keeps an accumulator in the first-level
  /// cache.
  void storeVolatile(Value value, Value pointer);
  void prefetch(Value pointer);
  /// `bytes` of stack, aligned to 64; place it at the start of a function, never in a loop.
  Value stack(int64_t bytes);

  /// A constant array of f64 or i64 in the code's own data; the name is a symbol of the module.
  Value constantArray(llvm::StringRef name, llvm::ArrayRef<double> values);
  Value constantArray(llvm::StringRef name, llvm::ArrayRef<int64_t> values);

  /// An LLVM intrinsic by name.
  Value intrinsic(llvm::StringRef name, Type result, ValueRange operands);
  /// Call of a C function, declared on first use; scalars only.
  Value callC(llvm::StringRef name, Type result, ValueRange operands);

  // Control flow; bounds are i64.
  Values forLoop(Value from, Value to, int64_t step, ValueRange init,
                 llvm::function_ref<Values(Value, ValueRange)> body);
  Values forLoop(Value from, Value to, Value step, ValueRange init,
                 llvm::function_ref<Values(Value, ValueRange)> body);
  void forLoop(Value from, Value to, int64_t step, llvm::function_ref<void(Value)> body);
  /// body(first, width) for `columns` columns: vectors of lanes() columns in a loop, then the rest
  /// as one shorter vector.
  void forColumns(int64_t columns, llvm::function_ref<void(Value first, int64_t width)> body);
  void ifThen(Value condition, llvm::function_ref<void()> body);
};

} // namespace llmir::cpu
