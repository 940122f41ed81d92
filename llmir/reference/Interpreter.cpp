// The interpreter's entry: checks the step against the model, then runs @step.
#include "llmir/reference/Interpreter.h"

#include "llmir/reference/Machine.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace llmir::reference {

Interpreter::Interpreter(llm::ModelOp model, WeightSource weights, Options options)
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
  auto results = machine->runRegion(step.getBody(), {&batch, &kv});
  if (!results)
    return forward(results);
  return *std::get<std::shared_ptr<const Tensor>>(results->front());
}

} // namespace llmir::reference
