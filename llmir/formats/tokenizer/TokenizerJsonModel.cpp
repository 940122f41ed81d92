// The vocabulary of a tokenizer.json: what its model says, and the tokens added to it. Vocabulary
// and merges have hundreds of thousands of entries, so their places are only spelled out in errors.
#include "llmir/formats/tokenizer/TokenizerJson.h"

#include <unordered_map>
#include <unordered_set>

namespace llmir {

using nlohmann::json;
using Ids = std::unordered_map<std::string_view, int32_t>;

static constexpr int32_t maxId = (1 << 20) - 1; // the largest vocabularies have 2^18 tokens

static Expected<int32_t> readId(const json &id, const std::string &place) {
  if (!id.is_number_unsigned() || id.get<uint64_t>() > uint64_t(maxId))
    return fail("{} is {}, ids are whole numbers from 0 to {}", place, shownJson(id), maxId);
  return id.get<int32_t>();
}

/// Gives an id its text; those that are skipped stay unused.
static void setToken(TokenizerData &data, int32_t id, const std::string &text, TokenType type) {
  if (size_t(id) >= data.tokens.size()) {
    data.tokens.resize(size_t(id) + 1);
    data.types.resize(size_t(id) + 1, int32_t(TokenType::Unused));
    data.pipeline->isPiece.resize(size_t(id) + 1);
  }
  data.tokens[id] = text;
  data.types[id] = int32_t(type);
}

static bool isUsed(const TokenizerData &data, int32_t id) {
  return size_t(id) < data.types.size() && data.types[id] != int32_t(TokenType::Unused);
}

static Expected<Ids> readVocabulary(const JsonNode &model, TokenizerData &data) {
  auto vocabulary = model.getObject("vocab");
  if (!vocabulary)
    return forward(vocabulary);
  if (vocabulary->value().empty())
    return fail("{} is empty: the file has no vocabulary", vocabulary->place());
  Ids ids;
  ids.reserve(vocabulary->value().size());
  for (const auto &[text, value] : vocabulary->value().items()) {
    const auto place = [&] {
      return fmt::format("{}['{}']", vocabulary->place(), shownText(text));
    };
    const bool isId = value.is_number_unsigned() && value.template get<uint64_t>() <= maxId;
    auto id = isId ? value.template get<int32_t>() : readId(value, place());
    if (!id)
      return forward(id);
    if (isUsed(data, *id))
      return fail("{} has the id {}, which '{}' has too", place(), *id,
                  shownText(data.tokens[*id]));
    setToken(data, *id, text, text.empty() ? TokenType::Unused : TokenType::Normal);
    data.pipeline->isPiece[*id] = !text.empty();
    ids.emplace(text, *id);
  }
  return ids;
}

/// The two sides of "a b" or ["a", "b"].
static std::optional<std::pair<std::string_view, std::string_view>> sidesOf(const json &merge) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
    return std::pair<std::string_view, std::string_view>(merge[0].get_ref<const std::string &>(),
                                                         merge[1].get_ref<const std::string &>());
  if (!merge.is_string())
    return std::nullopt;
  const std::string_view text = merge.get_ref<const std::string &>();
  const size_t space = text.find(' ');
  if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos)
    return std::nullopt;
  return std::pair(text.substr(0, space), text.substr(space + 1));
}

static Status readMerges(const JsonNode &model, const Ids &ids, std::vector<MergeRule> &merges) {
  auto found = model.find("merges");
  if (!found)
    return forward(found);
  const std::string place = model.place("merges");
  if (!*found || !(*found)->value().is_array())
    return fail("{} is {}, an array is needed", place,
                *found ? shownJson((*found)->value()) : "missing");
  const json &list = (*found)->value();
  merges.reserve(list.size());
  std::string joined;
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].is_string() && list[i].get_ref<const std::string &>().starts_with("#version"))
      continue; // the first line of the text file that merges used to be
    const auto sides = sidesOf(list[i]);
    if (!sides)
      return fail("{}[{}] is {}, two tokens are needed, as \"a b\" or [\"a\", \"b\"]", place, i,
                  shownJson(list[i]));
    joined.assign(sides->first).append(sides->second);
    const auto left = ids.find(sides->first), right = ids.find(sides->second),
               merged = ids.find(joined);
    for (const auto &[token, text] : {std::pair(left, sides->first),
                                      {right, sides->second},
                                      {merged, std::string_view(joined)}})
      if (token == ids.end())
        return fail("{}[{}] joins '{}' and '{}', but model.vocab has no '{}'", place, i,
                    shownText(sides->first), shownText(sides->second), shownText(text));
    merges.push_back({left->second, right->second, merged->second});
  }
  return {};
}

