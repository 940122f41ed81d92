// What all vocabularies share of encoding and decoding; TokenizerCreate.cpp checks and indexes
// them.
#include "llmir/formats/tokenizer/Tokenizer.h"

#include <algorithm>

namespace llmir {

Expected<std::vector<int32_t>> Tokenizer::encode(std::string_view text,
                                                 EncodeOptions options) const {
  std::vector<int32_t> output;
  if (options.addBos && addBos)
    output.push_back(*bos);
  Status status =
      isScored ? encodeScored(text, options, output) : encodeBytePairs(text, options, output);
  if (!status)
    return forward(status);
  if (options.addBos && addEos)
    output.push_back(*eos);
  return output;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, DecodeOptions options) const {
  std::string text;
  for (int32_t id : ids)
    if (!(options.skipSpecial && isSpecial(id)))
      text += tokenBytes(id);
  return text;
}

std::string_view Tokenizer::tokenBytes(int32_t id) const {
  return id >= 0 && id < vocabSize() ? std::string_view(bytes[id]) : std::string_view();
}

bool Tokenizer::isEndOfGeneration(int32_t id) const { return std::ranges::binary_search(ends, id); }

bool Tokenizer::isSpecial(int32_t id) const {
  return id >= 0 && id < vocabSize() &&
         (types[id] == TokenType::Control || types[id] == TokenType::Unknown);
}

} // namespace llmir
