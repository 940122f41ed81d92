// The loop nest that all products share: panels, then tiles of tokens, then whatever a tile does.
#pragma once

#include "llmir/codegen/cpu/LinearKernel.h"

namespace llmir::cpu {

/// What a tile computes: `tokens` rows of x against one panel. It returns the sums [token][row
/// block], without bias.
struct LinearTile {
  Value panel;    ///< packed weights; or what LinearSteps::unpack made of them
  Value x;        ///< first row; row 0 of all if rows are picked
  int64_t tokens; ///< 1 or 4
  int64_t xStride;
  bool unpacked;
  Values picked = {}; ///< if rows are picked, where each token's begins, in bytes

  /// `pointer`, an address in the first row, moved to a token's row and on by `bytes`.
  Value at(KernelBuilder &k, Value pointer, int64_t token, int64_t bytes) const {
    if (picked.empty())
      return k.offset(pointer, token * xStride + bytes);
    return k.offset(k.offset(pointer, picked[token]), bytes);
  }
};

/// What a kernel does in the common loop nest.
struct LinearSteps {
  /// Once, at the start.
  std::function<void()> prepare = [] {};
  std::function<Values(const LinearTile &)> tile;
  /// Decodes a panel for all tiles of 4 tokens; optional.
  std::function<Value(Value panel)> unpack;
};

/// Builds the kernel `name` with the signature of linearKernel.
mlir::func::FuncOp linearLoopNest(KernelBuilder &k, llvm::StringRef name, const LinearSpec &spec,
                                  const LinearSteps &steps);

/// Asks for the weights that follow `bytes` at `pointer` some way ahead: with one token they stream
/// from memory, and the processor's own prefetching stops at every page.
void prefetchAhead(KernelBuilder &k, Value pointer, int64_t bytes);

/// Whether the kernel of `spec` can decode a panel for all tiles of 4 tokens.
bool unpacksPanels(KernelBuilder &k, const LinearSpec &spec);

mlir::func::FuncOp linearFloatKernel(KernelBuilder &k, llvm::StringRef name,
                                     const LinearSpec &spec);
/// Quantised weights; activations in f32 or integers.
mlir::func::FuncOp linearQuantKernel(KernelBuilder &k, llvm::StringRef name,
                                     const LinearSpec &spec);

} // namespace llmir::cpu
