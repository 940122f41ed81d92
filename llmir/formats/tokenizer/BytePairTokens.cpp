// The tokenizer's side of byte pair encoding: added tokens cut the text, what is between them is
// normalized, split into pieces, and each piece merged from bytes or characters.
#include "llmir/formats/tokenizer/ByteAlphabet.h"
#include "llmir/formats/tokenizer/SentencePieceText.h"
#include "llmir/formats/tokenizer/Tokenizer.h"
#include "llmir/formats/tokenizer/Utf16.h"

#include <algorithm>

namespace llmir {

/// What decoding makes of a token's text.
static std::string textOfToken(const std::string &text, TokenType type, bool isByteLevel) {
  if (isByteLevel)
    return bytesOfToken(text).value_or(text);
  return type == TokenType::Byte ? std::string(1, char(*byteOfToken(text))) : withSpaces(text);
}

Status Tokenizer::indexPipeline(TokenizerData &data) {
  BpePipeline &pipeline = *data.pipeline;
  normalizer = Normalizer(std::move(pipeline.normalizer));
  isByteLevel = pipeline.isByteLevel;
  ignoreMerges = pipeline.ignoreMerges;
  fusesUnknown = pipeline.fusesUnknown;
  idOfPiece.reserve(data.tokens.size());
  for (int32_t id = 0; id < vocabSize(); ++id) {
    const std::string &text = data.tokens[id];
    bytes[id] = textOfToken(text, types[id], isByteLevel);
    if (!pipeline.isPiece[id])
      continue;
    const std::optional<std::string> piece = isByteLevel ? bytesOfToken(text) : text;
    if (!piece) // reachable by id only
      continue;
    idOfPiece.try_emplace(*piece, id);
    if (isByteLevel && piece->size() == 1)
      idOfByte[uint8_t(piece->front())] = id;
  }
  for (unsigned byte = 0; pipeline.hasByteFallback && !isByteLevel && byte < 256; ++byte)
    if (auto found = idOfPiece.find(fmt::format("<0x{:02X}>", byte)); found != idOfPiece.end())
      idOfByte[byte] = found->second;
  size_t normalizedBytes = 0;
  for (const AddedToken &token : pipeline.added) {
    if (!token.isNormalized) {
      specialTokens.add(token.text, token.id, token.isControl, token.surroundings);
      continue;
    }
    auto normalized = normalizer.normalize(token.text);
    if (!normalized)
      return forward(normalized, "tokenizer.json: added_tokens");
    normalizedBytes += normalized->size();
    if (normalizedBytes > maxAddedBytes)
      return fail("tokenizer.json: added_tokens have over {} bytes together when normalized, "
                  "which are allowed",
                  maxAddedBytes);
    normalizedTokens.add(*normalized, token.id, token.isControl, token.surroundings);
    bytes[token.id] = textOfToken(*normalized, types[token.id], isByteLevel);
  }
  merges = MergeTable(pipeline.merges.size());
  for (size_t rank = pipeline.merges.size(); rank-- > 0;) { // the last of equal rules counts
    const MergeRule &rule = pipeline.merges[rank];
    if (pipeline.isPiece[rule.merged])
      merges.add(rule.left, rule.right, uint32_t(rank), rule.merged);
  }
  return {};
}

void Tokenizer::appendSymbols(std::string_view piece, std::vector<int32_t> &ids) const {
  bool isUnknownWaiting = false;
  const auto byteToken = [&](char byte) { return idOfByte[uint8_t(byte)]; };
  for (size_t length = 0; !piece.empty(); piece.remove_prefix(length)) {
    length = isByteLevel ? 1 : characterLength(piece);
    const std::string_view unit = piece.substr(0, length);
    const auto found = isByteLevel ? idOfPiece.end() : idOfPiece.find(unit);
    if (isByteLevel ? byteToken(unit.front()) >= 0 : found != idOfPiece.end()) {
      if (std::exchange(isUnknownWaiting, false))
        ids.push_back(unknown);
      ids.push_back(isByteLevel ? byteToken(unit.front()) : found->second);
    } else if (std::ranges::all_of(unit, [&](char byte) { return byteToken(byte) >= 0; })) {
      // Hugging Face's tokenizers put them in front of a waiting unknown token too.
      std::ranges::transform(unit, std::back_inserter(ids), byteToken);
    } else if (unknown >= 0) {
      if (isUnknownWaiting && !fusesUnknown)
        ids.push_back(unknown);
      isUnknownWaiting = true;
    }
  }
  if (isUnknownWaiting)
    ids.push_back(unknown);
}

Status Tokenizer::encodeSection(std::string_view section, bool isAtStart, BytePairMerger &merger,
                                std::vector<int32_t> &output) const {
  std::string text(section);
  std::vector<size_t> lengths;
  if (Status split = preTokenizer.split(text, lengths, isAtStart); !split)
    return split;
  std::string_view rest = text;
  std::vector<int32_t> ids;
  for (size_t length : lengths) {
    const std::string_view piece = rest.substr(0, length);
    rest.remove_prefix(length);
    if (ignoreMerges) {
      if (auto whole = idOfPiece.find(piece); whole != idOfPiece.end()) {
        output.push_back(whole->second);
        continue;
      }
    }
    ids.clear();
    appendSymbols(piece, ids);
    merger.merge(ids, output);
  }
  return {};
}

/// Puts the ids of the added tokens into the output and hands on what is between them, with whether
/// it is at the start.
template <typename Encode>
static Status cutAtTokens(const SpecialTokens &tokens, std::string_view text, bool withControl,
                          std::vector<int32_t> &output, Encode encode) {
  for (size_t position = 0; position < text.size();) {
    const SpecialTokens::Match match = tokens.find(text, position, withControl);
    if (match.begin > position)
      if (Status status = encode(text.substr(position, match.begin - position), position == 0);
          !status)
        return status;
    if (match.length > 0)
      output.push_back(match.id);
    position = match.begin + match.length;
  }
  return {};
}

Status Tokenizer::encodeBytePairs(std::string_view text, EncodeOptions options,
                                  std::vector<int32_t> &output) const {
  if (text.size() > maxTextBytes)
    return fail("text has {} bytes, at most {} can be tokenized at once: split it", text.size(),
                maxTextBytes);
  BytePairMerger merger(merges);
  const auto encodeNormalized = [&](std::string_view section, bool isAtStart) -> Status {
    return cutAtTokens(normalizedTokens, section, options.parseSpecial, output,
                       [&](std::string_view part, bool isFirst) {
                         return encodeSection(part, isAtStart && isFirst, merger, output);
                       });
  };
  return cutAtTokens(specialTokens, text, options.parseSpecial, output,
                     [&](std::string_view section, bool isAtStart) -> Status {
                       if (normalizer.isEmpty())
                         return encodeNormalized(section, isAtStart);
                       auto normalized = normalizer.normalize(section);
                       return normalized ? encodeNormalized(*normalized, isAtStart)
                                         : forward(normalized);
                     });
}

} // namespace llmir
