// The rows of the table of model families.
#include "llmir/frontend/arch/Architectures.h"

using namespace llmir::frontend;

std::span<const Architecture> llmir::frontend::allArchitectures() {
  static constexpr Architecture table[] = {
      {"llama", buildLlama},    {"gemma", buildGemma}, {"gemma2", buildGemma2},
      {"gemma3", buildGemma3},  {"qwen2", buildQwen2}, {"qwen3", buildQwen3},
      {"qwen3moe", buildQwen3},
  };
  return table;
}
