// What --verify runs of a model: which functions alone, and for which layers.
#pragma once

#include "llmir/dialect/Llm.h"
#include <set>

namespace llmir {

constexpr const char *stepName = "step";

/// Of all attention, without the 0 that stands for none.
std::set<int64_t> windowsOf(llm::ModelOp model);

/// Whether the function can be run by itself: on activations, the batch, the cache and a layer.
bool isCallable(mlir::func::FuncOp function, llm::ModelOp model);

/// The layers to run a function of two models for: the first of each kind that the tables in
/// either tell apart, and the last. {0} for a function that takes no layer.
std::set<int64_t> layersToRun(mlir::func::FuncOp before, llm::ModelOp beforeModel,
                              mlir::func::FuncOp after, llm::ModelOp afterModel);

} // namespace llmir
