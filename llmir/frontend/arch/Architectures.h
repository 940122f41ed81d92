// The table of model families: the name in general.architecture and the function that builds it.
// A new family is a file here and a row in Architectures.cpp.
#pragma once

#include "llmir/frontend/arch/ModelBuilder.h"
#include <span>
#include <string_view>

namespace llmir::frontend {

struct Architecture {
  std::string_view name;
  Status (*build)(ModelBuilder &);
};

std::span<const Architecture> allArchitectures();

Status buildGemma(ModelBuilder &builder);
Status buildGemma2(ModelBuilder &builder);
Status buildGemma3(ModelBuilder &builder);
Status buildLlama(ModelBuilder &builder);
Status buildQwen2(ModelBuilder &builder);
Status buildQwen3(ModelBuilder &builder);

} // namespace llmir::frontend
