// Puts the tokenizer behind JSON lines, so that the Python oracles can drive it: one request a line
// on stdin, one answer a line on stdout. Bytes travel as hexadecimal text, since they may be no
// UTF-8.
#include "llmir/formats/tokenizer/GgufTokenizer.h"
#include "llmir/formats/tokenizer/StreamDecoder.h"
#include "llmir/formats/tokenizer/Tokenizer.h"
#include "llmir/formats/tokenizer/TokenizerJson.h"
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

using namespace llmir;
using nlohmann::json;

static std::string toHex(std::string_view bytes) {
  std::string hex;
  for (uint8_t byte : bytes)
    hex += fmt::format("{:02x}", byte);
  return hex;
}

static std::string fromHex(const std::string &hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += char(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

template <typename T> static std::optional<T> optionalField(const json &object, const char *name) {
  return object.contains(name) ? std::optional<T>(object[name].get<T>()) : std::nullopt;
}

static TokenizerData dataFrom(const json &object) {
  TokenizerData data;
  data.model = object.value("model", data.model);
  data.pre = object.value("pre", data.pre);
  data.tokens = object.value("tokens", data.tokens);
  data.types = object.value("types", data.types);
  data.merges = object.value("merges", data.merges);
  data.scores = object.value("scores", data.scores);
  data.bosId = optionalField<int64_t>(object, "bos");
  data.eosId = optionalField<int64_t>(object, "eos");
  data.unknownId = optionalField<int64_t>(object, "unknown");
  data.addBos = optionalField<bool>(object, "add_bos");
  data.addEos = optionalField<bool>(object, "add_eos");
  data.addSpacePrefix = optionalField<bool>(object, "add_space_prefix");
  return data;
}

static Expected<Tokenizer> open(const std::string &path) {
  Expected<GgufFile> file = GgufFile::open(path);
  return file ? tokenizerFromGguf(*file) : forward(file);
}

static Expected<Tokenizer> fromJson(const std::string &text) {
  Expected<TokenizerData> data = readTokenizerJson(text);
  return data ? Tokenizer::create(std::move(*data)) : forward(data);
}

static json answer(const json &request, std::optional<Tokenizer> &tokenizer) {
  const std::string op = request["op"];
  if (op == "create" || op == "open" || op == "json") {
    Expected<Tokenizer> made = op == "open"   ? open(request["path"])
                               : op == "json" ? fromJson(request["text"])
                                              : Tokenizer::create(dataFrom(request["data"]));
    if (!made)
      return {{"error", made.error().message}};
    tokenizer.emplace(std::move(*made));
    return {{"vocab", tokenizer->vocabSize()}, {"ends", tokenizer->endOfGeneration()}};
  }
  if (op == "encode") {
    auto ids = tokenizer->encode(fromHex(request["hex"]),
                                 {.addBos = request.value("add_bos", false),
                                  .parseSpecial = request.value("parse_special", false)});
    return ids ? json{{"ids", *ids}} : json{{"error", ids.error().message}};
  }
  const std::vector<int32_t> ids = request["ids"];
  const DecodeOptions options{.skipSpecial = request.value("skip_special", false)};
  StreamDecoder stream(*tokenizer, options);
  json parts = json::array();
  for (int32_t id : ids)
    parts.push_back(toHex(stream.push(id)));
  parts.push_back(toHex(stream.flush()));
  return {{"hex", toHex(tokenizer->decode(ids, options))}, {"parts", parts}};
}

int main() {
  std::optional<Tokenizer> tokenizer;
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    const auto start = std::chrono::steady_clock::now();
    json result = answer(request, tokenizer);
    result["seconds"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::cout << result.dump() << std::endl;
  }
}
