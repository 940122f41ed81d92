// Elementary functions on vectors of f32, built from arithmetic alone: no call of libm, the same
// code for every lane and every target. Errors are relative; a NaN gives a NaN, infinities their
// limits.
#pragma once

#include "llmir/codegen/cpu/KernelBuilder.h"
#include "llmir/dialect/Llm.h"

namespace llmir::cpu {

/// e^x for any x, within 2 units of the last place: 0 and infinity outside of f32's range.
Value vectorExp(KernelBuilder &k, Value x);
/// e^x for x ≤ 0: what softmax needs. Exactly 0 below -87.
Value vectorExpOfNegative(KernelBuilder &k, Value x);
/// Within 4 units of the last place.
Value vectorTanh(KernelBuilder &k, Value x);
/// The activations of llm::Activation, within 1e-6 of the result, or 1e-8 where it is below 1e-2.
Value vectorActivate(KernelBuilder &k, llm::Activation activation, Value x);

} // namespace llmir::cpu
