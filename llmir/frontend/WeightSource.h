// Where the weights of an imported model lie: from the name in llm.weight to bytes in the file.
#pragma once

#include "llmir/formats/gguf/TensorBytes.h"
#include "llmir/support/Error.h"
#include <map>
#include <string>
#include <string_view>

namespace llmir {

/// A function for everything that asks for weights by their source name, such as the interpreter.
/// `Weight` is an aggregate of format, shape (rows first) and bytes. `file` outlives the result,
/// which keeps what does not lie in GGUF's order there.
template <typename Weight> auto weightSource(const GgufFile &file) {
  auto copies = std::make_shared<std::map<const GgufTensor *, std::vector<uint8_t>>>();
  return [&file, copies](std::string_view name) -> Expected<Weight> {
    const GgufTensor *tensor = file.findTensor(name);
    if (!tensor)
      return fail("{}: has no tensor {}: is it the file that was imported?", file.path(), name);
    auto [copy, isNew] = copies->try_emplace(tensor);
    auto bytes = isNew || copy->second.empty() ? tensorBytes(*tensor, copy->second)
                                               : std::span<const uint8_t>(copy->second);
    return Weight{tensor->format, tensor->shape, bytes};
  };
}

} // namespace llmir
