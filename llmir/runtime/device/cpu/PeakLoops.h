// Loops that do nothing but what they measure. Each has a version for the instruction sets that
// models are compiled for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace llmir {

/// What the loops may use.
enum class PeakLevel { Portable, Avx2, Avx512Vnni };

/// `run(rounds)` keeps the execution units busy; each round is `operations` operations.
struct PeakLoop {
  const char *name = nullptr; ///< null: there is none
  int64_t operations = 0;
  void (*run)(int64_t rounds) = nullptr;
};

PeakLoop floatLoop(PeakLevel level);
PeakLoop int8Loop(PeakLevel level);
PeakLoop int16Loop(PeakLevel level);

/// Reads all of `bytes`, a multiple of 512, at `data`, aligned to 64.
void readAll(PeakLevel level, const std::byte *data, size_t bytes);

} // namespace llmir
