// The document as a whole, and what stands around the text: decoder and post-processor.
#include "llmir/formats/tokenizer/TokenizerJson.h"

#include "llmir/formats/tokenizer/ByteAlphabet.h"
#include "llmir/formats/tokenizer/SentencePieceText.h"

namespace llmir {

/// The steps that a decoder or processor is made of: itself, or the elements of a sequence.
static Status flatten(const JsonNode &node, std::string_view elements,
                      std::vector<JsonNode> &steps) {
  auto type = node.getString("type");
  if (!type)
    return forward(type);
  if (*type != "Sequence") {
    steps.push_back(node);
    return {};
  }
  auto inner = node.getArray(elements);
  if (!inner)
    return forward(inner);
  for (const JsonNode &step : *inner)
    if (Status status = flatten(step, elements, steps); !status)
      return status;
  return {};
}

/// Decoders do what our own decoding does if their steps are among these, in this order.
enum class DecoderStep { Start, ReplaceMark, ByteFallback, Fuse, Strip };

static Expected<DecoderStep> decoderStep(const JsonNode &step) {
  auto type = step.getString("type");
  if (!type)
    return forward(type);
  if (*type == "ByteFallback")
    return DecoderStep::ByteFallback;
  if (*type == "Fuse")
    return DecoderStep::Fuse;
  const nlohmann::json &value = step.value();
  if (*type == "Replace") {
    if (value.value("pattern", nlohmann::json()) != nlohmann::json::object({{"String", "▁"}}) ||
        value.value("content", nlohmann::json()) != " ")
      return fail("{} replaces something else than ▁ by a space, which is not supported",
                  step.place());
    return DecoderStep::ReplaceMark;
  }
  if (*type == "Metaspace") {
    if (value.value("replacement", nlohmann::json()) != "▁")
      return fail("{}.replacement is {}, only '▁' is supported", step.place(),
                  shownJson(value.value("replacement", nlohmann::json())));
    return DecoderStep::ReplaceMark;
  }
  if (*type == "Strip") {
    if (value.value("content", nlohmann::json()) != " " ||
        value.value("start", nlohmann::json()) != 1 || value.value("stop", nlohmann::json()) != 0)
      return fail("{} strips something else than one space at the start, which is not supported",
                  step.place());
    return DecoderStep::Strip;
  }
  return fail("{} is of the type '{}', which is not supported; known: ByteLevel, or Replace, "
              "Metaspace, ByteFallback, Fuse, Strip",
              step.place(), shownText(*type));
}

Status readJsonDecoder(const JsonNode &root, TokenizerData &data) {
  auto decoder = root.getObject("decoder");
  if (!decoder)
    return forward(decoder);
  std::vector<JsonNode> steps;
  if (Status status = flatten(*decoder, "decoders", steps); !status)
    return status;
  const bool isByteLevel = steps.size() == 1 && steps[0].value()["type"] == "ByteLevel";
  if (isByteLevel != data.pipeline->isByteLevel)
    return fail("{} is {}ByteLevel, but the pre-tokenizer is {}: both must be or none",
                decoder->place(), isByteLevel ? "" : "not ", isByteLevel ? "not" : "ByteLevel");
  if (isByteLevel)
    return {};
  auto last = DecoderStep::Start;
  bool hasByteFallback = false, replacesMark = false;
  for (const JsonNode &node : steps) {
    auto step = decoderStep(node);
    if (!step)
      return forward(step);
    if (*step <= last || (*step == DecoderStep::Strip && last != DecoderStep::Fuse))
      return fail("{} stands at another place than in Replace, ByteFallback, Fuse, Strip, which "
                  "is not supported",
                  node.place());
    hasByteFallback |= *step == DecoderStep::ByteFallback;
    replacesMark |= *step == DecoderStep::ReplaceMark;
    last = *step;
  }
  if (!replacesMark)
    return fail("{} leaves ▁ as it is, which is not supported", decoder->place());
  for (size_t id = 0; hasByteFallback && id < data.tokens.size(); ++id)
    if (data.types[id] == int32_t(TokenType::Normal) && byteOfToken(data.tokens[id]))
      data.types[id] = int32_t(TokenType::Byte);
  return {};
}

/// The id of one token of a template: special_tokens says which.
static Expected<int64_t> templateId(const JsonNode &processor, const JsonNode &piece,
                                    size_t vocabulary) {
  auto name = piece.getString("id");
  auto known = processor.getObject("special_tokens");
  if (!name || !known)
    return name ? forward(known) : forward(name);
  auto token = known->getObject(*name);
  if (!token)
    return forward(token);
  auto ids = token->getArray("ids");
  if (!ids)
    return forward(ids);
  if (ids->size() != 1)
    return fail("{} has {} elements, only one is supported", token->place("ids"), ids->size());
  const nlohmann::json &id = ids->front().value();
  if (!id.is_number_unsigned() || id.get<uint64_t>() >= vocabulary)
    return fail("{} is {}, the vocabulary has the ids 0 to {}", ids->front().place(), shownJson(id),
                vocabulary - 1);
  return id.get<int64_t>();
}

/// One template for a text alone: at most one token in front of it and one behind it.
static Status readTemplate(const JsonNode &processor, TokenizerData &data) {
  auto pieces = processor.getArray("single");
  if (!pieces)
    return forward(pieces);
  bool hasText = false;
  for (const JsonNode &node : *pieces) {
    auto token = node.find("SpecialToken");
    if (!token)
      return forward(token);
    std::optional<bool> &adds = hasText ? data.addEos : data.addBos;
    if (!*token) {
      auto sequence = node.getObject("Sequence");
      auto name = sequence ? sequence->getString("id") : forward(sequence);
      if (!name)
        return forward(name);
      if (hasText || *name != "A")
        return fail("{} is a second text, which is not supported", node.place());
      hasText = true;
    } else if (adds.value_or(false)) {
      return fail("{} is a second token on one side of the text, which is not supported",
                  node.place());
    } else {
      auto id = templateId(processor, **token, data.tokens.size());
      if (!id)
        return forward(id);
      adds = true;
      (hasText ? data.eosId : data.bosId) = *id;
    }
  }
  if (!hasText)
    return fail("{} has no Sequence: where the text stands is missing", processor.place("single"));
  return {};
}

Status readJsonPostProcessor(const JsonNode &root, TokenizerData &data) {
  data.addBos = data.addEos = false;
  auto processor = root.find("post_processor");
  if (!processor)
    return forward(processor);
  std::vector<JsonNode> steps;
  if (*processor)
    if (Status status = flatten(**processor, "processors", steps); !status)
      return status;
  bool hasTemplate = false;
  for (const JsonNode &step : steps) {
    const nlohmann::json &type = step.value()["type"];
    if (type == "ByteLevel") // about offsets only
      continue;
    if (type != "TemplateProcessing" || hasTemplate)
      return fail("{} is {} {}, which is not supported; known: ByteLevel and one "
                  "TemplateProcessing",
                  step.place(), hasTemplate ? "another" : "of the type", shownJson(type));
    if (Status status = readTemplate(step, data); !status)
      return status;
    hasTemplate = true;
  }
  return {};
}

/// A byte-level model that lacks bytes would spell their characters in the byte alphabet.
static Status checkByteFallback(const TokenizerData &data) {
  if (!data.pipeline->isByteLevel || !data.pipeline->hasByteFallback)
    return {};
  size_t bytes = 0;
  for (size_t id = 0; id < data.tokens.size(); ++id)
    if (data.pipeline->isPiece[id])
      bytes += bytesOfToken(data.tokens[id]).value_or("").size() == 1;
  if (bytes < 256)
    return fail("tokenizer.json: model.byte_fallback is true, which is not supported for a "
                "ByteLevel vocabulary with {} of the 256 bytes",
                bytes);
  return {};
}

Expected<TokenizerData> readTokenizerJson(std::string_view text) {
  auto json = parseJson(text, "tokenizer.json");
  if (!json)
    return forward(json);
  const JsonNode root(*json, "tokenizer.json");
  TokenizerData data;
  data.pipeline.emplace();
  Status status = readJsonModel(root, data);
  if (status)
    status = readJsonAddedTokens(root, data);
  if (status)
    status = readJsonNormalizer(root, *data.pipeline);
  if (status)
    status = readJsonPreTokenizer(root, *data.pipeline);
  if (status)
    status = checkByteFallback(data);
  if (status)
    status = readJsonDecoder(root, data);
  if (status)
    status = readJsonPostProcessor(root, data);
  if (!status)
    return forward(status);
  return data;
}

} // namespace llmir
