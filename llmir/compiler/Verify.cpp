// Snapshots of a model between passes, the runs that each comparison takes, and the table of what
// passes may round.
#include "llmir/compiler/Verify.h"

#include "llmir/compiler/VerifyCode.h"
#include "llmir/compiler/VerifyDifference.h"
#include "llmir/compiler/VerifyRaise.h"
#include "llmir/compiler/VerifyRuns.h"
#include "llmir/support/CpuInfo.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <numeric>

using namespace mlir;

namespace llmir {

using reference::KvCache;
using reference::Options;
using reference::Tensor;

namespace {

//===----------------------------------------------------------------------===//
// What passes promise
//===----------------------------------------------------------------------===//

/// Weights are rounded to the types that the pass has given them.
void roundWeights(llm::ModelOp after, Options &before) {
  before.weightFormat = [after](llm::WeightOp weight) mutable {
    auto same = after.lookupSymbol<llm::WeightOp>(weight.getSymNameAttr());
    return *llm::formatOf((same ? same : weight).getTensorType().getElementType());
  };
}

/// What products with quantised weights read is rounded to the format that the pass rounds to.
void roundActivations(llm::ModelOp after, Options &before) {
  after.walk([&](llm::QuantizeOp op) {
    before.activations = *llm::formatOf(op.getResult().getType().getElementType());
    return WalkResult::interrupt();
  });
}

/// How the model before a pass is run, so that the one behind it must give the same bits. A pass
/// that is not here must give the same bits as it is.
constexpr struct {
  const char *pass;
  void (*grant)(llm::ModelOp after, Options &before);
} promises[] = {
    {"llm-quantize-weights", roundWeights},
    {"llm-quantize-activations", roundActivations},
};

//===----------------------------------------------------------------------===//
// What is run
//===----------------------------------------------------------------------===//

llm::ModelOp findModel(ModuleOp module) {
  auto models = llvm::to_vector(module.getOps<llm::ModelOp>());
  return models.size() == 1 ? models[0] : llm::ModelOp();
}

/// Elements of all weights: about the products that @step takes for each token.
double countElements(llm::ModelOp model) {
  double elements = 0;
  for (auto weight : model.getBody().getOps<llm::WeightOp>())
    elements += static_cast<double>(weight.getTensorType().getNumElements()) *
                static_cast<double>(weight.getLayers() ? weight.getLayers()->size() : 1);
  return elements;
}

/// @step of a large model takes a second for a few tokens: it gets the first inputs only.
class StepBudget {
public:
  explicit StepBudget(llm::ModelOp model) : elements(countElements(model)) {}

