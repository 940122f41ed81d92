// The rows of the table of model families.
#include "llmir/frontend/arch/Architectures.h"

using namespace llmir::frontend;

std::span<const Architecture> llmir::frontend::allArchitectures() {
  static constexpr Architecture table[] = {{"llama", buildLlama}};
  return table;
}
