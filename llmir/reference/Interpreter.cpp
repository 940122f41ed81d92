// The interpreter's entry: checks the step against the model, then runs @step.
#include "llmir/reference/Interpreter.h"

#include "llmir/reference/Machine.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace llmir::reference {

Interpreter::Interpreter(Operation *model, WeightSource weights, Options options)
    : machine(std::make_unique<Machine>(model, std::move(weights), options)) {}

Interpreter::~Interpreter() = default;
Interpreter::Interpreter(Interpreter &&) noexcept = default;

static std::string toString(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// What the kind of @step's batch promises about every sequence.
static Status checkKind(llm::BatchKind kind, const Batch &batch) {
  for (int64_t s = 0; s < batch.numSequences(); ++s) {
    int32_t tokens = batch.queryStarts[s + 1] - batch.queryStarts[s];
    if ((kind == llm::BatchKind::Decode && tokens != 1) ||
        (kind == llm::BatchKind::Prefill && tokens < 2))
      return fail("batch: sequence {} has {} tokens, @step takes a {} batch", s, tokens,
                  llm::stringifyBatchKind(kind).str());
  }
  return {};
}

Expected<Tensor> Interpreter::step(const Batch &batch, KvCache &kv) {
  func::FuncOp step = machine->getModel().getStep();
  llm::KvType kvType = machine->getModel().getKvType();
  if (kv.getType() != kvType)
    return fail("the cache is {}, @step takes {}", toString(kv.getType()), toString(kvType));
  if (Status status = batch.validate(kvType.getBlock(), kv.getBlocks()); !status)
    return forward(status);
  auto kind = cast<llm::BatchType>(step.getArgumentTypes()[0]).getKind();
  if (Status status = checkKind(kind, batch); !status)
    return forward(status);
  auto results = call(step, batch, kv, 0, {});
  if (!results)
    return forward(results);
  return std::move(results->front());
}

Expected<std::vector<Tensor>> Interpreter::call(func::FuncOp function, const Batch &batch,
                                                KvCache &kv, int64_t layer,
                                                std::span<const Tensor> tensors) {
  RuntimeValues arguments;
  auto next = tensors.begin();
  for (Type type : function.getArgumentTypes()) {
    if (isa<llm::BatchType>(type))
      arguments.emplace_back(&batch);
    else if (isa<llm::KvType>(type))
      arguments.emplace_back(&kv);
    else if (type.isIndex())
      arguments.emplace_back(layer);
    else
      arguments.emplace_back(std::make_shared<const Tensor>(*next++));
  }
  auto values = machine->runRegion(function.getBody(), std::move(arguments));
  if (!values)
    return forward(values);
  std::vector<Tensor> results;
  for (const RuntimeValue &value : *values)
    if (const auto *tensor = std::get_if<std::shared_ptr<const Tensor>>(&value))
      results.push_back(**tensor);
  return results;
}

} // namespace llmir::reference
