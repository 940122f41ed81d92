// The two roofs of a roofline, measured on the spot with the threads that steps run on: how fast
// this machine reads memory, and how fast it multiplies and adds with the instructions that a
// compiled model may use.
#pragma once

#include "llmir/runtime/device/cpu/CpuDevice.h"

namespace llmir {

/// A peak of arithmetic. Multiplications and additions count as one operation each.
struct ArithmeticRoof {
  std::string name; ///< the instruction: "int8 dot product (AVX-512 VNNI)"
  double perSecond = 0;
};

struct Roofs {
  double memoryPerSecond = 0; ///< bytes read
  int64_t bufferBytes = 0;    ///< that were read
  /// Of f32, and of int8 and int16 activations with integer weights. Where an instruction set has
  /// no integer loop here, f32 stands for both.
  ArithmeticRoof f32, int8, int16;
};

/// Bytes of a buffer well beyond the last-level cache, and within a quarter of the memory that is
/// available.
int64_t roofBufferBytes();

/// Takes some tenths of a second, most of it for `bufferBytes`. Errors: no memory for the buffer.
Expected<Roofs> measureRoofs(CpuDevice &device, const Manifest &manifest, int64_t bufferBytes);

} // namespace llmir
