// A conversation as the text that its model was trained on: the chat template of the model file.
#pragma once

#include "llmir/driver/Model.h"
#include "llmir/formats/chat_template/ChatTemplate.h"
#include <span>

namespace llmir {

struct ChatMessage {
  std::string role; ///< "system", "user" or "assistant"
  std::string content;
};

class ChatFormat {
public:
  /// Errors: the model has no template, where `wayOut` says what to do instead; the template does
  /// not parse.
  static Expected<ChatFormat> create(const ModelText &model, std::string_view wayOut);

  /// The messages in order. With `asksForAnswer`, up to where the next answer begins. Errors: the
  /// template's own, for example about the order of roles.
  Expected<std::string> render(std::span<const ChatMessage> messages, bool asksForAnswer) const;

private:
  ChatFormat(ChatTemplate chatTemplate, std::string place)
      : chatTemplate(std::move(chatTemplate)), place(std::move(place)) {}

  ChatTemplate chatTemplate;
  std::string place; // file and key, for errors
  std::string bos, eos;
};

} // namespace llmir
