// The Qwen family: Qwen 2 and 2.5 (biases of Q, K and V; arXiv 2407.10671) and Qwen 3 (QK norms
// instead, dense or with a mixture of experts; arXiv 2505.09388). Otherwise pre-norm blocks as in
// Llama.
#include "llmir/frontend/arch/Architectures.h"

using namespace llmir;
using namespace llmir::frontend;

Status frontend::buildQwen2(ModelBuilder &builder) {
  return buildPreNormModel(builder, llm::RopeStyle::Half, /*headNorms=*/false);
}

Status frontend::buildQwen3(ModelBuilder &builder) {
  return buildPreNormModel(builder, llm::RopeStyle::Half, /*headNorms=*/true);
}
