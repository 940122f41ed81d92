// Tokenizers in GGUF files: an error, or a tokenizer that encodes any bytes and decodes its own
// ids.
#include "Fuzz.h"

#include "llmir/formats/tokenizer/GgufTokenizer.h"

using namespace llmir;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto file = GgufFile::parse({data, size}, "fuzz.gguf");
  if (!file)
    return 0;
  auto tokenizer = tokenizerFromGguf(*file);
  if (!tokenizer)
    return 0;
  for (bool special : {false, true})
    if (auto ids =
            tokenizer->encode(asText(data, size), {.addBos = special, .parseSpecial = special}))
      tokenizer->decode(*ids, {});
  return 0;
}
