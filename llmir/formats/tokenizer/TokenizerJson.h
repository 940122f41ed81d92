// Hugging Face's tokenizer.json: one JSON document that spells out a whole tokenizer. Read here are
// the byte pair encodings of language models, byte-level ones (GPT-2, Llama 3, Qwen) and those that
// come from sentencepiece (Llama 2, Mistral, Gemma).
#pragma once

#include "llmir/formats/tokenizer/JsonNode.h"
#include "llmir/formats/tokenizer/TokenizerData.h"

namespace llmir {

/// The pipeline with its vocabulary, and the begin and end tokens of its post-processor. Padding
/// and truncation are not read: they are for batches of one length. A space that the decoder takes
/// from the front of a text stays: it belongs to the first token. Errors name the place in the
/// document, as `tokenizer.json: model.merges[12]`, the value, and what is possible.
Expected<TokenizerData> readTokenizerJson(std::string_view text);

// The parts of it, each of which fills what it is about.

/// model: the vocabulary, the merges, and which token stands for unknown characters.
Status readJsonModel(const JsonNode &root, TokenizerData &data);
/// added_tokens; after the model.
Status readJsonAddedTokens(const JsonNode &root, TokenizerData &data);
Status readJsonNormalizer(const JsonNode &root, BpePipeline &pipeline);
/// pre_tokenizer; also says whether it is byte-level.
Status readJsonPreTokenizer(const JsonNode &root, BpePipeline &pipeline);
/// decoder; after all above. Tokens that decode to a byte get that type.
Status readJsonDecoder(const JsonNode &root, TokenizerData &data);
/// post_processor.
Status readJsonPostProcessor(const JsonNode &root, TokenizerData &data);

} // namespace llmir
