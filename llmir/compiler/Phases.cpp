// The phases, from a model file to a shared object. To add one: write its function, and a line in
// the list at the end.
#include "llmir/compiler/Phases.h"

#include "llmir/abi/llmir_abi.h"
#include "llmir/codegen/cpu/AttentionKernel.h"
#include "llmir/codegen/cpu/Emit.h"
#include "llmir/compiler/PackWeights.h"
#include "llmir/transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
namespace llmir {

namespace {

/// Runs a pass on models, and on graphs that are no whole models.
Status runOnModels(Compilation &c, const char *name,
                   llvm::function_ref<std::unique_ptr<Pass>()> create) {
  return runPasses(c, name, [&](OpPassManager &passes) {
    passes.addNestedPass<llm::ModelOp>(create());
    passes.addNestedPass<llm::GraphOp>(create());
  });
}

Status import(Compilation &c) {
  if (c.import) {
    auto imported = c.import();
    if (!imported)
      return forward(imported);
    c.imported = std::move(*imported);
    c.llmModule = *c.imported;
  }
  if (auto status = verifyModule(c, "the imported model"); !status)
    return status;
  return findModel(c);
}

Status raise(Compilation &c) {
  // --verify compares graphs here; behind, it compares models.
  OwningOpRef<ModuleOp> imported = c.verifier ? c.llmModule.clone() : ModuleOp();
  auto status = runPasses(c, "llm-raise", [](OpPassManager &passes) {
    passes.addNestedPass<llm::GraphOp>(llm::createRaisePass());
  });
  if (!status || !imported)
    return status;
  return c.verifier->checkRaise(*imported, c.llmModule);
}

Status pageAttention(Compilation &c) {
  llm::PageAttentionPassOptions options;
  options.kv = c.options.kv;
  options.block = c.options.blockTokens;
  return runPasses(c, "llm-page-attention", [&](OpPassManager &passes) {
    passes.addNestedPass<llm::GraphOp>(llm::createPageAttentionPass(options));
  });
}

Status formModel(Compilation &c) {
  auto status = runPasses(c, "llm-form-model", [](OpPassManager &passes) {
    passes.addPass(llm::createFormModelPass());
  });
  return status ? findModel(c) : status;
}

Status rollLayers(Compilation &c) {
  return runOnModels(c, "llm-roll-layers", [] { return llm::createRollLayersPass(); });
}

Status chooseTarget(Compilation &c) {
  if (!c.model || c.model.getTargetAttr())
    return {}; // no code is generated, or the IR says it
  auto target = Target::named(c.options.target);
  if (!target)
    return forward(target);
  c.model.setTargetAttr(target->toAttribute(&c.context));
  return {};
}

Status expandExperts(Compilation &c) {
  return runOnModels(c, "llm-expand-experts", [] { return llm::createExpandExpertsPass(); });
}

Status eliminateCommonSubexpressions(Compilation &c) {
  return runOnModels(c, "cse", [] { return createCSEPass(); });
}

Status quantizeWeights(Compilation &c) {
  if (c.options.quantize == "none")
    return {};
  llm::QuantizeWeightsPassOptions options;
  options.weights = c.options.quantize;
  return runOnModels(c, "llm-quantize-weights",
                     [&] { return llm::createQuantizeWeightsPass(options); });
}

Status quantizeActivations(Compilation &c) {
  llm::QuantizeActivationsPassOptions options;
  options.activations = c.options.activations;
  return runOnModels(c, "llm-quantize-activations",
                     [&] { return llm::createQuantizeActivationsPass(options); });
}

Status fuse(Compilation &c) {
  return runOnModels(c, "llm-fuse", [] { return llm::createFusePass(); });
}

Status packWeights(Compilation &c) {
  if (!c.model)
    return fail("the llm.graph is no whole model from tokens to logits, and only models are "
                "compiled; --stop-after=fuse prints it");
  auto target = Target::of(c.model);
  if (!target)
    return forward(target);
  c.weights.emplace(c.model, *target);
  planWeights(*c.weights, c.manifest);
  return c.weightsPlanned ? c.weightsPlanned(*c.weights, c.manifest) : Status();
}

void describe(Compilation &c, const Target &target) {
  Manifest &manifest = c.manifest;
  llm::KvType kv = c.model.getKvType();
  manifest.abiVersion = LLMIR_ABI_VERSION;
  manifest.compiler = LLMIR_VERSION;
  manifest.triple = target.triple;
  manifest.cpu = target.cpu;
  manifest.features = target.cpuFlags;
  manifest.activations = c.options.activations;
  manifest.quantize = c.options.quantize;
  manifest.arenaBytesPerToken = c.lowered.arenaBytesPerToken;
  manifest.functions = c.lowered.functions;
  manifest.model.name = c.model.getSymName().str();
  manifest.model.vocabulary = static_cast<int64_t>(c.model.getVocabulary());
  manifest.model.contextLength = static_cast<int64_t>(c.model.getContextLength());
  manifest.model.layers = kv.getLayers();
  manifest.kv = {kv.getLayers(), kv.getBlock(), cpu::kBlockBytes(kv), cpu::vBlockBytes(kv),
                 kv.getElement().isF16() ? "f16" : "f32"};
}

Status lower(Compilation &c) {
  auto target = Target::of(c.model);
  if (!target)
    return forward(target);
  auto lowered = cpu::lowerModel(c.model, *c.weights, *target);
  if (!lowered)
    return forward(lowered);
  c.lowered = std::move(*lowered);
  describe(c, *target);
  return {};
}

Status lowerToLlvm(Compilation &c) {
  return runPasses(c, "internal: lowering to the LLVM dialect", cpu::addLlvmLowering);
}

Status emit(Compilation &c) {
  if (c.codeFile.empty())
    return {};
  cpu::EmitFiles files = {.assembly = c.options.assemblyFile, .llvmIr = ""};
  if (!c.dumpPrefix.empty()) {
    files.llvmIr = c.dumpPrefix + ".ll";
    if (files.assembly.empty())
      files.assembly = c.dumpPrefix + ".s";
  }
  auto target = Target::of(c.model);
  if (!target)
    return forward(target);
  return cpu::emitSharedObject(c.module(), *target, c.codeFile, files, c.timing);
}

constexpr Phase list[] = {
    {"import", "everything else works on what it makes", import},
    {"raise", "everything behind it knows llm ops alone", raise},
    {"page-attention", "a model of a graph needs a cache", pageAttention},
    {"form-model", "only models are compiled", formModel},
    {"roll-layers", nullptr, rollLayers},
    {"choose-target", "layouts and kernels are made for what it chooses", chooseTarget},
    {"expand-experts", "lower knows the parts of a mixture of experts only", expandExperts},
    {"cse", nullptr, eliminateCommonSubexpressions},
    {"quantize-weights", "--quantize none leaves the weights as they are", quantizeWeights},
    {"quantize-activations", nullptr, quantizeActivations},
    {"fuse", "lower puts a barrier behind each phase it forms", fuse},
    {"pack-weights", "lower reads weights by the slots it gives", packWeights},
    {"lower", "lower-to-llvm translates the kernels it makes", lower},
    {"lower-to-llvm", "emit translates the LLVM dialect only", lowerToLlvm},
    {"emit", "it writes the shared object", emit},
};

} // namespace

Status findModel(Compilation &c) {
  if (c.lowered.module)
    return {};
  auto models = llvm::to_vector(c.llmModule.getOps<llm::ModelOp>());
  auto graphs = llvm::to_vector(c.llmModule.getOps<llm::GraphOp>());
  if (models.size() + graphs.size() != 1)
    return fail("the module has {} llm.model and {} llm.graph ops, exactly one is compiled",
                models.size(), graphs.size());
  c.model = models.empty() ? llm::ModelOp() : models[0];
  return {};
}

std::span<const Phase> phases() { return list; }

} // namespace llmir
