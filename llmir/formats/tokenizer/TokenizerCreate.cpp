// Checks a vocabulary as it came from a file and builds the tables that encoding and decoding look
// things up in.
#include "llmir/formats/tokenizer/ByteAlphabet.h"
#include "llmir/formats/tokenizer/ShownText.h"
#include "llmir/formats/tokenizer/Tokenizer.h"

#include <algorithm>

namespace llmir {

/// Texts of tokens that end a generation, whatever the file calls its end token: many chat models
/// end a turn with another one.
static constexpr std::string_view endTexts[] = {"<|eot_id|>",      "<|eom_id|>",
                                                "<|im_end|>",      "<|end|>",
                                                "<|endoftext|>",   "<|end_of_text|>",
                                                "<end_of_turn>",   "<end_of_utterance>",
                                                "<|end_of_turn|>", "<|END_OF_TURN_TOKEN|>",
                                                "<|end_of_role|>", "<|return|>",
                                                "<|call|>",        "<EOT>",
                                                "_<EOT>",          "<｜end▁of▁sentence｜>",
                                                "<|eos|>",         "</s>"};

/// Whether a token is found in text as it is written, not put together from pieces.
static bool standsAsItIs(TokenType type) {
  return type == TokenType::Control || type == TokenType::UserDefined || type == TokenType::Unknown;
}

Status Tokenizer::readTokens(TokenizerData &data) {
  if (data.tokens.empty())
    return fail("tokenizer.ggml.tokens is missing or empty: the file has no vocabulary");
  if (data.tokens.size() > size_t(INT32_MAX))
    return fail("tokenizer.ggml.tokens has {} entries, at most {} are allowed", data.tokens.size(),
                INT32_MAX);
  if (!data.types.empty() && data.types.size() != data.tokens.size())
    return fail("tokenizer.ggml.token_type has {} entries, tokenizer.ggml.tokens has {}: they must "
                "agree",
                data.types.size(), data.tokens.size());
  const int32_t count = int32_t(data.tokens.size());
  bytes.resize(count);
  types.resize(count, TokenType::Normal);
  idOfByte.fill(-1);
  std::unordered_map<std::string_view, int32_t> standing; // control and user-defined texts
  for (int32_t id = 0; id < count; ++id) {
    if (!data.types.empty()) {
      if (data.types[id] < 0 || data.types[id] > int32_t(TokenType::Byte))
        return fail("tokenizer.ggml.token_type[{}] is {}, known types are 0 to 6", id,
                    data.types[id]);
      types[id] = TokenType(data.types[id]);
    }
    // Padding entries can never come out of text, so their texts need not differ.
    if (types[id] == TokenType::Unused)
      continue;
    const std::string &text = data.tokens[id];
    if (text.empty())
      return fail("tokenizer.ggml.tokens[{}] is empty", id);
    if (!standsAsItIs(types[id]))
      continue;
    auto [other, isNew] = standing.try_emplace(text, id);
    if (!isNew)
      return fail("tokenizer.ggml.tokens[{}] and [{}] are both '{}': tokens must differ",
                  other->second, id, shownText(text));
  }
  return data.pipeline ? indexPipeline(data) : isScored ? indexScored(data) : indexBytePairs(data);
}

Status Tokenizer::indexBytePairs(const TokenizerData &data) {
  idOfPiece.reserve(data.tokens.size());
  for (int32_t id = 0; id < vocabSize(); ++id) {
    const std::string &text = data.tokens[id];
    const TokenType type = types[id];
    bytes[id] = text;
    if (type == TokenType::Unused)
      continue;
    if (standsAsItIs(type))
      specialTokens.add(text, id, type != TokenType::UserDefined);
    // User-defined words of plain ASCII can take part in merges like any other token; control
    // tokens never do, or plain text could spell them.
    const bool plain = std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
    if (standsAsItIs(type) && !(type == TokenType::UserDefined && plain))
      continue;
    std::optional<std::string> decoded = bytesOfToken(text);
    if (!decoded) // reachable by id only
      continue;
    auto [other, isNew] = idOfPiece.try_emplace(*decoded, id);
    if (!isNew)
      return fail("tokenizer.ggml.tokens[{}] and [{}] are both '{}': tokens must differ",
                  other->second, id, shownText(text));
    if (decoded->size() == 1)
      idOfByte[uint8_t(decoded->front())] = id;
    bytes[id] = std::move(*decoded);
  }
  return readMerges(data);
}

Status Tokenizer::readMerges(const TokenizerData &data) {
  if (data.merges.size() > UINT32_MAX)
    return fail("tokenizer.ggml.merges has {} entries, at most {} are allowed", data.merges.size(),
                UINT32_MAX);
  merges = MergeTable(data.merges.size());
  for (size_t rank = 0; rank < data.merges.size(); ++rank) {
    const std::string_view rule = data.merges[rank];
    const size_t space = rule.find(' ');
    if (space == std::string_view::npos || space == 0 || space + 1 == rule.size() ||
        rule.find(' ', space + 1) != std::string_view::npos)
      return fail("tokenizer.ggml.merges[{}] is '{}': two tokens with one space between them are "
                  "needed",
                  rank, shownText(rule));
    const auto left = bytesOfToken(rule.substr(0, space)),
               right = bytesOfToken(rule.substr(space + 1));
    if (!left || !right)
      continue;
    const auto leftId = idOfPiece.find(*left), rightId = idOfPiece.find(*right),
               merged = idOfPiece.find(*left + *right);
    if (leftId != idOfPiece.end() && rightId != idOfPiece.end() && merged != idOfPiece.end())
      merges.add(leftId->second, rightId->second, uint32_t(rank), merged->second);
  }
  return {};
}

Status Tokenizer::readIds(const TokenizerData &data) {
  std::optional<int32_t> eot, eom, unk, padding;
  struct {
    const char *field;
    std::optional<int64_t> value;
    std::optional<int32_t> &id;
  } fields[] = {{"bos", data.bosId, bos},         {"eos", data.eosId, eos},
                {"eot", data.eotId, eot},         {"eom", data.eomId, eom},
                {"unknown", data.unknownId, unk}, {"padding", data.paddingId, padding}};
  for (auto &[field, value, id] : fields) {
    if (!value)
      continue;
    if (*value < 0 || *value >= vocabSize())
      return fail("tokenizer.ggml.{}_token_id is {}, the vocabulary has the ids 0 to {}", field,
                  *value, vocabSize() - 1);
    id = int32_t(*value);
  }
  for (auto id : {eos, eot, eom})
    if (id)
      ends.push_back(*id);
  for (int32_t id = 0; id < vocabSize(); ++id)
    if ((types[id] == TokenType::Control || types[id] == TokenType::Unknown ||
         (types[id] == TokenType::UserDefined && data.tokens[id] != "</s>")) && // an HTML tag there
        std::ranges::find(endTexts, data.tokens[id]) != std::end(endTexts))
      ends.push_back(id);
  std::ranges::sort(ends);
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  if (!unk && isScored) // sentencepiece's vocabularies always have one
    if (auto found = std::ranges::find(types, TokenType::Unknown); found != types.end())
      unk = int32_t(found - types.begin());
  // An unknown token that is also a control token (<|endoftext|>) would let stray bytes act on the
  // model.
  if (unk && types[*unk] != TokenType::Control && !isEndOfGeneration(*unk))
    unknown = *unk;

  for (auto [field, wanted, id] :
       {std::tuple("bos", data.addBos, bos), std::tuple("eos", data.addEos, eos)})
    if (wanted.value_or(false) && !id)
      return fail(
          "tokenizer.ggml.add_{0}_token is true, but tokenizer.ggml.{0}_token_id is missing",
          field);
  addBos = data.addBos.value_or(false);
  addEos = data.addEos.value_or(false);
  return {};
}

/// What the names of model and pre-tokenizer imply.
Status Tokenizer::readNames(TokenizerData &data) {
  if (data.model == "llama") {
    isScored = true;
    addSpacePrefix = data.addSpacePrefix.value_or(true);
    data.addBos = data.addBos.value_or(data.bosId.has_value());
    return {};
  }
  if (data.model != "gpt2")
    return fail("tokenizer.ggml.model is '{}', which is not supported; known: gpt2 (byte-level "
                "BPE) and llama (sentencepiece BPE)",
                shownText(data.model));
  auto row = findPreTokenizer(data.pre);
  if (!row)
    return forward(row);
  ignoreMerges = (*row)->ignoreMerges;
  data.addBos = data.addBos.value_or(data.bosId && (*row)->addBos);
  std::vector<PreTokenizerStep> steps = stepsOf(**row);
  if (data.addSpacePrefix.value_or(false))
    steps.insert(steps.begin(), PrefixStep{" "});
  return makePreTokenizer(std::move(steps));
}

Status Tokenizer::makePreTokenizer(std::vector<PreTokenizerStep> steps) {
  auto made = PreTokenizer::create(std::move(steps));
  if (!made)
    return forward(made);
  preTokenizer = std::move(*made);
  return {};
}

Expected<Tokenizer> Tokenizer::create(TokenizerData data) {
  Tokenizer tokenizer;
  if (Status status = data.pipeline
                          ? tokenizer.makePreTokenizer(std::move(data.pipeline->preTokenizer))
                          : tokenizer.readNames(data);
      !status)
    return forward(status);
  if (Status status = tokenizer.readTokens(data); !status)
    return forward(status);
  if (Status status = tokenizer.readIds(data); !status)
    return forward(status);
  return tokenizer;
}

} // namespace llmir
