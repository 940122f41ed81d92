// Reads tokenizer.ggml.* into TokenizerData; what the values mean is checked by the tokenizer
// itself. Ids and flags there go before those of a tokenizer.json.
#include "llmir/formats/tokenizer/GgufTokenizer.h"

#include "llmir/formats/tokenizer/TokenizerJson.h"

namespace llmir {

static constexpr std::string_view jsonKey = "tokenizer.huggingface.json";

/// The vocabulary itself, by the names of tokenizer.ggml.*.
static Expected<TokenizerData> readVocabulary(const GgufFile &file) {
  TokenizerData data;
  auto model = file.getString("tokenizer.ggml.model");
  if (!model)
    return forward(model);
  data.model = *model;
  if (data.model != "gpt2" && data.model != "llama") // refused by the tokenizer
    return data;
  auto tokens = file.getStringArray("tokenizer.ggml.tokens");
  if (!tokens)
    return forward(tokens);
  data.tokens.assign(tokens->begin(), tokens->end());
  if (data.model == "llama") {
    auto scores = file.getF32Array("tokenizer.ggml.scores");
    if (!scores)
      return forward(scores);
    data.scores = std::move(*scores);
  } else {
    auto merges = file.getStringArray("tokenizer.ggml.merges");
    if (!merges)
      return forward(merges);
    data.merges.assign(merges->begin(), merges->end());
  }
  auto pre = file.findString("tokenizer.ggml.pre");
  if (!pre)
    return forward(pre);
  if (*pre)
    data.pre = **pre;
  auto types = file.findI32Array("tokenizer.ggml.token_type");
  if (!types)
    return forward(types);
  if (*types)
    data.types = std::move(**types);
  return data;
}

/// The same out of a tokenizer.json that the file carries whole.
static Expected<TokenizerData> readJsonVocabulary(const GgufFile &file) {
  auto text = file.getString(jsonKey);
  if (!text)
    return forward(text);
  auto data = readTokenizerJson(*text);
  return data ? std::move(data) : forward(data, file.path());
}

static Expected<TokenizerData> readData(const GgufFile &file) {
  const bool isJson = !file.has("tokenizer.ggml.model") && file.has(jsonKey);
  auto read = isJson ? readJsonVocabulary(file) : readVocabulary(file);
  if (!read)
    return read;
  TokenizerData &data = *read;
  const std::pair<const char *, std::optional<int64_t> &> ids[] = {
      {"tokenizer.ggml.bos_token_id", data.bosId},
      {"tokenizer.ggml.eos_token_id", data.eosId},
      {"tokenizer.ggml.eot_token_id", data.eotId},
      {"tokenizer.ggml.eom_token_id", data.eomId},
      {"tokenizer.ggml.unknown_token_id", data.unknownId},
      {"tokenizer.ggml.padding_token_id", data.paddingId}};
  for (const auto &[key, id] : ids) {
    auto value = file.findI64(key);
    if (!value)
      return forward(value);
    if (*value)
      id = *value;
  }
  const std::pair<const char *, std::optional<bool> &> flags[] = {
      {"tokenizer.ggml.add_bos_token", data.addBos},
      {"tokenizer.ggml.add_eos_token", data.addEos},
      {"tokenizer.ggml.add_space_prefix", data.addSpacePrefix}};
  for (const auto &[key, flag] : flags) {
    auto value = file.findBool(key);
    if (!value)
      return forward(value);
    if (*value)
      flag = *value;
  }
  return read;
}

Expected<Tokenizer> tokenizerFromGguf(const GgufFile &file) {
  if (file.isAssembled() && !file.has("tokenizer.huggingface.json"))
    return fail("{}/tokenizer.json: is not there, and no text can be read without it: fetch it, or "
                "give token ids",
                file.path());
  auto data = readData(file);
  if (!data)
    return forward(data); // names the file already
  auto tokenizer = Tokenizer::create(std::move(*data));
  if (!tokenizer)
    return forward(tokenizer, file.path());
  return tokenizer;
}

} // namespace llmir
