// The definition of activation quantisation: kernels give the same bits.
#include "llmir/quant/Format.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace llmir {

void quantizeActivations(Format format, const float *src, uint8_t *dst, int64_t elements) {
  const float limit = format == Format::A8 ? 127 : 32767;
  const int64_t width = format == Format::A8 ? 1 : 2, groups = elements / 32;
  uint8_t *scales = dst + elements * width, *sums = scales + groups * 4;
  for (int64_t g = 0; g < groups; ++g) {
    const float *x = src + g * 32;
    float amax = 0;
    for (int i = 0; i < 32; ++i)
      amax = std::max(amax, std::fabs(x[i]));
    // A group this small is zero: its reciprocal would overflow.
    const bool isZero = !(amax >= 0x1p-100f);
    float d = isZero ? 0 : amax / limit, id = isZero ? 0 : limit / amax;
    int32_t sum = 0;
    for (int i = 0; i < 32; ++i) {
      auto q = static_cast<int16_t>(std::nearbyint(x[i] * id));
      sum += q;
      std::memcpy(dst + (g * 32 + i) * width, &q, width); // little endian: the low byte is the int8
    }
    std::memcpy(scales + g * 4, &d, 4);
    std::memcpy(sums + g * 4, &sum, 4);
  }
}

} // namespace llmir
