// Independent chains, enough of them to hide the latency of an instruction and few enough to stay
// in registers. An empty asm makes the compiler forget the operands, or it would take the work out
// of the loop.
#include "llmir/runtime/device/cpu/PeakLoops.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define LLMIR_AVX2 __attribute__((target("avx2,fma")))
#define LLMIR_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#endif

namespace llmir {

namespace {

constexpr int chains = 12;

#define LLMIR_FORGET(value) asm volatile("" : "+x"(value))
#define LLMIR_FORGET_WIDE(value) asm volatile("" : "+v"(value))

// Four floats: baseline registers of both architectures.
using Floats = float __attribute__((vector_size(16)));
using Words = int64_t __attribute__((vector_size(16)));

void portableFloats(int64_t rounds) {
  Floats sums[chains] = {}, x = {0.5F, 0.5F, 0.5F, 0.5F};
  for (int64_t round = 0; round < rounds; ++round)
    for (Floats &sum : sums) {
      sum = sum * x + x; // two instructions where the level has no fused one
#if defined(__x86_64__)
      LLMIR_FORGET(sum);
#else
      asm volatile("" : "+w"(sum));
#endif
    }
}

void portableRead(const std::byte *data, size_t bytes) {
  Words sums[8] = {};
  const auto *words = reinterpret_cast<const Words *>(data);
  for (size_t i = 0; i < bytes / sizeof(Words); i += 8)
    for (size_t chain = 0; chain < 8; ++chain)
      sums[chain] += words[i + chain];
  for (Words &sum : sums)
    asm volatile("" ::"m"(sum));
}

#if defined(__x86_64__)

void portablePairs(int64_t rounds) {
  __m128i sums[chains] = {}, x = _mm_set1_epi16(3), y = _mm_set1_epi16(5);
  for (int64_t round = 0; round < rounds; ++round)
    for (__m128i &sum : sums) {
      LLMIR_FORGET(x);
      sum = _mm_add_epi32(sum, _mm_madd_epi16(x, y));
    }
  for (__m128i &sum : sums)
    LLMIR_FORGET(sum);
}

LLMIR_AVX2 void avx2Floats(int64_t rounds) {
  __m256 sums[chains] = {}, x = _mm256_set1_ps(0.5F);
  for (int64_t round = 0; round < rounds; ++round)
    for (__m256 &sum : sums) {
      sum = _mm256_fmadd_ps(sum, x, x);
      LLMIR_FORGET(sum);
    }
}

LLMIR_AVX2 void avx2Pairs(int64_t rounds) {
  __m256i sums[chains] = {}, x = _mm256_set1_epi16(3), y = _mm256_set1_epi16(5);
  for (int64_t round = 0; round < rounds; ++round)
    for (__m256i &sum : sums) {
      LLMIR_FORGET(x);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x, y));
    }
  for (__m256i &sum : sums)
    LLMIR_FORGET(sum);
}

/// As the generated code: eight products of bytes are added in 16 bits before they go to 32.
LLMIR_AVX2 void avx2Bytes(int64_t rounds) {
  constexpr int chained = 8, parallel = 4;
  __m256i sums[parallel] = {}, x = _mm256_set1_epi8(3), y = _mm256_set1_epi8(5);
  const __m256i ones = _mm256_set1_epi16(1);
  for (int64_t round = 0; round < rounds; ++round)
    for (__m256i &sum : sums) {
      __m256i partial = _mm256_setzero_si256();
      for (int i = 0; i < chained; ++i) {
        LLMIR_FORGET(x);
        partial = _mm256_add_epi16(partial, _mm256_maddubs_epi16(x, y));
      }
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(partial, ones));
    }
  for (__m256i &sum : sums)
    LLMIR_FORGET(sum);
}

