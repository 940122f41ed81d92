// The classes of models that can be read from Hugging Face directories.
#include "llmir/formats/huggingface/Config.h"

namespace llmir::huggingface {

std::span<const Family> allFamilies() {
  using Biases = Family::Biases;
  using Windows = Family::Windows;
  static constexpr Family table[] = {
      {.className = "LlamaForCausalLM",
       .architecture = "llama",
       .interleavesHeads = true,
       .biases = Biases::Asked,
       .asksMlpBias = true,
       .kvHeads = 0},
      {.className = "MistralForCausalLM",
       .architecture = "llama",
       .interleavesHeads = true,
       .windows = Windows::All,
       .kvHeads = 8,
       .window = 4096},
      {.className = "Qwen2ForCausalLM",
       .architecture = "qwen2",
       .biases = Biases::Qkv,
       .windows = Windows::Some},
      {.className = "Qwen3ForCausalLM",
       .architecture = "qwen3",
       .headNorms = true,
       .biases = Biases::Asked,
       .windows = Windows::Some,
       .headSize = 128},
      {.className = "Qwen3MoeForCausalLM",
       .architecture = "qwen3moe",
       .headNorms = true,
       .biases = Biases::Asked,
       .windows = Windows::Used,
       .hasExperts = true},
  };
  return table;
}

} // namespace llmir::huggingface
