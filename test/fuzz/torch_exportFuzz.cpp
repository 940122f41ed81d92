// Archives of torch.export, and graphs by themselves: whatever the bytes, an error or weights that
// lie within them and have as many bytes as their shapes say.
#include "Fuzz.h"

#include "llmir/formats/torch_export/Archive.h"

using namespace llmir;
using namespace llmir::torch_export;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto contents = parseArchive({data, size}, "fuzz.pt2");
  if (!contents)
    return 0;
  for (const auto &[name, tensor] : contents->tensors) {
    require(tensor.bytes.empty() || (tensor.bytes.data() >= data &&
                                     tensor.bytes.data() + tensor.bytes.size() <= data + size));
    size_t bytes = bytesOf(tensor.type);
    for (int64_t dimension : tensor.shape)
      bytes *= dimension;
    require(bytes == tensor.bytes.size());
  }
  for (const auto &[name, meta] : contents->program.graph.tensors)
    for (const SizeExpression &dimension : meta.sizes)
      require(!dimension.text().empty());
  return 0;
}
