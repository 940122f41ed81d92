// The Llama family: Llama 1 to 3, Mistral, SmolLM, TinyLlama and all that GGUF calls "llama".
// Pre-norm blocks of grouped-query attention and a gated MLP (arXiv 2302.13971), or a mixture of
// them in Mixtral (arXiv 2401.04088).
#include "llmir/frontend/arch/Architectures.h"

using namespace llmir;
using namespace llmir::frontend;

Status frontend::buildLlama(ModelBuilder &builder) {
  // GGUF permutes the rows of Q and K so that the components of a pair are neighbours.
  return buildPreNormModel(builder, llm::RopeStyle::Interleaved, /*headNorms=*/false);
}
