// Kernels that work on whole rows of a range of tokens [t0, t1), and the element-wise ones on a
// range of columns too. Pointers address row 0; strides are bytes from row to row. Any row length
// works, also one that is no multiple of the vector length.
#pragma once

#include "llmir/codegen/cpu/KernelBuilder.h"
#include "llmir/dialect/Llm.h"

namespace llmir::cpu {

struct NormSpec {
  int64_t columns = 0;
  int64_t group = 0; ///< columns normalised together: the weight's length
  double eps = 0;
  bool bias = false; ///< layer norm only
  int64_t xStride = 0, yStride = 0;
};
/// f(x, weight f32, y, t0, t1, g0, g1): groups [g0, g1) of tokens [t0, t1).
mlir::func::FuncOp rmsNormKernel(KernelBuilder &k, const NormSpec &spec);
/// f(x, weight f32, bias f32 or null, y, t0, t1)
mlir::func::FuncOp layerNormKernel(KernelBuilder &k, const NormSpec &spec);

struct QuantizeSpec {
  int64_t columns = 0; ///< a multiple of 32
  Format format = Format::A8;
  int64_t xStride = 0, yStride = 0;
};
/// f(x, y, t0, t1): bit for bit quantizeActivations of quant/Format.h.
mlir::func::FuncOp quantizeKernel(KernelBuilder &k, const QuantizeSpec &spec);

/// The table that rope kernels read: row t holds dim / 2 cosines, then dim / 2 sines, of token t's
/// angles, times the magnitude, as f32. f(positions i32, table, t0, t1). Angles are taken in f64,
/// so that long contexts stay exact.
mlir::func::FuncOp ropeTableKernel(KernelBuilder &k, llm::RopeAttr rope, int64_t tableStride);

struct RopeSpec {
  int64_t headDim = 0;
  int64_t dim = 0; ///< rotated components of a head
  llm::RopeStyle style = llm::RopeStyle::Interleaved;
  int64_t xStride = 0, tableStride = 0, yStride = 0;
};
/// f(x, table, y, t0, t1, h0, h1): heads [h0, h1) of tokens [t0, t1).
mlir::func::FuncOp ropeKernel(KernelBuilder &k, const RopeSpec &spec);

/// f(x, rows i32, y, r0, r1): y[r, :] = x[rows[r], :]
mlir::func::FuncOp gatherRowsKernel(KernelBuilder &k, int64_t columns, int64_t xStride,
                                    int64_t yStride);

enum class ElementwiseOp { Add, Mul, Glu, Activate, Scale, Softcap };
struct ElementwiseSpec {
  ElementwiseOp op = ElementwiseOp::Add;
  llm::Activation activation = llm::Activation::Silu; ///< Glu, Activate
  double constant = 1;                                ///< Scale: factor; Softcap: cap
  int64_t xStride = 0, yStride = 0, resultStride = 0;
  bool inPlace = false; ///< x is what stands in `result`; the argument x is not read
};
/// f(x, y (second operand: Add, Mul, Glu's up; else null), result, t0, t1, c0, c1): rows [t0, t1),
/// columns [c0, c1). c0 is a multiple of 16; The value of an element does not depend on the ranges.
mlir::func::FuncOp elementwiseKernel(KernelBuilder &k, const ElementwiseSpec &spec);

} // namespace llmir::cpu
