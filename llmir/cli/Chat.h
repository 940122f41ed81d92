// An interactive conversation: messages and /commands in, answers out.
#pragma once

#include "llmir/cli/Dialogue.h"
#include "llmir/cli/Interrupt.h"
#include "llmir/cli/LineReader.h"
#include "llmir/cli/Options.h"
#include "llmir/runtime/engine/Conversation.h"
#include "llmir/support/StandardStreams.h"
#include "llmir/support/Terminal.h"

namespace llmir {

struct ChatSetup {
  const ModelText &text;
  const ChatFormat &format;
  Session &session;
  int32_t prefillChunk;
  GenerationOptions &generation; ///< /set changes it, through `options`
  OptionTable &options;          ///< the table whose group "Generation" writes to `generation`
  Style style;                   ///< of stderr
};

class Chat {
public:
  Chat(const ChatSetup &setup, std::string system);

  /// Until /exit or the end of the input. What goes wrong with one message or command is one line
  /// on stderr. Errors: the input cannot be read, the answer cannot be written.
  Status run(LineReader &reader);

private:
  struct SlashCommand {
    const char *name, *argument, *help;
    /// Errors concern the command alone.
    Status (Chat::*run)(const std::string &argument);
  };
  static std::span<const SlashCommand> slashCommands();

  Expected<LineReader::Outcome> readMessage(LineReader &reader, std::string &message);
  Status runCommand(const std::string &line);
  /// Answers the last message. `outputBroken` is set when stdout takes no more.
  Status answer();
  /// The prompt, with the oldest turns left out if it would not fit.
  Expected<std::vector<int32_t>> fittingPrompt();
  void note(const std::string &line) const;

  Status help(const std::string &);
  Status exit(const std::string &);
  Status clear(const std::string &);
  Status system(const std::string &text);
  Status regenerate(const std::string &);
  Status save(const std::string &file);
  Status load(const std::string &file);
  Status set(const std::string &assignment);
  Status stats(const std::string &);

  ChatSetup setup;
  Dialogue dialogue;
  Conversation conversation;
  InterruptFlag interrupt;
  TurnResult lastTurn;
  uint64_t regenerations = 0;
  bool isDone = false, outputBroken = false;
};

} // namespace llmir
