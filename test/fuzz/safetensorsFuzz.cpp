// safetensors files: whatever the bytes, an error or tensors that share out the whole file.
#include "Fuzz.h"

#include "llmir/formats/safetensors/Safetensors.h"

using namespace llmir;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto tensors = parseSafetensors({data, size}, "fuzz.safetensors");
  if (!tensors)
    return 0;
  size_t sum = 0, bytes = 0;
  for (const SafetensorsTensor &tensor : *tensors) {
    require(tensor.bytes.empty() || tensor.bytes.data() == data + tensor.offset);
    bytes += tensor.bytes.size();
    for (uint8_t byte : tensor.bytes)
      sum += byte;
    for (int64_t dimension : tensor.shape)
      require(dimension >= 0);
  }
  require(bytes < size);
  volatile size_t used = sum;
  (void)used;
  return 0;
}
