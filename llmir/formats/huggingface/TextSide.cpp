// Which of the files wins is as in transformers: chat_template.jinja before chat_template.json
// before tokenizer_config.json; generation_config.json before config.json.
#include "llmir/formats/huggingface/TextSide.h"

#include <algorithm>

namespace llmir::huggingface {

namespace {

constexpr size_t maxTokenizerBytes = 256 << 20;

std::string_view asText(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

class TextSide {
public:
  TextSide(const ModelFolder &folder, const Json &config, int64_t vocabulary, const ReadText &read,
           GgufWriter &writer)
      : folder(folder), config(config), vocabulary(vocabulary), read(read), writer(writer) {}

  Status write() {
    auto tokenizer = readObject("tokenizer_config.json");
    auto generation = readObject("generation_config.json");
    if (!tokenizer || !generation)
      return tokenizer ? forward(generation) : forward(tokenizer);
    for (Status status :
         {writeTokenizer(), writeTemplate(*tokenizer), writeIds(*tokenizer, *generation)})
      if (!status)
        return status;
    return {};
  }

private:
  /// An empty object where there is no such file.
  Expected<Json> readObject(const char *name) {
    auto bytes = read(name);
    return bytes ? parseObject(*bytes, folder.file(name), maxConfigBytes) : Json::object();
  }

  Status writeTokenizer() {
    constexpr const char *name = "tokenizer.json";
    auto bytes = read(name);
    if (!bytes)
      return {};
    if (bytes->size() > maxTokenizerBytes)
      return fail("{}: has {} bytes, at most {} are allowed", folder.file(name), bytes->size(),
                  maxTokenizerBytes);
    writer.addString("tokenizer.huggingface.json", asText(*bytes));
    return {};
  }

  Status writeTemplate(const Json &tokenizer) {
    constexpr const char *key = "tokenizer.chat_template", *field = "chat_template";
    if (auto jinja = read("chat_template.jinja")) {
      if (jinja->size() > maxConfigBytes)
        return fail("{}: has {} bytes, at most {} are allowed", folder.file("chat_template.jinja"),
                    jinja->size(), maxConfigBytes);
      writer.addString(key, asText(*jinja));
      return {};
    }
    auto old = readObject("chat_template.json");
    if (!old)
      return forward(old);
    const bool isOld = old->contains(field);
    const std::string path = folder.file(isOld ? "chat_template.json" : "tokenizer_config.json");
    Status status;
    const JsonFields fields(isOld ? *old : tokenizer, path, status);
    const Json *found = fields.find(field);
    if (found && found->is_array()) // several, by name
      found = defaultTemplate(*found, fields);
    if (found && found->is_string())
      writer.addString(key, found->get_ref<const std::string &>());
    else if (found)
      fields.wrong(field, *found, "a string or a list of named templates");
    return status;
  }

  static const Json *defaultTemplate(const Json &list, const JsonFields &fields) {
    for (const Json &item : list)
      if (item.is_object() && item.value("name", Json()) == "default" && item.contains("template"))
        return &item.at("template");
    fields.wrong("chat_template", list, "a string, or a list with the name \"default\" in it");
    return nullptr;
  }

  /// The id of a token that tokenizer_config.json names, if it says that too. Tokens are strings or
  /// objects with their "content".
  static std::optional<int64_t> idOf(const Json &tokenizer, const char *role) {
    auto token = tokenizer.find(role);
    if (token == tokenizer.end())
      return std::nullopt;
    const Json text = token->is_object() ? token->value("content", Json()) : *token;
    auto added = tokenizer.find("added_tokens_decoder");
    if (!text.is_string() || added == tokenizer.end() || !added->is_object())
      return std::nullopt;
    for (const auto &[id, entry] : added->items())
      if (entry.is_object() && entry.value("content", Json()) == text && id.size() <= 9 &&
          id.find_first_not_of("0123456789") == std::string::npos && !id.empty())
        return std::stoll(id);
    return std::nullopt;
  }

  /// A token id, or a list of them.
  std::vector<int64_t> readIdList(const JsonFields &fields, const char *key) const {
    const Json *value = fields.find(key);
    std::vector<int64_t> ids;
    if (!value)
      return ids;
    const Json list = value->is_array() ? *value : Json::array({*value});
    for (const Json &item : list) {
      if (!item.is_number_integer() || item < 0 || item >= vocabulary) {
        fields.wrong(key, value->is_array() ? item : *value,
                     fmt::format("token ids from 0 to {}", vocabulary - 1));
        break;
      }
      ids.push_back(item.get<int64_t>());
    }
    return ids;
  }

  Status writeIds(const Json &tokenizer, const Json &generation) {
    Status status;
    const JsonFields ofGeneration(generation, folder.file("generation_config.json"), status);
    const JsonFields ofConfig(config, folder.file("config.json"), status);
    const JsonFields ofTokenizer(tokenizer, folder.file("tokenizer_config.json"), status);
    auto add = [&](const char *role, int64_t id) {
      writer.addU32(fmt::format("tokenizer.ggml.{}_token_id", role), uint32_t(id));
    };
    auto named = [&](const char *role) { return idOf(tokenizer, role); };

    if (auto id = named("bos_token"))
      add("bos", *id);
    else if (!ofTokenizer.isNull("bos_token")) // where it is null, texts begin with none
      for (int64_t first : readIdList(ofConfig, "bos_token_id")) {
        add("bos", first);
        break;
      }
    if (auto id = named("unk_token"))
      add("unknown", *id);
    if (auto id = named("pad_token"))
      add("padding", *id);

    std::vector<int64_t> ends;
    if (auto id = named("eos_token"))
      ends.push_back(*id);
    const bool isInGeneration = ofGeneration.find("eos_token_id");
    for (int64_t id : readIdList(isInGeneration ? ofGeneration : ofConfig, "eos_token_id"))
      if (std::ranges::find(ends, id) == ends.end())
        ends.push_back(id);
    // GGUF has a key for each of three.
    constexpr const char *roles[] = {"eos", "eot", "eom"};
    if (ends.size() > std::size(roles))
      (isInGeneration ? ofGeneration : ofConfig)
          .report(fmt::format("\"eos_token_id\" names {} tokens, at most {} can end a text",
                              ends.size(), std::size(roles)));
    for (size_t i = 0; i < std::min(ends.size(), std::size(roles)); ++i)
      add(roles[i], ends[i]);

    for (const char *flag : {"add_bos_token", "add_eos_token"})
      if (ofTokenizer.find(flag))
        writer.addBool(fmt::format("tokenizer.ggml.{}", flag), ofTokenizer.flag(flag, false));
    return status;
  }

  const ModelFolder &folder;
  const Json &config;
  const int64_t vocabulary;
  const ReadText &read;
  GgufWriter &writer;
};

} // namespace

Status writeTextSide(const ModelFolder &folder, const Json &config, int64_t vocabulary,
                     const ReadText &read, GgufWriter &writer) {
  return TextSide(folder, config, vocabulary, read, writer).write();
}

} // namespace llmir::huggingface
