// tokenizer.json: an error, or a tokenizer that encodes any bytes and decodes its own ids.
#include "Fuzz.h"

#include "llmir/formats/tokenizer/Tokenizer.h"
#include "llmir/formats/tokenizer/TokenizerJson.h"

using namespace llmir;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto read = readTokenizerJson(asText(data, size));
  if (!read)
    return 0;
  auto tokenizer = Tokenizer::create(std::move(*read));
  if (!tokenizer)
    return 0;
  for (bool special : {false, true}) {
    const auto ids =
        tokenizer->encode(asText(data, size), {.addBos = special, .parseSpecial = special});
    for (size_t i = 0; ids && i < ids->size(); ++i)
      require((*ids)[i] >= 0 && (*ids)[i] < tokenizer->vocabSize());
    if (ids)
      tokenizer->decode(*ids, {});
  }
  return 0;
}
