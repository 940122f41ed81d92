// Reads the table of a safetensors file: names, types, shapes and places of tensors. Nothing of the
// file is trusted: what is given out lies within the bytes, and every byte belongs to one tensor.
// Source: the safetensors format (huggingface/safetensors, README).
#pragma once

#include "llmir/quant/Format.h"
#include "llmir/support/Error.h"
#include <span>
#include <string>
#include <vector>

namespace llmir {

/// A type of numbers by its name in the file.
struct SafetensorsType {
  std::string_view name;        ///< "BF16"
  int bits;                     ///< of an element
  std::optional<Format> format; ///< where GGUF has this type too
};

struct SafetensorsTensor {
  std::string name;
  const SafetensorsType *type;
  std::vector<int64_t> shape;     ///< row-major; empty: one number; sizes may be 0
  uint64_t offset = 0;            ///< from the start of the file
  std::span<const uint8_t> bytes; ///< views into the file's; of any alignment
};

/// The tensors of a file in the order of their bytes. `name` stands for the path in errors, which
/// name the tensor, the field, its value and what is allowed.
Expected<std::vector<SafetensorsTensor>> parseSafetensors(std::span<const uint8_t> bytes,
                                                          const std::string &name);

} // namespace llmir