/// What no language model of this kind has.
static Status refuseOthers(const JsonNode &model) {
  auto type = model.findString("type");
  if (!type)
    return forward(type);
  if (*type ? **type != "BPE" : !model.value().contains("merges"))
    return fail("{} is {}, which is not supported; known: BPE", model.place("type"),
                *type ? shownJson(**type) : "missing");
  for (const char *key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    auto affix = model.findString(key);
    if (!affix)
      return forward(affix);
    if (!affix->value_or("").empty())
      return fail("{} is '{}', only an empty one is supported", model.place(key),
                  shownText(**affix));
  }
  const json dropout = model.value().value("dropout", json());
  if (!dropout.is_null() && dropout != 0)
    return fail("{} is {}, only null is supported: dropout is for training", model.place("dropout"),
                shownJson(dropout));
  return {};
}

Status readJsonModel(const JsonNode &root, TokenizerData &data) {
  auto model = root.getObject("model");
  if (!model)
    return forward(model);
  if (Status status = refuseOthers(*model); !status)
    return status;
  BpePipeline &pipeline = *data.pipeline;
  for (const auto &[key, flag] : {std::pair("ignore_merges", &pipeline.ignoreMerges),
                                  {"byte_fallback", &pipeline.hasByteFallback},
                                  {"fuse_unk", &pipeline.fusesUnknown}}) {
    auto value = model->findBool(key, false);
    if (!value)
      return forward(value);
    *flag = *value;
  }
  auto ids = readVocabulary(*model, data);
  if (!ids)
    return forward(ids);
  auto unknown = model->findString("unk_token");
  if (!unknown)
    return forward(unknown);
  if (*unknown) {
    auto id = ids->find(**unknown);
    if (id == ids->end())
      return fail("{} is '{}', which model.vocab has not", model->place("unk_token"),
                  shownText(**unknown));
    data.unknownId = id->second;
  }
  return readMerges(*model, *ids, pipeline.merges);
}

static Expected<AddedToken> readAddedToken(const JsonNode &node) {
  AddedToken token{};
  auto text = node.getString("content");
  if (!text)
    return forward(text);
  token.text = std::move(*text);
  auto id = readId(node.value().value("id", json()), node.place("id"));
  if (!id)
    return forward(id);
  token.id = *id;
  for (const auto &[key, flag] : {std::pair("special", &token.isControl),
                                  {"normalized", &token.isNormalized},
                                  {"single_word", &token.surroundings.singleWord},
                                  {"lstrip", &token.surroundings.stripsLeft},
                                  {"rstrip", &token.surroundings.stripsRight}}) {
    auto value = node.findBool(key, false);
    if (!value)
      return forward(value);
    *flag = *value;
  }
  return token;
}

/// Puts the token into the vocabulary, where it may be already.
static Status addToken(const JsonNode &node, const AddedToken &token, const json &vocabulary,
                       TokenizerData &data) {
  const auto known = vocabulary.find(token.text);
  if (known != vocabulary.end() && *known != token.id)
    return fail("{} is {}, but model.vocab gives '{}' the id {}", node.place("id"), token.id,
                shownText(token.text), shownJson(*known));
  if (known == vocabulary.end() && isUsed(data, token.id))
    return fail("{} is {}, which '{}' has too", node.place("id"), token.id,
                shownText(data.tokens[token.id]));
  TokenType type = token.isControl ? TokenType::Control : TokenType::UserDefined;
  if (token.isControl && data.unknownId == token.id)
    type = TokenType::Unknown;
  setToken(data, token.id, token.text, type);
  // Text may become a control token only by spelling it.
  if (token.isControl)
    data.pipeline->isPiece[token.id] = false;
  data.pipeline->added.push_back(token);
  return {};
}

Status readJsonAddedTokens(const JsonNode &root, TokenizerData &data) {
  auto found = root.find("added_tokens");
  if (!found)
    return forward(found);
  if (!*found)
    return {};
  auto nodes = root.getArray("added_tokens");
  if (!nodes)
    return forward(nodes);
  const json &vocabulary = root.value()["model"]["vocab"];
  std::unordered_set<std::string> texts;
  size_t bytes = 0;
  for (const JsonNode &node : *nodes) {
    auto token = readAddedToken(node);
    if (!token)
      return forward(token);
    bytes += token->text.size();
    if (bytes > maxAddedBytes)
      return fail("{} have over {} bytes together, which are allowed", (*found)->place(),
                  maxAddedBytes);
    if (token->text.empty()) // never found in a text
      continue;
    if (!texts.insert(token->text).second)
      return fail("{} is '{}', which another added token is too", node.place("content"),
                  shownText(token->text));
    if (Status status = addToken(node, *token, vocabulary, data); !status)
      return status;
  }
  return {};
}

} // namespace llmir
