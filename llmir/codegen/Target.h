// The machine that code is generated for. Code generators and cost models ask this description,
// never the host; in the IR it is the attribute `target` of llm.model.
#pragma once

#include "llmir/dialect/Llm.h"
#include "llmir/support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace llmir {

/// The instruction set that the micro-kernels are written for; the best one the CPU has is chosen.
using llm::CpuIsa;

/// #llm.target in C++.
struct Target {
  std::string triple;
  std::string cpu;      ///< LLVM's name of the instruction set level: what code may use
  std::string tuneCpu;  ///< LLVM's name of the CPU that code is scheduled for
  std::string features; ///< LLVM's feature string beyond `cpu`, e.g. "+avx512vnni"
  CpuIsa isa = CpuIsa::Portable;
  std::vector<std::string>
      cpuFlags; ///< flags of /proc/cpuinfo that the code needs; checked when it is loaded
  int64_t l1dBytes = 0, l2Bytes = 0, l3Bytes = 0; ///< 0: not known, here and below
  int64_t cores = 0;
  int64_t memoryBandwidth = 0; ///< bytes per second

  /// f32 elements of a vector register: the rows of a packed row block.
  int64_t lanes() const;

  /// What a model is compiled for. Fails if nothing has been chosen for it yet.
  static Expected<Target> of(llm::ModelOp model);
  llm::TargetAttr toAttribute(mlir::MLIRContext *context) const;

  /// The machine this process runs on: only the choice of a target asks for it.
  static Expected<Target> host();
  /// By name: "host", "x86-64" (portable), "x86-64-v3", "x86-64-v4-vnni", "aarch64",
  /// "aarch64-dotprod".
  static Expected<Target> named(const std::string &name);
};

} // namespace llmir