  bool allows(const VerifyInput &input) {
    constexpr double affordable = 2e9; // products
    const double cost = elements * static_cast<double>(input.batch.numTokens());
    if (spent > 0 && spent + cost > affordable)
      return false;
    spent += cost;
    return true;
  }

private:
  double elements, spent = 0;
};

/// What compiled code may differ by, relative to the logits' root mean square: ten times what
/// random models of two layers do. The interpreter sums in f64, so a value near the middle of two
/// f16 numbers or two integers may be rounded to the other one, and each layer behind it carries
/// that on.
double codeTolerance(llm::ModelOp model) {
  double tolerance = model.getKvType().getElement().isF16() ? 0.02 : 1e-3;
  model.walk([&](llm::QuantizeOp op) {
    const Format format = *llm::formatOf(op.getResult().getType().getElementType());
    tolerance = std::max(tolerance, format == Format::A16 ? 0.1 : 0.6);
  });
  return tolerance;
}

/// Behind a cache of random numbers, a deep model multiplies rounding until nothing can be said.
bool startsEmpty(const VerifyInput &input) {
  const int64_t positions =
      std::accumulate(input.batch.sequenceLengths.begin(), input.batch.sequenceLengths.end(), 0L);
  return positions == input.batch.numTokens();
}

Expected<std::vector<Tensor>> runFunction(reference::Interpreter &interpreter, llm::ModelOp model,
                                          const std::string &name, int64_t layer,
                                          const VerifyInput &input, KvCache &cache) {
  if (name != stepName) {
    auto function = model.lookupSymbol<func::FuncOp>(name);
    return interpreter.call(function, input.batch, cache, layer, input.makeActivations(function));
  }
  auto logits = interpreter.step(input.batch, cache);
  if (!logits)
    return forward(logits);
  return std::vector{std::move(*logits)};
}

} // namespace

//===----------------------------------------------------------------------===//
// Comparing
//===----------------------------------------------------------------------===//

Verifier::Verifier(reference::WeightSource weights, uint64_t seed)
    : weights(std::move(weights)), seed(seed) {}
Verifier::~Verifier() = default;

reference::Interpreter Verifier::interpret(llm::ModelOp model, Options options) const {
  options.threads = usableCpus();
  return {model, weights, std::move(options)};
}

std::unique_ptr<Verifier::Snapshot> Verifier::take(ModuleOp module, std::string text) const {
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->module = module.clone();
  snapshot->model = findModel(*snapshot->module);
  snapshot->text = std::move(text);
  snapshot->interpreter.emplace(interpret(snapshot->model, {}));
  return snapshot;
}

Expected<const Verifier::Outcome *> Verifier::outcomeOf(Snapshot &snapshot, const Run &run,
                                                        const VerifyInput &input,
                                                        const KvCache &filled) {
  if (auto known = snapshot.outcomes.find(run); known != snapshot.outcomes.end())
    return &known->second;
  const auto &[function, layer, name] = run;
  KvCache cache = filled;
  auto tensors = runFunction(*snapshot.interpreter, snapshot.model, function, layer, input, cache);
  if (!tensors)
    return forward(tensors);
  Outcome outcome{std::move(*tensors), hashOf(cache)};
  return &snapshot.outcomes.try_emplace(run, std::move(outcome)).first->second;
}

Status Verifier::check(ModuleOp module, llvm::StringRef pass) {
  if (!findModel(module)) {
    skipsGraph = true; // whoever needs a model says so
    return {};
  }
  std::string text;
  llvm::raw_string_ostream(text) << module;
  if (!last) {
    last = take(module, std::move(text));
    return {};
  }
  if (text == last->text)
    return {};
  ++passes;
  auto after = take(module, std::move(text));
  Options granted;
  for (const auto &promise : promises)
    if (pass == promise.pass)
      promise.grant(after->model, granted);
  Status status;
  if (granted.weightFormat || granted.activations != Format::F32) {
    Snapshot rounded;
    rounded.model = last->model;
    rounded.interpreter.emplace(interpret(last->model, granted));
    status = compare(rounded, *after, granted, pass);
  } else {
    status = compare(*last, *after, granted, pass);
  }
  last = std::move(after);
  return status;
}

Status Verifier::compare(Snapshot &before, Snapshot &after, const Options &granted,
                         llvm::StringRef pass) {
  if (before.model.getStep().getFunctionType() != after.model.getStep().getFunctionType())
    return fail("--verify: the pass {} changes the type of @step", pass.str());
  auto compareRun = [&](const Run &run, const VerifyInput &input, const KvCache &cache) -> Status {
    auto expected = outcomeOf(before, run, input, cache);
    // A function that cannot be run alone, such as one on the rows of the logits: @step runs it.
    if (!expected)
      return std::get<0>(run) == stepName ? forward(expected, "--verify") : Status();
    auto found = outcomeOf(after, run, input, cache);
    if (!found)
      return forward(found, fmt::format("--verify: behind the pass {}", pass.str()));
    ++comparisons;
    if ((*expected)->cache == (*found)->cache &&
        haveSameBits((*expected)->tensors, (*found)->tensors))
      return {};
    return tl::unexpected(explain(before, after, granted, pass, run, input));
  };
  std::set<int64_t> windows = windowsOf(before.model);
  windows.merge(windowsOf(after.model));
  StepBudget budget(before.model);
  for (const VerifyInput &input : makeVerifyInputs(before.model, windows, seed)) {
    inputNames.insert(input.name);
    const KvCache cache = input.makeCache(before.model.getKvType());
    for (auto function : before.model.getBody().getOps<func::FuncOp>()) {
      auto same = after.model.lookupSymbol<func::FuncOp>(function.getSymNameAttr());
      if (!same || same.getFunctionType() != function.getFunctionType() ||
          !isCallable(function, before.model))
        continue;
      for (int64_t layer : layersToRun(function, before.model, same, after.model))
        if (auto status =
                compareRun({function.getSymName().str(), layer, input.name}, input, cache);
            !status)
          return status;
    }
    if (!budget.allows(input))
      continue;
    if (auto status = compareRun({stepName, 0, input.name}, input, cache); !status)
      return status;
  }
  return {};
}

Error Verifier::explain(const Snapshot &before, const Snapshot &after, const Options &granted,
                        llvm::StringRef pass, const Run &run, const VerifyInput &input) const {
  const auto &[function, layer, name] = run;
  auto trace = [&](llm::ModelOp model, Options options) {
    TracedRun traced{{}, input.makeCache(model.getKvType()), {}};
    options.observe = tracer(traced.trace);
    reference::Interpreter interpreter = interpret(model, options);
    // It has run before.
    traced.tensors = *runFunction(interpreter, model, function, layer, input, traced.cache);
    return traced;
  };
  const TracedRun first = trace(before.model, granted), second = trace(after.model, {});
  return {fmt::format("--verify: the pass {} changes what @{} computes{}: {}; {}; the input is "
                      "'{}' of seed {}: {}",
                      pass.str(), function,
                      function == stepName ? "" : fmt::format(" for layer {}", layer),
                      describeFirstOp(first, second), describeLargest(first, second), input.name,
                      seed, input.shape)};
}

Status Verifier::checkCode(const std::string &codeFile, const Manifest &manifest,
                           std::span<const uint8_t> packed) {
  if (const std::string why = whyNotRunnable(manifest); !why.empty()) {
    codeSummary = "; the compiled code was not run: " + why;
    return {};
  }
  auto code = LoadedCode::load(codeFile, manifest, packed);
  if (!code)
    return forward(code);
  const double tolerance = codeTolerance(last->model);
  double largest = 0;
  int64_t inputs = 0;
  StepBudget budget(last->model);
  for (const VerifyInput &input : makeVerifyInputs(last->model, windowsOf(last->model), seed)) {
    if (!startsEmpty(input) || !budget.allows(input))
      continue;
    const KvCache cache = input.makeCache(last->model.getKvType());
    auto expected = outcomeOf(*last, {stepName, 0, input.name}, input, cache);
    if (!expected)
      return forward(expected, "--verify");
    const double difference =
        relativeDifference(code->step(input.batch, cache), (*expected)->tensors.front().values);
    if (!(difference <= tolerance))
      return fail("--verify: the compiled code's logits differ from the model's by {:.3g} of their "
                  "root mean square, rounding explains {}; the input is '{}' of seed {}: {}",
                  difference, tolerance, input.name, seed, input.shape);
    largest = std::max(largest, difference);
    ++inputs;
  }
  codeSummary = fmt::format("; the compiled code's logits differ by {:.2g} of their root mean "
                            "square at most ({} is allowed) on {} inputs",
                            largest, tolerance, inputs);
  return {};
}

Status Verifier::checkRaise(ModuleOp imported, ModuleOp ragged) {
  for (auto before : imported.getOps<llm::GraphOp>()) {
    auto after = ragged.lookupSymbol<llm::GraphOp>(before.getSymName());
    if (!after || before.getForward().getFunctionType() == after.getForward().getFunctionType())
      continue; // was ragged before
    if (auto status = verifyRaise(before, after, weights, seed); !status)
      return status;
    ++raised;
  }
  return {};
}

std::string Verifier::summary() const {
  std::string graphs = raised ? "that raising keeps what the graph computes" : "";
  if (!last)
    return (raised ? graphs : "nothing") +
           "; behind raising, an llm.graph that is no model is not compared";
  if (skipsGraph)
    graphs += "; the passes that made a model of the graph were not compared; ";
  return fmt::format(
      "{}{} passes that changed the model: {} comparisons on {} inputs, the same bits{}", graphs,
      passes, comparisons, inputNames.size(), codeSummary);
}

} // namespace llmir
