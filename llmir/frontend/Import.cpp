// Finds the family of a model file, lets it build the module, and verifies what came out.
#include "llmir/frontend/Import.h"

#include "llmir/frontend/arch/Architectures.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include <algorithm>
#include <bit>
#include <cassert>

using namespace mlir;
using namespace llmir;
using namespace llmir::frontend;

Status llmir::frontend::verifyImported(ModuleOp module, const std::string &path) {
  std::string diagnostics;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    diagnostics += (diagnostics.empty() ? "" : "; ") + diagnostic.str();
    return success();
  });
  if (failed(verify(module)))
    return fail("{}: the imported model is no valid IR: {}", path, diagnostics);
  return {};
}

Expected<OwningOpRef<ModuleOp>>
llmir::importGguf(const GgufFile &file, const ImportOptions &options, MLIRContext &context) {
  assert(options.blockTokens >= 8 && options.blockTokens <= 1024 &&
         std::has_single_bit(uint64_t(options.blockTokens)));
  assert(options.kvElement == Format::F16 || options.kvElement == Format::F32);
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

  if (Status status = verifyImported(*builder.module, file.path()); !status)
    return forward(status);
  return std::move(builder.module);
}
