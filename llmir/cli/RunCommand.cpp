// `llmir run`: text from a model, as it is generated.
#include "llmir/cli/Commands.h"
#include "llmir/cli/Generation.h"
#include "llmir/cli/TokenIds.h"
#include "llmir/driver/ChatFormat.h"
#include "llmir/formats/tokenizer/StreamDecoder.h"
#include "llmir/runtime/engine/Engine.h"
#include <cstdio>

namespace llmir {

namespace {

using Clock = std::chrono::steady_clock;

Expected<std::vector<int32_t>> promptTokens(const PromptOptions &options, const ModelText &text,
                                            int64_t vocabulary) {
  if (options.tokens)
    return parseTokenIds(*options.tokens, "--tokens", vocabulary);
  // A chat template writes the begin token itself.
  EncodeOptions encode{.addBos = !options.chat, .parseSpecial = true};
  std::string prompt = *options.prompt;
  if (options.chat) {
    auto format = ChatFormat::create(text, "leave --chat away");
    if (!format)
      return forward(format);
    std::vector<ChatMessage> messages;
    if (!options.system.empty())
      messages.push_back({"system", options.system});
    messages.push_back({"user", std::move(prompt)});
    auto wrapped = format->render(messages, /*asksForAnswer=*/true);
    if (!wrapped)
      return forward(wrapped);
    prompt = std::move(*wrapped);
  }
  return text.tokenizer.encode(prompt, encode);
}

class RunCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "run";
    spec.summary = "Generate text";
    spec.examples = {"llmir run model.gguf --chat --prompt 'What is the capital of France?'",
                     "llmir run model.gguf --prompt 'Once upon a time' --temperature 0.8 --seed 7",
                     "llmir run model.gguf --tokens 1,2,3 --max-tokens 16 --raw"};
    OptionTable &table = spec.options;
    addModel(table, modelFile);
    addPrompt(table, promptOptions);
    addGeneration(table, generation);
    table.add("raw", &raw, "Print the completion and nothing else on stdout");
    addContext(table, context);
    addExecution(table, execution);
    addCompilation(table, execution);
  }

  Status run(const CommandContext &) override {
    if (execution.stops())
      return printStopped(modelFile, execution.model());
    if (!promptOptions.prompt && !promptOptions.tokens)
      return fail("run needs a prompt: give --prompt TEXT or --tokens IDS");
    auto loaded = loadProgram(modelFile, execution.model());
    if (!loaded)
      return forward(loaded);
    auto text = loadText(modelFile);
    if (!text)
      return forward(text);
    const ModelManifest &model = loaded->program->manifest().model;
    auto prompt = promptTokens(promptOptions, *text, model.vocabulary);
    if (!prompt)
      return forward(prompt);

    const int64_t limit = context ? context : model.contextLength;
    int64_t promptLength = int64_t(prompt->size());
    // Memory for what this request can use, not for the whole context.
    int64_t used = std::min(limit, promptLength + generation.maxTokens);
    int32_t chunk = int32_t(std::clamp<int64_t>(promptLength, 1, execution.prefillChunk));
    SessionOptions sizes = engineSession(loaded->program->manifest(), used, 1, chunk);
    sizes.step.contextTokens = limit;
    auto session = Session::create(*loaded->device, *loaded->program, sizes);
    if (!session)
      return forward(session);
    Engine engine(**session, chunk);

    StreamDecoder decoder(text->tokenizer, {.skipSpecial = true});
    auto print = [](const std::string &part) {
      writeTo(stdout, part);
      return fflush(stdout) == 0; // a closed pipe ends the request
    };
    int64_t generated = 0;
    Clock::time_point start = Clock::now(), first = start, last = start;
    Status outcome;
    Request request = makeRequest(std::move(*prompt), generation, text->tokenizer);
    request.onToken = [&](int32_t token) {
      last = Clock::now();
      if (generated++ == 0)
        first = last;
      return print(decoder.push(token));
    };
    FinishReason reason = FinishReason::MaxTokens;
    request.onFinish = [&](FinishReason how, const std::string &message) {
      reason = how;
      if (how == FinishReason::Failed)
        outcome = fail("{}", message);
    };
    if (Status status = engine.submit(std::move(request)); !status)
      return status;
    engine.run();
    if (!outcome)
      return outcome;
    if (!print(decoder.flush()) || reason == FinishReason::Cancelled)
      return fail("the completion cannot be written to stdout");
    if (raw)
      return {};
    print("\n");
    printTo(stderr, "prompt: {} tokens", promptLength);
    if (generated > 0)
      printTo(stderr, ", {:.1f} tokens/s", perSecond(promptLength, first - start));
    printTo(stderr, "; generated: {} tokens", generated);
    if (generated > 1)
      printTo(stderr, ", {:.1f} tokens/s", perSecond(generated - 1, last - first));
    printTo(stderr, "{}\n", reason == FinishReason::Context ? "; the context is full" : "");
    return {};
  }

  std::string modelFile;
  PromptOptions promptOptions;
  GenerationOptions generation;
  bool raw = false;
  int64_t context = 0;
  ExecutionOptions execution;
};

} // namespace

std::unique_ptr<Command> makeRunCommand() { return std::make_unique<RunCommand>(); }

} // namespace llmir
