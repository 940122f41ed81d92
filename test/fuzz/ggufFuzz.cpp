// GGUF files: whatever the bytes, an error or a file whose every value and tensor can be read.
#include "Fuzz.h"

#include "llmir/formats/gguf/Gguf.h"

using namespace llmir;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto file = GgufFile::parse({data, size}, "fuzz.gguf");
  if (!file)
    return 0;
  size_t sum = 0;
  for (std::string_view key : file->keys()) {
    if (auto text = file->getString(key))
      for (char c : *text)
        sum += uint8_t(c);
    if (auto strings = file->getStringArray(key))
      for (std::string_view text : *strings)
        sum += text.size();
    if (auto numbers = file->getF32Array(key))
      sum += numbers->size();
    if (auto numbers = file->getI32Array(key))
      sum += numbers->size();
  }
  for (const GgufTensor &tensor : file->tensors()) {
    require(file->findTensor(tensor.name) != nullptr);
    for (uint8_t byte : tensor.bytes)
      sum += byte;
  }
  volatile size_t used = sum;
  (void)used;
  return 0;
}