LLMIR_AVX2 void avx2Read(const std::byte *data, size_t bytes) {
  __m256i sums[8] = {};
  const auto *words = reinterpret_cast<const __m256i *>(data);
  for (size_t i = 0; i < bytes / sizeof(__m256i); i += 8)
    for (size_t chain = 0; chain < 8; ++chain)
      sums[chain] = _mm256_add_epi64(sums[chain], words[i + chain]);
  for (__m256i &sum : sums)
    LLMIR_FORGET(sum);
}

LLMIR_AVX512 void avx512Floats(int64_t rounds) {
  __m512 sums[chains] = {}, x = _mm512_set1_ps(0.5F);
  for (int64_t round = 0; round < rounds; ++round)
    for (__m512 &sum : sums) {
      sum = _mm512_fmadd_ps(sum, x, x);
      LLMIR_FORGET_WIDE(sum);
    }
}

LLMIR_AVX512 void avx512Pairs(int64_t rounds) {
  __m512i sums[chains] = {}, x = _mm512_set1_epi16(3);
  for (int64_t round = 0; round < rounds; ++round)
    for (__m512i &sum : sums) {
      sum = _mm512_dpwssd_epi32(sum, x, x);
      LLMIR_FORGET_WIDE(sum);
    }
}

LLMIR_AVX512 void avx512Bytes(int64_t rounds) {
  __m512i sums[chains] = {}, x = _mm512_set1_epi8(3);
  for (int64_t round = 0; round < rounds; ++round)
    for (__m512i &sum : sums) {
      sum = _mm512_dpbusd_epi32(sum, x, x);
      LLMIR_FORGET_WIDE(sum);
    }
}

LLMIR_AVX512 void avx512Read(const std::byte *data, size_t bytes) {
  __m512i sums[8] = {};
  const auto *words = reinterpret_cast<const __m512i *>(data);
  for (size_t i = 0; i < bytes / sizeof(__m512i); i += 8)
    for (size_t chain = 0; chain < 8; ++chain)
      sums[chain] = _mm512_add_epi64(sums[chain], words[i + chain]);
  for (__m512i &sum : sums)
    LLMIR_FORGET_WIDE(sum);
}

#endif

} // namespace

PeakLoop floatLoop(PeakLevel level) {
#if defined(__x86_64__)
  if (level == PeakLevel::Avx512Vnni)
    return {"f32 fused multiply-add, AVX-512", int64_t(chains) * 16 * 2, avx512Floats};
  if (level == PeakLevel::Avx2)
    return {"f32 fused multiply-add, AVX2", int64_t(chains) * 8 * 2, avx2Floats};
#endif
  return {"f32 multiply and add, 128 bits", int64_t(chains) * 4 * 2, portableFloats};
}

PeakLoop int8Loop(PeakLevel level) {
#if defined(__x86_64__)
  if (level == PeakLevel::Avx512Vnni)
    return {"int8 dot product, AVX-512 VNNI", int64_t(chains) * 64 * 2, avx512Bytes};
  if (level == PeakLevel::Avx2)
    return {"int8 products in 16-bit sums, AVX2", int64_t(4) * 8 * 32 * 2, avx2Bytes};
#endif
  return int16Loop(level);
}

PeakLoop int16Loop(PeakLevel level) {
#if defined(__x86_64__)
  if (level == PeakLevel::Avx512Vnni)
    return {"int16 dot product, AVX-512 VNNI", int64_t(chains) * 32 * 2, avx512Pairs};
  if (level == PeakLevel::Avx2)
    return {"int16 multiply-add, AVX2", int64_t(chains) * 16 * 2, avx2Pairs};
  return {"int16 multiply-add, SSE2", int64_t(chains) * 8 * 2, portablePairs};
#else
  return {};
#endif
}

void readAll(PeakLevel level, const std::byte *data, size_t bytes) {
#if defined(__x86_64__)
  if (level == PeakLevel::Avx512Vnni)
    return avx512Read(data, bytes);
  if (level == PeakLevel::Avx2)
    return avx2Read(data, bytes);
#endif
  portableRead(data, bytes);
}

} // namespace llmir
