// The tokenizer's side of sentencepiece vocabularies: tokens with scores instead of merge rules.
// All texts are kept with spaces instead of ▁, so that a token's text is its bytes.
#include "llmir/formats/tokenizer/SentencePieceText.h"
#include "llmir/formats/tokenizer/Tokenizer.h"
#include "llmir/formats/tokenizer/Utf16.h"

#include <cmath>

namespace llmir {

Status Tokenizer::indexScored(TokenizerData &data) {
  if (data.scores.size() != data.tokens.size())
    return fail("tokenizer.ggml.scores has {} entries, tokenizer.ggml.tokens has {}: they must "
                "agree",
                data.scores.size(), data.tokens.size());
  scores = std::move(data.scores);
  tokenIndex = TokenIndex(data.tokens.size());
  for (int32_t id = 0; id < vocabSize(); ++id) {
    if (std::isnan(scores[id]))
      return fail("tokenizer.ggml.scores[{}] is no number", id);
    const TokenType type = types[id];
    if (type == TokenType::Byte) {
      const std::optional<uint8_t> byte = byteOfToken(data.tokens[id]);
      if (!byte)
        return fail("tokenizer.ggml.tokens[{}] is a byte token and must look like <0x0A>", id);
      bytes[id] = std::string(1, char(*byte));
      idOfByte[*byte] = id;
      continue;
    }
    bytes[id] = withSpaces(data.tokens[id]);
    if (type == TokenType::Control || type == TokenType::Unknown || type == TokenType::UserDefined)
      specialTokens.add(bytes[id], id, type != TokenType::UserDefined);
    if (type == TokenType::Control || type == TokenType::Unknown || bytes[id].empty())
      continue;
    longestToken = std::max(longestToken, bytes[id].size());
    hasUnused |= type == TokenType::Unused;
    tokenIndex.add(id, bytes);
  }
  return {};
}

Status Tokenizer::encodeScored(std::string_view given, EncodeOptions options,
                               std::vector<int32_t> &output) const {
  if (given.size() > maxTextBytes)
    return fail("text has {} bytes, at most {} can be tokenized at once: split it", given.size(),
                maxTextBytes);
  ScoreMerger merger(
      {tokenIndex, bytes, scores, types, idOfByte, unknown, longestToken, hasUnused});
  // User-defined tokens are found in what stands between control tokens, its first space included.
  auto encodePlain = [&](std::string_view text) {
    std::string prefixed;
    if (addSpacePrefix && !text.empty())
      text = (prefixed += ' ').append(text);
    for (size_t position = 0; position < text.size();) {
      const SpecialTokens::Match match = specialTokens.find(text, position, /*withControl=*/false);
      merger.merge(text.substr(position, match.begin - position), output);
      if (match.length > 0)
        output.push_back(match.id);
      position = match.begin + match.length;
    }
  };
  const std::string text = withSpaces(given);
  const std::string_view view = text;
  size_t begin = 0;
  for (size_t position = 0; options.parseSpecial && position < text.size();) {
    const SpecialTokens::Match match = specialTokens.find(view, position, /*withControl=*/true);
    position = match.begin + match.length;
    if (match.length == 0 || types[match.id] == TokenType::UserDefined)
      continue;
    encodePlain(view.substr(begin, match.begin - begin));
    output.push_back(match.id);
    begin = position;
  }
  encodePlain(view.substr(begin));
  return {};
}

} // namespace llmir
