// Chooses functions and layers for --verify.
#include "llmir/compiler/VerifyRuns.h"

#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace mlir;

namespace llmir {

std::set<int64_t> windowsOf(llm::ModelOp model) {
  std::set<int64_t> windows;
  model.walk([&](llm::AttentionOp op) {
    if (op.getWindow())
      windows.insert(static_cast<int64_t>(*op.getWindow()));
    if (op.getWindows())
      windows.insert(op.getWindows()->begin(), op.getWindows()->end());
  });
  windows.erase(0); // none
  return windows;
}

bool isCallable(func::FuncOp function, llm::ModelOp model) {
  return function.getSymName() != stepName && !function.isExternal() &&
         llvm::all_of(function.getArgumentTypes(), [&](Type type) {
           return llm::isActivations(type) || isa<llm::BatchType>(type) || type.isIndex() ||
                  type == model.getKvType();
         });
}

namespace {

/// The layers that have all of the function's weights.
std::set<int64_t> layersOf(func::FuncOp function, llm::ModelOp model) {
  std::set<int64_t> layers;
  for (int64_t layer = 0; layer < model.getKvType().getLayers(); ++layer)
    layers.insert(layer);
  function.walk([&](llm::GetWeightOp op) {
    auto weight = model.lookupSymbol<llm::WeightOp>(op.getWeightAttr().getAttr());
    if (op.getLayer())
      std::erase_if(layers,
                    [&](int64_t layer) { return !llvm::is_contained(*weight.getLayers(), layer); });
  });
  return layers;
}

/// Of `layers`, the first of each kind that the tables in the function tell apart, and the last.
std::set<int64_t> chooseLayers(func::FuncOp function, const std::set<int64_t> &layers) {
  std::map<std::vector<const void *>, int64_t> kinds;
  std::set<int64_t> chosen;
  for (int64_t layer : layers) {
    std::vector<const void *> kind;
    function.walk([&](llm::RopeOp op) {
      auto rotations = op.getRotations();
      kind.push_back(rotations[op.getLayer() ? layer : 0].getAsOpaquePointer());
    });
    function.walk([&](llm::AttentionOp op) {
      if (op.getWindows())
        kind.push_back(IntegerAttr::get(IndexType::get(op.getContext()), (*op.getWindows())[layer])
                           .getAsOpaquePointer());
    });
    if (kinds.try_emplace(kind, layer).second)
      chosen.insert(layer);
  }
  if (!layers.empty())
    chosen.insert(*layers.rbegin());
  return chosen;
}

} // namespace

std::set<int64_t> layersToRun(func::FuncOp before, llm::ModelOp beforeModel, func::FuncOp after,
                              llm::ModelOp afterModel) {
  if (llvm::none_of(before.getArgumentTypes(), [](Type type) { return type.isIndex(); }))
    return {0};
  std::set<int64_t> layers = layersOf(before, beforeModel);
  const std::set<int64_t> layersAfter = layersOf(after, afterModel);
  std::erase_if(layers, [&](int64_t layer) { return !layersAfter.contains(layer); });
  std::set<int64_t> chosen = chooseLayers(before, layers);
  chosen.merge(chooseLayers(after, layers));
  return chosen;
}

} // namespace llmir
