// Products with packed weights: y[t, n] = sum_k x[t, k] * w[n, k] (+ bias[n]) for a range of panels
// and all tokens.
#pragma once

#include "llmir/codegen/cpu/KernelBuilder.h"
#include "llmir/codegen/cpu/PackedLayout.h"

namespace llmir::cpu {

struct LinearSpec {
  PackedLayout weight;
  Format activations = Format::F32; ///< F32, or A8 / A16 with a quantised weight
  int64_t xStride = 0;              ///< bytes from one token's row to the next
  /// Not 0: rows are picked by a list. Token i's row of y is list[i], and this many rows of y share
  /// a row of x: that is list[i] / rowsPerX.
  int64_t rowsPerX = 0;
};

/// f(weight ptr, n i64, x ptr, y ptr, yStride i64, bias ptr (f32 [n]; null: none), tokens
/// i64, panel0 i64, panel1 i64). x rows are f32, or the planes of quantizeActivations
/// (quant/Format.h); y rows are f32, yStride bytes apart. Exactly the n columns of y are written.
/// The sum of an output is taken in one order whatever `tokens` is: same row, same bits. With
/// rowsPerX, a last argument is the list ptr (i32 [tokens]).
///
/// Matrices that differ in n or in having a bias share a kernel, unless one fills its last panel
/// and the other does not: of a layer's products, few have kernels of their own.
mlir::func::FuncOp linearKernel(KernelBuilder &k, const LinearSpec &spec);

/// How the rows of x share what is read of the weights.
struct LinearTiling {
  int64_t tokens = 0;     ///< that share a load
  int64_t unpackFrom = 0; ///< tokens from which on a panel is decoded once for all; 0: never
};
LinearTiling linearTiling(KernelBuilder &k, const LinearSpec &spec);

/// f(weights ptr, n i64, x ptr, y ptr, yStride i64, experts ptr, order ptr (i32 [rows]), rows i64,
/// panel0 i64, panel1 i64): row r of y (a token and one of its experts) is the product of row
/// r / spec.rowsPerX of x with matrix experts[r] of `weights`, which lie one after the other;
/// `order` lists the rows sorted by expert.
mlir::func::FuncOp expertLinearKernel(KernelBuilder &k, const LinearSpec &spec);

struct EmbedSpec {
  PackedLayout table;
  int64_t yStride = 0;
};

/// f(table ptr, tokens ptr (i32), y ptr, t0 i64, t1 i64): y[t, :] = dequantised row tokens[t], for
/// t in [t0, t1).
mlir::func::FuncOp embedKernel(KernelBuilder &k, const EmbedSpec &spec);

} // namespace llmir::cpu
