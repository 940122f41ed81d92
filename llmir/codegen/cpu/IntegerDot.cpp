// AVX2: vpmaddubsw chains and vpmaddwd; AVX-512 VNNI: vpdpbusd and vpdpwssd; NEON: sdot; elsewhere
// plain vector arithmetic.
#include "llmir/codegen/cpu/IntegerDot.h"

namespace llmir::cpu {

using llvm::SmallVector;

static bool hasPairProducts(const Target &target) {
  return target.isa == CpuIsa::Avx2 || target.isa == CpuIsa::Avx512Vnni;
}

DotOperand IntegerDot::spread(KernelBuilder &k, Format activations, Value pointer) {
  // The bytes from `at` on as one integer, repeated, as activations of `element`.
  auto spread = [&](int64_t at, Type integer, Type element) {
    Value all = k.splat(k.load(k.offset(pointer, at), integer), k.lanes());
    int64_t count = k.lanes() * integer.getIntOrFloatBitWidth() / element.getIntOrFloatBitWidth();
    return k.bitcast(all, k.vec(count, element));
  };
  if (activations == Format::A8)
    return {spread(0, k.i32, k.i8), {}};
  if (hasPairProducts(k.target))
    return {spread(0, k.i32, k.i16), spread(4, k.i32, k.i16)};
  return {spread(0, k.i64, k.i16), {}};
}

static Value pairProducts(KernelBuilder &k, Value x, Value y) {
  const char *name =
      k.target.isa == CpuIsa::Avx2 ? "llvm.x86.avx2.pmadd.wd" : "llvm.x86.avx512.pmaddw.d.512";
  return k.intrinsic(name, k.vecI32(), {x, y});
}

void IntegerDot::addPairs(Value x, Value y) {
  if (k.target.isa != CpuIsa::Avx512Vnni)
    return addInt32(pairProducts(k, x, y));
  if (!sum)
    sum = k.constInt(0, k.vecI32());
  sum = k.intrinsic("llvm.x86.avx512.vpdpwssd.512", k.vecI32(), {sum, x, y});
}

void IntegerDot::addWide(Value weights, const DotOperand &activations) {
  // With the middle bytes exchanged, even and odd bytes as 16-bit lanes are (t0, t1) and (t2, t3)
  // of every row: pairs as the activations lie in memory.
  SmallVector<int64_t> exchanged;
  for (int64_t row = 0; row < k.lanes(); ++row)
    for (int64_t t : {0, 2, 1, 3})
      exchanged.push_back(4 * row + t);
  VectorType halves = k.vec(2 * k.lanes(), k.i16);
  Value both = k.bitcast(k.shuffle(weights, weights, exchanged), halves), even, odd;
  if (isSigned) {
    Value eight = k.constInt(8, halves);
    even = mlir::arith::ShRSIOp::create(k.b, k.loc, k.shiftLeft(both, 8), eight);
    odd = mlir::arith::ShRSIOp::create(k.b, k.loc, both, eight);
  } else {
    even = k.bitAnd(both, k.constInt(255, halves));
    odd = k.shiftRightUnsigned(both, 8);
  }
  addPairs(even, activations.first);
  addPairs(odd, activations.second);
}

void IntegerDot::addPortable(Value weights, Value activations) {
  const int64_t lanes = k.lanes();
  for (int64_t t = 0; t < 4; ++t) {
    SmallVector<int64_t> indices;
    for (int64_t lane = 0; lane < lanes; ++lane)
      indices.push_back(4 * lane + t);
    Value w = k.shuffle(weights, weights, indices);
    w = isSigned ? k.extendSigned(w, k.vecI32()) : k.extendUnsigned(w, k.vecI32());
    Value x = k.extendSigned(k.shuffle(activations, activations, indices), k.vecI32());
    addInt32(k.mul(w, x));
  }
}

void IntegerDot::flush() {
  if (partial)
    addInt32(pairProducts(k, partial, k.constInt(1, k.vec(2 * k.lanes(), k.i16))));
  partial = Value();
  chained = 0;
}

void IntegerDot::add(Value weights, const DotOperand &activations) {
  const CpuIsa isa = k.target.isa;
  if (wide && hasPairProducts(k.target))
    return addWide(weights, activations);
  if (wide || isa == CpuIsa::Portable)
    return addPortable(weights, activations.first);
  if (isa == CpuIsa::NeonDot) {
    if (!sum)
      sum = k.constInt(0, k.vecI32());
    sum = k.intrinsic("llvm.aarch64.neon.sdot.v4i32.v16i8", k.vecI32(),
                      {sum, weights, activations.first});
    return;
  }
  // x86 multiplies unsigned by signed bytes: a signed weight gives its sign to the activation.
  Value unsignedWeights = weights, signedActivations = activations.first;
  VectorType bytes = k.vec(4 * k.lanes(), k.i8);
  if (isSigned) {
    unsignedWeights = mlir::math::AbsIOp::create(k.b, k.loc, weights);
    Value isNegative = k.lessThan(weights, k.constInt(0, bytes));
    signedActivations =
        isa == CpuIsa::Avx2
            ? k.intrinsic("llvm.x86.avx2.psign.b", bytes, {activations.first, weights})
            : k.select(isNegative, k.sub(k.constInt(0, bytes), activations.first),
                       activations.first);
  }
  if (isa == CpuIsa::Avx512Vnni) {
    if (!sum)
      sum = k.constInt(0, k.vecI32());
    sum = k.intrinsic("llvm.x86.avx512.vpdpbusd.512", k.vecI32(),
                      {sum, unsignedWeights, signedActivations});
    return;
  }
  Value products = k.intrinsic("llvm.x86.avx2.pmadd.ub.sw", k.vec(2 * k.lanes(), k.i16),
                               {unsignedWeights, signedActivations});
  partial = partial ? k.add(partial, products) : products;
  // One product of a pair sum is at most 2 * (2^bits - 1) * 127: so many fit into 16 bits.
  int limit = bits <= 4 ? 8 : bits == 5 ? 4 : bits == 6 ? 2 : 1;
  if (++chained == limit)
    flush();
}

Value IntegerDot::finish() {
  flush();
  return sum;
}

} // namespace llmir::cpu
