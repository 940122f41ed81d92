// `llmir chat`: a conversation with a model, in a terminal or through a pipe.
#include "llmir/cli/Chat.h"
#include "llmir/cli/Commands.h"
#include <unistd.h>

namespace llmir {

namespace {

class ChatCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "chat";
    spec.summary = "Talk with a model";
    spec.details = "Each line is a message; /help lists the commands. When the context is full, "
                   "the oldest turns are left out.";
    spec.examples = {"llmir chat model.gguf --system 'You answer in one sentence.'",
                     "llmir chat model.gguf --temperature 0.7 --context 4096",
                     "printf 'Hello!\\n' | llmir chat model.gguf"};
    OptionTable &table = spec.options;
    addModel(table, modelFile);
    table.group("Conversation");
    table.add("system", &system, "What the model should be");
    table.add("no-history", &noHistory, "Do not keep what is typed for later sessions");
    addGeneration(table, generation);
    addContext(table, context);
    addExecution(table, execution);
    addCompilation(table, execution);
  }

  Status run(const CommandContext &command) override {
    if (execution.stops())
      return printStopped(modelFile, execution.model());
    auto loaded = loadProgram(modelFile, execution.model());
    if (!loaded)
      return forward(loaded);
    auto text = loadText(modelFile);
    if (!text)
      return forward(text);
    auto format = ChatFormat::create(*text, "use llmir run without --chat");
    if (!format)
      return forward(format);
    const Manifest &manifest = loaded->program->manifest();
    const int64_t limit = context ? context : manifest.model.contextLength;
    const int32_t chunk = int32_t(std::min<int64_t>(execution.prefillChunk, limit));
    SessionOptions sizes = engineSession(manifest, limit, 1, chunk);
    auto session = Session::create(*loaded->device, *loaded->program, sizes);
    if (!session)
      return forward(session);

    const bool isInteractive =
        isatty(STDIN_FILENO) && (isatty(STDOUT_FILENO) || isatty(STDERR_FILENO));
    std::unique_ptr<LineReader> reader =
        isInteractive ? LineReader::onTerminal(noHistory ? "" : defaultHistoryFile())
                      : LineReader::onPipe();
    if (isInteractive)
      printTo(stderr, "{}: a context of {} tokens; /help lists the commands, Ctrl-D ends\n",
              modelFile, limit);
    Chat chat({*text, *format, **session, chunk, generation, command.program.find("chat")->options,
               Style{usesColor(command.color, STDERR_FILENO)}},
              system);
    return chat.run(*reader);
  }

  std::string modelFile, system;
  bool noHistory = false;
  GenerationOptions generation;
  int64_t context = 0;
  ExecutionOptions execution;
};

} // namespace

std::unique_ptr<Command> makeChatCommand() { return std::make_unique<ChatCommand>(); }

} // namespace llmir
