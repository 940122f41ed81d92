// One body, compiled twice on x86-64: for AVX2 with FMA, and for any machine. Four lanes per sum
// and eight sums at a time keep the multipliers busy.
#include "llmir/reference/DotRows.h"

#include <cstring>

namespace llmir::reference {

using Lanes = double __attribute__((vector_size(32)));

// Lanes travel by pointer: a vector argument would have another ABI in each variant.
[[gnu::always_inline]] static inline void load(Lanes *lanes, const double *from) {
  std::memcpy(lanes, from, sizeof(Lanes));
}

template <int Count>
[[gnu::always_inline]] static inline void dotTile(const double *x, const double *rows,
                                                  int64_t stride, int64_t length, double *out) {
  Lanes sums[Count] = {};
  int64_t whole = length / 4 * 4;
  for (int64_t i = 0; i < whole; i += 4) {
    Lanes xs, row;
    load(&xs, x + i);
    for (int n = 0; n < Count; ++n) {
      load(&row, rows + n * stride + i);
      sums[n] += xs * row;
    }
  }
  for (int n = 0; n < Count; ++n) {
    double sum = (sums[n][0] + sums[n][1]) + (sums[n][2] + sums[n][3]);
    for (int64_t i = whole; i < length; ++i)
      sum += x[i] * rows[n * stride + i];
    out[n] = sum;
  }
}

[[gnu::always_inline]] static inline void dotAll(const double *x, const double *rows,
                                                 int64_t stride, int64_t count, int64_t length,
                                                 double *out) {
  int64_t n = 0;
  for (; n + 8 <= count; n += 8)
    dotTile<8>(x, rows + n * stride, stride, length, out + n);
  for (; n < count; ++n)
    dotTile<1>(x, rows + n * stride, stride, length, out + n);
}

#ifdef __x86_64__
[[gnu::target("avx2,fma")]] static void dotAvx2(const double *x, const double *rows, int64_t stride,
                                                int64_t count, int64_t length, double *out) {
  dotAll(x, rows, stride, count, length, out);
}
static const bool hasAvx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif

void dotRows(const double *x, const double *rows, int64_t stride, int64_t count, int64_t length,
             double *out) {
#ifdef __x86_64__
  if (hasAvx2)
    return dotAvx2(x, rows, stride, count, length, out);
#endif
  dotAll(x, rows, stride, count, length, out);
}

} // namespace llmir::reference
