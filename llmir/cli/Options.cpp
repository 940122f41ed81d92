// Declarations of the shared options.
#include "llmir/cli/Options.h"

#include "llmir/runtime/device/cpu/CpuDevice.h"

namespace llmir {

void addModel(CLI::App &command, Options &options) {
  command.add_option("MODEL", options.model, "Model file (GGUF)")->required();
}

void addPrompt(CLI::App &command, Options &options) {
  auto *prompt = command.add_option("--prompt,-p", options.prompt, "Text to go on from");
  auto *tokens = command.add_option("--tokens", options.tokens, "Token ids to go on from: 1,2,3");
  prompt->excludes(tokens);
  auto *chat =
      command.add_flag("--chat", options.chat, "Ask the prompt in the model's chat format");
  chat->needs(prompt);
  command.add_option("--system", options.system, "With --chat: what the model should be")
      ->needs(chat);
}

void addSampling(CLI::App &command, Options &options) {
  SamplingOptions &sampling = options.sampling;
  command.add_option("--temperature", sampling.temperature, "0: always the most probable token")
      ->capture_default_str();
  command.add_option("--top-k", sampling.topK, "Only the K most probable tokens; 0: off")
      ->capture_default_str();
  command.add_option("--top-p", sampling.topP, "Only tokens that hold this probability; 1: off")
      ->capture_default_str();
  command.add_option("--min-p", sampling.minP, "Only tokens this probable beside the best; 0: off")
      ->capture_default_str();
  command
      .add_option("--repeat-penalty", sampling.repetitionPenalty,
                  "Weakens tokens of prompt and completion; 1: off")
      ->capture_default_str();
  command
      .add_option("--presence-penalty", sampling.presencePenalty,
                  "Subtracted from logits of tokens in the completion; 0: off")
      ->capture_default_str();
  command
      .add_option("--frequency-penalty", sampling.frequencyPenalty,
                  "The same for each occurrence; 0: off")
      ->capture_default_str();
  command.add_option("--seed", sampling.seed, "Same seed, same text")->capture_default_str();
  command.add_option("--max-tokens,-n", options.maxTokens, "Tokens to generate at most")
      ->check(CLI::Range(0, INT32_MAX))
      ->capture_default_str();
  command.add_flag("--ignore-eos", options.ignoreEos, "Go on after the model ends its text");
}

void addContext(CLI::App &command, Options &options) {
  command.add_option("--context", options.context, "Tokens of the context; default: the model's")
      ->check(CLI::Range(int64_t(1), int64_t(INT32_MAX)));
}

void addExecution(CLI::App &command, Options &options) {
  command.add_option("--threads,-t", options.threads, "Default: as many as there are CPUs")
      ->check(CLI::Range(1, maxCpuThreads));
  command.add_option("--prefill-chunk", options.prefillChunk, "Prompt tokens of a step")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  command
      .add_option("--activations", options.artifact.activations, "int8 is faster, int16 more exact")
      ->check(CLI::IsMember({"int8", "int16"}))
      ->capture_default_str();
  command.add_option("--kv", options.artifact.kv, "Numbers of the KV cache: f16 or f32")
      ->check(CLI::IsMember({"f16", "f32"}))
      ->capture_default_str();
  command.add_flag("--no-cache", options.noCache, "Compile anew and keep nothing");
}

} // namespace llmir
