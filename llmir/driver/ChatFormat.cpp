// Hands the template what transformers would: messages, begin and end tokens.
#include "llmir/driver/ChatFormat.h"

namespace llmir {

Expected<ChatFormat> ChatFormat::create(const ModelText &model, std::string_view wayOut) {
  constexpr const char *key = "tokenizer.chat_template";
  const char *shown = model.file.isAssembled() ? "chat_template.jinja" : key;
  auto source = model.file.findString(key);
  if (!source)
    return forward(source);
  if (!*source)
    return fail("{}: has no chat template ({}): {}", model.file.path(), shown, wayOut);
  std::string place = fmt::format("{}: {}", model.file.path(), shown);
  auto parsed = ChatTemplate::parse(**source);
  if (!parsed)
    return forward(parsed, place);
  ChatFormat format(std::move(*parsed), std::move(place));
  auto tokenText = [&](std::optional<int32_t> id) {
    return id ? std::string(model.tokenizer.tokenBytes(*id)) : std::string();
  };
  format.bos = tokenText(model.tokenizer.bosId());
  format.eos = tokenText(model.tokenizer.eosId());
  return format;
}

Expected<std::string> ChatFormat::render(std::span<const ChatMessage> messages,
                                         bool asksForAnswer) const {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const ChatMessage &message : messages)
    list.push_back({{"role", message.role}, {"content", message.content}});
  auto text = chatTemplate.render({{"messages", std::move(list)},
                                   {"add_generation_prompt", asksForAnswer},
                                   {"bos_token", bos},
                                   {"eos_token", eos}});
  if (!text)
    return forward(text, place);
  return text;
}

} // namespace llmir
