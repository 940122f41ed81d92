// Where the weights of an imported model lie: from the name in llm.weight to bytes in the file.
#pragma once

#include "llmir/formats/gguf/Gguf.h"
#include "llmir/support/Error.h"
#include <string>
#include <string_view>

namespace llmir {

/// A function for everything that asks for weights by their source name, such as the interpreter.
/// `Weight` is an aggregate of format, shape (rows first) and bytes. `file` outlives the result.
template <typename Weight> auto weightSource(const GgufFile &file) {
  return [&file](std::string_view name) -> Expected<Weight> {
    const GgufTensor *tensor = file.findTensor(name);
    if (!tensor)
      return fail("{}: has no tensor {}: is it the file that was imported?", file.path(), name);
    return Weight{tensor->format, tensor->shape, tensor->bytes};
  };
}

} // namespace llmir
