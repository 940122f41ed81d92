// Polynomials were fitted by weighted minimax (Lawson's iteration in 40 digits); beside each stands
// its largest relative error before rounding.
#include "llmir/codegen/cpu/VectorMath.h"

#include <cmath>

using namespace mlir;
namespace llmir::cpu {

namespace {

Value constant(KernelBuilder &k, double value, Value like) {
  return k.constFloat(value, like.getType());
}
Type intsLike(KernelBuilder &k, Value x) {
  return cast<VectorType>(x.getType()).cloneWith(std::nullopt, k.i32);
}

// Written as selections, so that a NaN passes.
Value atLeast(KernelBuilder &k, double low, Value x) {
  Value bound = constant(k, low, x);
  return k.select(k.lessThan(x, bound), bound, x);
}
Value atMost(KernelBuilder &k, double high, Value x) {
  Value bound = constant(k, high, x);
  return k.select(k.lessThan(bound, x), bound, x);
}

/// Coefficients of ascending powers.
Value polynomial(KernelBuilder &k, Value x, ArrayRef<double> coefficients) {
  Value sum = constant(k, coefficients.back(), x);
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = k.fma(sum, x, constant(k, coefficient, x));
  return sum;
}

/// x = n ln 2 + r with |r| ≤ ln 2 / 2.
struct Reduced {
  Value n;           ///< as i32, plus a bias
  Value expMinusOne; ///< e^r - 1
};

Reduced reduce(KernelBuilder &k, Value x, int64_t bias) {
  // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
  double magic = 0x1.8p23 + static_cast<double>(bias);
  Value biased = k.fma(x, constant(k, 1.4426950408889634, x), constant(k, magic, x));
  Value n = k.sub(biased, constant(k, magic, x));
  // ln 2 in two parts: the product with the first, of nine bits, is exact.
  Value r = k.fma(n, constant(k, -0.693359375, x), x);
  r = k.fma(n, constant(k, 2.1219444005469057e-4, x), r);
  // 1.4e-8
  Value q = polynomial(k, r,
                       {0.5000000065743214, 0.16666537976099127, 0.041666266415072345,
                        0.008367251955213826, 0.0013947607236630306});
  Type ints = intsLike(k, x);
  Value low = k.sub(k.bitcast(biased, ints), k.constInt(0x4b400000, ints));
  return {low, k.fma(k.mul(r, r), q, r)};
}

/// 2^(biased - 127), for biased from 1 to 254.
Value powerOfTwo(KernelBuilder &k, Value biased, Value like) {
  return k.bitcast(k.shiftLeft(biased, 23), like.getType());
}

/// x, or x's limit where the logistic function has nothing to add: keeps infinity away from zero.
constexpr double farNegative = -100;

/// x / (1 + e^-z)
Value timesLogistic(KernelBuilder &k, Value x, Value z) {
  Value e = vectorExp(k, k.sub(constant(k, 0, z), z));
  return k.div(x, k.add(constant(k, 1, x), e));
}

Value gelu(KernelBuilder &k, Value x) {
  // x Φ(x); with y = |x|, Φ(-y) = e^(-y²/2) Q(y), which keeps the relative error small in the tail.
  x = atLeast(k, farNegative, x);
  Value y = math::AbsFOp::create(k.b, k.loc, x);
  Value t = k.div(constant(k, 1, x), k.fma(y, constant(k, 0.3, x), constant(k, 1, x)));
  // 3.4e-9 for y ≤ 14, where Φ(-y) is 1e-44
  Value q =
      polynomial(k, t,
                 {0.11968663410510579, 0.11957284091323775, 0.11022732656297801, 0.0784255666421669,
                  0.0960578689982643, -0.07924741729002913, 0.19158179208157694,
                  -0.22806758991654758, 0.11237581193885965, -0.020612835759383795});
  Value power = k.mul(k.mul(y, y), constant(k, -0.5, x));
  Value tail = k.mul(k.mul(q, t), vectorExpOfNegative(k, power));
  Value zero = constant(k, 0, x), one = constant(k, 1, x);
  return k.mul(x, k.select(k.lessThan(x, zero), tail, k.sub(one, tail)));
}

Value geluTanh(KernelBuilder &k, Value x) {
  // (1 + tanh u) / 2 is the logistic function of 2u: no difference of near numbers in the tail.
  x = atLeast(k, farNegative, x);
  double factor = 2 * std::sqrt(2 / M_PI);
  Value square = k.mul(x, x);
  Value z = k.mul(x, k.fma(square, constant(k, 0.044715 * factor, x), constant(k, factor, x)));
  return timesLogistic(k, x, z);
}

} // namespace

Value vectorExp(KernelBuilder &k, Value x) {
  x = atMost(k, 90, atLeast(k, -105, x));
  auto [n, expMinusOne] = reduce(k, x, /*bias=*/256);
  // Two powers of two: one alone cannot reach subnormal numbers and infinity.
  Value half = k.shiftRightUnsigned(n, 1);
  Value first = k.sub(half, k.constInt(128 - 127, half.getType()));
  Value second = k.sub(k.sub(n, half), k.constInt(128 - 127, half.getType()));
  Value e = k.add(constant(k, 1, x), expMinusOne);
  return k.mul(k.mul(e, powerOfTwo(k, first, x)), powerOfTwo(k, second, x));
}

Value vectorExpOfNegative(KernelBuilder &k, Value x) {
  auto [n, expMinusOne] = reduce(k, x, /*bias=*/127);
  Value e = k.mul(k.add(constant(k, 1, x), expMinusOne), powerOfTwo(k, n, x));
  return k.select(k.lessThan(x, constant(k, -87, x)), constant(k, 0, x), e);
}

Value vectorTanh(KernelBuilder &k, Value x) {
  // tanh a = (e^2a - 1) / (e^2a + 1), where e^2a - 1 = 2^n (e^r - 1) + (2^n - 1) has no
  // cancellation for a ≥ 0.
  Value a = atMost(k, 10, math::AbsFOp::create(k.b, k.loc, x));
  auto [n, expMinusOne] = reduce(k, k.add(a, a), /*bias=*/127);
  Value power = powerOfTwo(k, n, x);
  Value e = k.fma(power, expMinusOne, k.sub(power, constant(k, 1, x)));
  Value magnitude = k.div(e, k.add(e, constant(k, 2, x)));
  return math::CopySignOp::create(k.b, k.loc, magnitude, x);
}

Value vectorActivate(KernelBuilder &k, llm::Activation activation, Value x) {
  switch (activation) {
  case llm::Activation::Silu:
    x = atLeast(k, farNegative, x);
    return timesLogistic(k, x, x);
  case llm::Activation::Gelu:
    return gelu(k, x);
  case llm::Activation::GeluTanh:
    return geluTanh(k, x);
  case llm::Activation::Relu:
    return atLeast(k, 0, x);
  }
  llvm_unreachable("all activations are listed");
}

} // namespace llmir::cpu
