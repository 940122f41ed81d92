// Random weights in any storage format: numbers of about one magnitude, whatever the format.
#pragma once

#include "llmir/quant/Format.h"
#include <cstdint>
#include <random>
#include <vector>

namespace llmir::test {

struct RandomTensor {
  Format format;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};

/// Numbers with about this mean and standard deviation; those of quantised formats are centred at
/// zero, their quants are any.
RandomTensor randomTensor(std::mt19937_64 &random, Format format, std::vector<int64_t> shape,
                          float mean, float deviation);

} // namespace llmir::test
