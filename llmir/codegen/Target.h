// The machine that code is generated for. Code generators and cost models ask this description,
// never the host.
#pragma once

#include "llmir/support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace llmir {

/// The instruction set that the micro-kernels are written for; the best one the CPU has is chosen.
enum class CpuIsa {
  Portable,   ///< no intrinsics: any CPU that LLVM knows
  Avx2,       ///< x86-64-v3: AVX2, FMA, F16C
  Avx512Vnni, ///< x86-64-v4 with VNNI
  NeonDot,    ///< AArch64 with the dot product extension
};

struct Target {
  std::string triple;
  std::string cpu;      ///< LLVM's name of the instruction set level: what code may use
  std::string tuneCpu;  ///< LLVM's name of the CPU that code is scheduled for
  std::string features; ///< LLVM's feature string beyond `cpu`, e.g. "+avx512vnni"
  CpuIsa isa = CpuIsa::Portable;
  std::vector<std::string>
      cpuFlags; ///< flags of /proc/cpuinfo that the code needs; checked when it is loaded

  /// f32 elements of a vector register: the rows of a packed row block.
  int64_t lanes() const;

  /// The machine this process runs on.
  static Expected<Target> host();
  /// By name: "host", "x86-64" (portable), "x86-64-v3", "x86-64-v4-vnni", "aarch64",
  /// "aarch64-dotprod".
  static Expected<Target> named(const std::string &name);
};

} // namespace llmir
