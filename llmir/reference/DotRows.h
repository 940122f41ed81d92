// The dot product under the interpreter's linears and attention, in f64.
#pragma once

#include <cstdint>

namespace llmir::reference {

/// out[n] = sum_i x[i] * rows[n * stride + i] for n < count, i < length. The order of a sum depends
/// on nothing but `length`.
void dotRows(const double *x, const double *rows, int64_t stride, int64_t count, int64_t length,
             double *out);

} // namespace llmir::reference
