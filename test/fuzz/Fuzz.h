// What a fuzz target needs: libFuzzer's entry point. `make fuzz F=NAME` runs nameFuzz.cpp for
// minutes under sanitizers, `make check` each for a fixed number of inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace llmir {

inline std::string_view asText(const uint8_t *data, size_t size) {
  return {reinterpret_cast<const char *>(data), size};
}

/// A crash that a fuzzer sees, when what must hold for every input does not.
inline void require(bool holds) {
  if (!holds)
    __builtin_trap();
}

} // namespace llmir
