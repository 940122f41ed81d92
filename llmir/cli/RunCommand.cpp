// `llmir run`: text from a model, as it is generated.
#include "llmir/cli/Commands.h"
#include "llmir/cli/TokenIds.h"
#include "llmir/driver/Model.h"
#include "llmir/formats/tokenizer/StreamDecoder.h"
#include "llmir/runtime/engine/Engine.h"
#include <chrono>
#include <cstdio>

namespace llmir {

namespace {

using Clock = std::chrono::steady_clock;

void declare(CLI::App &command, Options &options) {
  addModel(command, options);
  addPrompt(command, options);
  addSampling(command, options);
  addContext(command, options);
  addExecution(command, options);
  command.add_flag("--raw", options.raw, "Print the completion and nothing else on stdout");
  command.footer("Examples:\n"
                 "  llmir run model.gguf --chat --prompt 'What is the capital of France?'\n"
                 "  llmir run model.gguf --prompt 'Once upon a time' --temperature 0.8 --seed 7\n"
                 "  llmir run model.gguf --tokens 1,2,3 --max-tokens 16 --raw");
}

Expected<std::vector<int32_t>> promptTokens(const Options &options, const ModelText &text,
                                            int64_t vocabulary) {
  if (options.tokens)
    return parseTokenIds(*options.tokens, "--tokens", vocabulary);
  // A chat template writes the begin token itself.
  EncodeOptions encode{.addBos = !options.chat, .parseSpecial = true};
  std::string prompt = *options.prompt;
  if (options.chat) {
    auto wrapped = chatPrompt(text, options.system, prompt);
    if (!wrapped)
      return forward(wrapped);
    prompt = std::move(*wrapped);
  }
  return text.tokenizer.encode(prompt, encode);
}

double perSecond(size_t count, Clock::duration time) {
  return double(count) / std::max(1e-9, std::chrono::duration<double>(time).count());
}

Status run(const Options &options) {
  if (!options.prompt && !options.tokens)
    return fail("run needs a prompt: give --prompt TEXT or --tokens IDS");
  if (Status status = checkSamplingOptions(options.sampling); !status)
    return fail("--{}", status.error().message); // its options are named as ours
  auto loaded = loadProgram(options.model, {options.artifact, options.threads});
  if (!loaded)
    return forward(loaded);
  auto text = loadText(options.model);
  if (!text)
    return forward(text);
  const ModelManifest &model = loaded->program->manifest().model;
  auto prompt = promptTokens(options, *text, model.vocabulary);
  if (!prompt)
    return forward(prompt);

  int64_t context = options.context ? options.context : model.contextLength;
  int64_t promptLength = int64_t(prompt->size());
  // Memory for what this request can use, not for the whole context.
  int64_t used = std::min(context, promptLength + options.maxTokens);
  int32_t chunk = int32_t(std::clamp<int64_t>(promptLength, 1, options.prefillChunk));
  SessionOptions sizes = engineSession(loaded->program->manifest(), used, 1, chunk);
  sizes.step.contextTokens = context;
  auto session = Session::create(*loaded->device, *loaded->program, sizes);
  if (!session)
    return forward(session);
  Engine engine(**session, chunk);

  StreamDecoder decoder(text->tokenizer, {.skipSpecial = true});
  auto print = [](const std::string &part) {
    fwrite(part.data(), 1, part.size(), stdout);
    return fflush(stdout) == 0; // a closed pipe ends the request
  };
  size_t generated = 0;
  Clock::time_point start = Clock::now(), first = start, last = start;
  Status outcome;
  Request request;
  request.prompt = std::move(*prompt);
  request.sampling = options.sampling;
  request.maxTokens = options.maxTokens;
  if (!options.ignoreEos) {
    std::span<const int32_t> ends = text->tokenizer.endOfGeneration();
    request.endTokens.assign(ends.begin(), ends.end());
  }
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
  if (options.raw)
    return {};
  print("\n");
  fmt::print(stderr, "prompt: {} tokens", promptLength);
  if (generated > 0)
    fmt::print(stderr, ", {:.1f} tokens/s", perSecond(size_t(promptLength), first - start));
  fmt::print(stderr, "; generated: {} tokens", generated);
  if (generated > 1)
    fmt::print(stderr, ", {:.1f} tokens/s", perSecond(generated - 1, last - first));
  fmt::print(stderr, "{}\n", reason == FinishReason::Context ? "; the context is full" : "");
  return {};
}

} // namespace

const Command runCommand = {"run", "Generate text", declare, run};

} // namespace llmir
