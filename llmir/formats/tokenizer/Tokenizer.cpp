// Encoding and decoding; how the vocabulary is checked and indexed is in TokenizerCreate.cpp.
#include "llmir/formats/tokenizer/Tokenizer.h"

#include <algorithm>

namespace llmir {

Status Tokenizer::encodePiece(std::string_view text, BytePairMerger &merger,
                              std::vector<int32_t> &output) const {
  std::string prefixed;
  if (addSpacePrefix && !text.empty() && text.front() != ' ') {
    prefixed = " " + std::string(text);
    text = prefixed;
  }
  std::vector<size_t> lengths;
  if (Status split = preTokenizer.split(text, lengths); !split)
    return split;
  std::vector<int32_t> ids;
  for (size_t length : lengths) {
    const std::string_view piece = text.substr(0, length);
    text.remove_prefix(length);
    if (preTokenizer.ignoreMerges()) {
      if (auto whole = idOfBytes.find(piece); whole != idOfBytes.end()) {
        output.push_back(whole->second);
        continue;
      }
    }
    ids.clear();
    for (uint8_t byte : piece)
      if (int32_t id = idOfByte[byte] >= 0 ? idOfByte[byte] : unknown; id >= 0)
        ids.push_back(id);
    merger.merge(ids, output);
  }
  return {};
}

Status Tokenizer::encodeBytePairs(std::string_view text, EncodeOptions options,
                                  std::vector<int32_t> &output) const {
  BytePairMerger merger(merges);
  for (size_t position = 0; position < text.size();) {
    const SpecialTokens::Match match = specialTokens.find(text, position, options.parseSpecial);
    Status status = encodePiece(text.substr(position, match.begin - position), merger, output);
    if (!status)
      return status;
    if (match.length > 0)
      output.push_back(match.id);
    position = match.begin + match.length;
  }
  return {};
}

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
