// The one place where instruction sets differ in integer products: sums of four neighbouring byte ×
// activation products.
#pragma once

#include "llmir/codegen/cpu/KernelBuilder.h"
#include "llmir/quant/Format.h"

namespace llmir::cpu {

/// Four activations, spread over all lanes in the form that dot() of this target wants.
struct DotOperand {
  Value first, second;
};

/// A running sum of products for each lane (row): exact, whatever the instruction set.
class IntegerDot {
public:
  /// `bits` is the width of the weights; signed ones are 8 bits wide.
  IntegerDot(KernelBuilder &k, Format activations, int bits, bool isSigned)
      : k(k), wide(activations == Format::A16), bits(bits), isSigned(isSigned) {}

  /// Loads four activations (int8 or int16) from `pointer`.
  static DotOperand spread(KernelBuilder &k, Format activations, Value pointer);

  /// sum[lane] += Σ_t weights[lane][t] * activations[t]; `weights` are 4 * lanes bytes.
  void add(Value weights, const DotOperand &activations);
  /// The sums as i32.
  Value finish();

private:
  KernelBuilder &k;
  bool wide;
  int bits;
  bool isSigned;
  Value sum;     // i32
  Value partial; // AVX2: i16 pair sums that have not overflowed yet
  int chained = 0;

  void addInt32(Value products) { sum = sum ? k.add(sum, products) : products; }
  void flush();
  /// Adds products of 16-bit lanes, two to a 32-bit lane.
  void addPairs(Value x, Value y);
  void addWide(Value weights, const DotOperand &activations);
  void addPortable(Value weights, Value activations);
};

} // namespace llmir::cpu
