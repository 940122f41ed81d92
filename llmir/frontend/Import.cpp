// Finds the family of a model file, lets it build the module, and verifies what came out.
#include "llmir/frontend/Import.h"

#include "llmir/frontend/arch/Architectures.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include <algorithm>

using namespace mlir;
using namespace llmir;
using namespace llmir::frontend;

Expected<OwningOpRef<ModuleOp>>
llmir::importGguf(const GgufFile &file, const ImportOptions &options, MLIRContext &context) {
  int64_t block = options.blockTokens;
  if (block < 8 || block > 1024 || (block & (block - 1)))
    return fail("the tokens of a KV block are {}, a power of two from 8 to 1024 is allowed", block);
  if (options.kvElement != Format::F16 && options.kvElement != Format::F32)
    return fail("the element type of the KV cache is {}, f16 and f32 are allowed",
                formatInfo(options.kvElement).name);
  auto name = file.getString("general.architecture");
  if (!name)
    return forward(name);
  auto architecture = std::ranges::find(allArchitectures(), *name, &Architecture::name);
  if (architecture == allArchitectures().end()) {
    std::vector<std::string_view> known;
    for (const Architecture &row : allArchitectures())
      known.push_back(row.name);
    return fail("{}: general.architecture is \"{}\", which is not supported yet; known: {}",
                file.path(), *name, fmt::join(known, ", "));
  }

  context.loadDialect<llm::LlmDialect, func::FuncDialect, arith::ArithDialect,
                      tensor::TensorDialect>();
  ModelBuilder builder(file, options, context, std::string(*name));
  if (Status status = architecture->build(builder); !status)
    return forward(status);
  builder.warnOfUnusedTensors();

  std::string diagnostics;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    diagnostics += (diagnostics.empty() ? "" : "; ") + diagnostic.str();
    return success();
  });
  if (failed(verify(*builder.module)))
    return fail("{}: the imported model is no valid IR: {}", file.path(), diagnostics);
  return std::move(builder.module);
}
