// What was said in a chat, and the tokens it stands for.
#pragma once

#include "llmir/driver/ChatFormat.h"

namespace llmir {

class Dialogue {
public:
  /// Both must outlive the dialogue.
  Dialogue(const ChatFormat &format, const Tokenizer &tokenizer)
      : format(&format), tokenizer(&tokenizer) {}

  std::string system; ///< what the model should be; may be empty

  void say(std::string text) { messages.push_back({"user", std::move(text)}); }
  /// The model's answer to the last message. `tokens` are those of the prompt and the answer, kept
  /// because the text of an answer may be cut into other tokens than it was generated in; empty if
  /// `text` is not all that they say.
  void answer(std::string text, std::span<const int32_t> tokens);
  bool waitsForAnswer() const { return !messages.empty() && messages.back().role == "user"; }
  /// Takes the last message back, whoever said it. False: there is none.
  bool takeBack();
  void clear();

  /// The conversation up to where the next answer begins. Errors: the template's.
  Expected<std::vector<int32_t>> prompt();
  /// Leaves the oldest turn that is still in it out of the prompt. False: only the last is left.
  bool forgetOldest();
  /// Lets the prompt begin at the first turn again.
  void rememberAll() { first = 0; }

  size_t turns() const;

  /// As JSON: {"messages": [{"role": …, "content": …}, …]}, whole or not at all. Errors: the file
  /// cannot be written; there is a file of another kind.
  Status save(const std::string &path) const;
  /// Takes the place of what was said. Errors: no such file, another kind of file, roles that do
  /// not take turns.
  Status load(const std::string &path);

private:
  const ChatFormat *format;
  const Tokenizer *tokenizer;
  std::vector<ChatMessage> messages; // user and assistant by turns
  size_t first = 0;                  // of the messages in the prompt
  // The last prompt and its answer, as text and as the tokens that the model saw.
  std::string promptText, spokenText;
  std::vector<int32_t> spokenTokens;
};

} // namespace llmir
