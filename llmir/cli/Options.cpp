// Declarations of the shared options.
#include "llmir/cli/Options.h"

#include "llmir/runtime/device/cpu/CpuDevice.h"

namespace llmir {

constexpr const char *compilationGroup = "Compilation";

void PrecisionOptions::applyTo(ArtifactOptions &options) const {
  options.activations = activations.value_or(options.activations);
  options.kv = kv.value_or(options.kv);
  options.quantize = quantize.value_or(options.quantize);
}

ModelOptions ExecutionOptions::model() const {
  ModelOptions options;
  precision.applyTo(options.artifact);
  options.artifact.pipeline = pipeline;
  options.artifact.useCache = !noCache;
  options.threads = threads;
  return options;
}

void addModel(OptionTable &table, std::string &model) {
  table.positional(
      "MODEL", &model,
      "Model: a GGUF file, a Hugging Face directory, or what llmir compile made of one");
}

void addPrompt(OptionTable &table, PromptOptions &options) {
  table.group("Prompt");
  table.add("prompt", &options.prompt, "Text to go on from").letter('p').excludes("tokens");
  table.add("tokens", &options.tokens, "Token ids to go on from").placeholder("1,2,3");
  table.add("chat", &options.chat, "Ask the prompt in the model's chat format").needs("prompt");
  table.add("system", &options.system, "What the model should be, in chat format").needs("chat");
}

void addGeneration(OptionTable &table, GenerationOptions &options) {
  SamplingOptions &sampling = options.sampling;
  table.group(generationGroup);
  table.add("max-tokens", &options.maxTokens, "Tokens to generate at most")
      .letter('n')
      .range(0, INT32_MAX);
  table.add("temperature", &sampling.temperature, "0: always the most probable token")
      .placeholder("X")
      .range(0, 100);
  table.add("top-k", &sampling.topK, "Only the K most probable tokens; 0: off").range(0, INT32_MAX);
  table.add("top-p", &sampling.topP, "Only tokens that hold this probability; 1: off")
      .placeholder("X")
      .range(0, 1);
  table.add("min-p", &sampling.minP, "Only tokens this probable beside the best; 0: off")
      .placeholder("X")
      .range(0, 1);
  table
      .add("repeat-penalty", &sampling.repetitionPenalty,
           "Weakens tokens of prompt and completion; 1: off")
      .placeholder("X")
      .range(0.01, 100);
  table
      .add("presence-penalty", &sampling.presencePenalty,
           "Subtracted from the logits of tokens in the completion; 0: off")
      .placeholder("X")
      .range(-100, 100);
  table.add("frequency-penalty", &sampling.frequencyPenalty, "The same for each occurrence; 0: off")
      .placeholder("X")
      .range(-100, 100);
  table.add("seed", &sampling.seed, "Same seed, same text");
  table.add("ignore-eos", &options.ignoreEos, "Go on after the model ends its text");
}

void addContext(OptionTable &table, int64_t &context) {
  table.group("Execution");
  table.add("context", &context, "Tokens of the context")
      .range(1, INT32_MAX)
      .defaultText("the model's");
}

void addPrecision(OptionTable &table, PrecisionOptions &options) {
  table.group(compilationGroup);
  table.add("activations", &options.activations, "int8 is faster, int16 more exact")
      .choices({"int8", "int16"})
      .defaultText("int8");
  table.add("kv", &options.kv, "Numbers of the KV cache")
      .choices({"f16", "f32"})
      .defaultText("f16");
  table
      .add("quantize", &options.quantize,
           "Round float weights to integers, in groups of 32; embedding and logits keep 8 bits")
      .choices({"none", "int8", "int4"})
      .defaultText("none");
}

std::string quantizeText(const Manifest &manifest) {
  return manifest.quantize == "none" ? "" : fmt::format("--quantize {}, ", manifest.quantize);
}

void addExecution(OptionTable &table, ExecutionOptions &options) {
  table.group("Execution");
  table.add("threads", &options.threads, "Worker threads")
      .letter('t')
      .range(1, maxCpuThreads)
      .defaultText("as many as there are CPUs");
  table.add("prefill-chunk", &options.prefillChunk, "Prompt tokens of a step").range(1, 1 << 16);
  addPrecision(table, options.precision);
}

void addCompilation(OptionTable &table, ExecutionOptions &options) {
  table.group(compilationGroup);
  table.add("no-cache", &options.noCache, "Compile anew and keep nothing");
  addPipeline(table, options.pipeline);
}

} // namespace llmir
