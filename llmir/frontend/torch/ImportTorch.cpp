// A graph of torch.export as a raw llm.graph: its weights, its @forward, and node after node.
#include "llmir/frontend/Import.h"

#include "llmir/formats/torch_export/Archive.h"
#include "llmir/frontend/torch/Call.h"
#include "llmir/frontend/torch/Constants.h"
#include "llmir/support/Shown.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringSet.h"
#include <filesystem>

using namespace mlir;
namespace llmir::frontend::torch {

using torch_export::Archive;
using torch_export::Graph;
using torch_export::InputSpec;
using torch_export::Node;
using torch_export::TensorName;

namespace {

class Importer {
public:
  Importer(const Archive &archive, MLIRContext &context)
      : archive(archive), program(archive.program()), g(context) {}

  OwningOpRef<ModuleOp> run();
  /// What is being imported, for an error.
  std::string place() const;

private:
  void importInputs();
  Tensor importWeight(const InputSpec &input);
  void importNodes(const Graph &graph, Scope &scope);
  void importNode(const Graph &graph, const Node &node, Scope &scope);
  /// A graph that a node calls; the inputs behind it are its arguments. How deep they nest is
  /// bounded by the JSON.
  void importCall(const Graph &graph, const Node &node, Scope &scope);
  Location locationOf(const Node &node);
  const TensorMeta &metaOf(const std::string &tensor) const;
  void eraseDeadOps();

  const Archive &archive;
  const torch_export::ExportedProgram &program;
  TensorBuilder g;
  func::FuncOp forward;
  std::optional<SymbolTable> symbols;
  std::map<std::string, llm::WeightOp> weights; ///< by their names in the state dict
  Scope scope;
  const Node *current = nullptr;
};

std::string Importer::place() const {
  std::string result = archive.path();
  if (!current)
    return result;
  llvm::StringRef target = current->target;
  target.consume_front("torch.ops.");
  result += ": " + shown(target.str());
  if (!current->modulePath.empty())
    result += " in " + shown(current->modulePath);
  if (!current->file.empty())
    result += fmt::format(
        " ({}:{})", shown(std::filesystem::path(current->file).filename().string()), current->line);
  return result;
}

const TensorMeta &Importer::metaOf(const std::string &tensor) const {
  auto found = program.graph.tensors.find(tensor);
  if (found == program.graph.tensors.end())
    refuse("the graph does not say what {} is", shown(tensor));
  return found->second;
}

Location Importer::locationOf(const Node &node) {
  Builder &b = g.builder;
  const Location unknown = b.getUnknownLoc();
  const Location line =
      node.file.empty() ? unknown
                        : Location(FileLineColLoc::get(b.getStringAttr(node.file), node.line, 0));
  if (node.modulePath.empty())
    return line;
  const Location module = NameLoc::get(b.getStringAttr(node.modulePath));
  return node.file.empty() ? module : FusedLoc::get(b.getContext(), {line, module});
}

/// A parameter that code generation can take is a weight, all else is a constant.
Tensor Importer::importWeight(const InputSpec &input) {
  const TensorMeta &meta = metaOf(input.tensor);
  const RankedTensorType type =
      g.typeOf(meta.sizes, elementType(*g.builder.getContext(), meta.type));
  if (!type.hasStaticShape())
    refuse("{} has the sizes {}, they must be numbers", shown(input.source),
           shownSizes(meta.sizes));
  const bool isBare = archive.tensors().empty();
  auto stored = archive.tensors().find(input.source);
  const bool isThere = stored != archive.tensors().end();
  if (!isBare && !isThere)
    refuse("has no weight {}; export the model again", shown(input.source));
  if (isThere &&
      (stored->second.type != meta.type || llvm::ArrayRef(stored->second.shape) != type.getShape()))
    refuse("the weight {} is stored as {} [{}], the graph says {} {}", shown(input.source),
           nameOf(stored->second.type), fmt::join(stored->second.shape, ", "), nameOf(meta.type),
           shownSizes(meta.sizes));
  const Type element = type.getElementType();
  const bool isWeight = (element.isF32() || element.isF16() || element.isBF16()) &&
                        llvm::any_of(llvm::seq<int64_t>(1, 4),
                                     [&](int64_t rank) { return llm::isWeight(type, rank); });
  if (input.kind != InputSpec::Kind::Parameter || !isWeight) {
    if (!isThere)
      refuse("{} needs values, and a graph without its archive has none: give the .pt2 file",
             shown(input.source));
    return {constantOf(g.builder, g.loc, stored->second, type, input.source), meta.sizes};
  }
  llm::WeightOp &weight = weights[input.source];
  if (!weight) {
    OpBuilder top(forward);
    weight =
        llm::WeightOp::create(top, g.loc, input.source, type, input.source, DenseI64ArrayAttr());
    symbols->insert(weight);
  }
  return {llm::GetWeightOp::create(g.builder, g.loc, type, weight.getSymName(), Value()),
          meta.sizes};
}

void Importer::importInputs() {
  Block *block = forward.addEntryBlock();
  g.builder.setInsertionPointToEnd(block);
  // Sizes stand in front of the first op; it is erased with what else is not used.
  Operation *first = arith::ConstantIndexOp::create(g.builder, g.loc, 0);
  g.prologue.setInsertionPoint(first);
  auto argument = forward.getArguments().begin();
  for (const InputSpec &input : program.inputs) {
    if (input.kind == InputSpec::Kind::Other)
      continue;
    if (input.kind != InputSpec::Kind::User) {
      scope[input.tensor] = importWeight(input);
      continue;
    }
    const TensorMeta &meta = metaOf(input.tensor);
    for (auto [dim, size] : llvm::enumerate(meta.sizes))
      if (size.kind == SizeExpression::Kind::Symbol)
        g.defineSymbol(size.symbol, *argument, static_cast<int64_t>(dim));
    scope[input.tensor] = {*argument++, meta.sizes};
  }
}

void Importer::importCall(const Graph &graph, const Node &node, Scope &scope) {
  std::shared_ptr<const Graph> called;
  std::vector<std::string> arguments;
  for (const torch_export::Argument &input : node.inputs) {
    if (const auto *found = std::get_if<std::shared_ptr<const Graph>>(&input.value))
      called = *found;
    else if (const auto *tensor = std::get_if<TensorName>(&input.value); tensor && called)
      arguments.push_back(tensor->name);
  }
  if (!called)
    refuse("calls no graph");
  Scope inner;
  size_t next = 0;
  for (const ArgumentValue &input : called->inputs) {
    const auto *tensor = std::get_if<TensorName>(&input);
    if (!tensor || next == arguments.size() || !scope.contains(arguments[next]))
      refuse("calls a graph with other inputs than it is given");
    inner[tensor->name] = scope[arguments[next++]];
  }
  importNodes(*called, inner);
  current = &node;
  g.loc = locationOf(node);
  Call call(g, graph, node, scope);
  size_t result = 0;
  for (const ArgumentValue &output : called->outputs) {
    const auto *tensor = std::get_if<TensorName>(&output);
    if (!tensor || !inner.contains(tensor->name))
      refuse("calls a graph with an output that is no tensor");
    call.give(inner[tensor->name], result++);
  }
}

void Importer::importNode(const Graph &graph, const Node &node, Scope &scope) {
  Call call(g, graph, node, scope);
  // Checks, and sizes, which are known from the graph's table of symbols.
  if (call.resultCount() == 0)
    return;
  llvm::StringRef target = node.target;
  target.consume_front("torch.ops.");
  if (target == "higher_order.wrap_with_set_grad_enabled" ||
      target == "higher_order.wrap_with_autocast")
    return importCall(graph, node, scope);
  const AtenOp *op = target.consume_front("aten.") ? findAtenOp(target) : nullptr;
  if (!op)
    refuse("is not supported; docs/torch_graphs.md lists the ops that are");
  op->import(call);
}

void Importer::importNodes(const Graph &graph, Scope &scope) {
  for (const Node &node : graph.nodes) {
    current = &node;
    g.loc = locationOf(node);
    importNode(graph, node, scope);
  }
}

/// Sizes and weights that nothing asks for.
void Importer::eraseDeadOps() {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(forward.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  llvm::StringSet<> used;
  forward.walk([&](llm::GetWeightOp op) { used.insert(op.getWeight()); });
  for (auto &[name, weight] : weights)
    if (!used.contains(weight.getSymName()))
      weight.erase();
}

OwningOpRef<ModuleOp> Importer::run() {
  MLIRContext &context = *g.builder.getContext();
  if (!program.otherOutput.empty())
    refuse("the graph gives back {}: export a model that changes no buffers, such as one without a "
           "cache",
           program.otherOutput);
  SmallVector<Type> inputs, outputs;
  std::optional<int64_t> longest; // sequence that the exporter vouches for
  for (const InputSpec &input : program.inputs) {
    if (input.kind == InputSpec::Kind::Other && input.source != "constant_input")
      refuse("the graph has an input that is no tensor ({})", shown(input.source));
    if (input.kind == InputSpec::Kind::User) {
      const TensorMeta &meta = metaOf(input.tensor);
      inputs.push_back(g.typeOf(meta.sizes, elementType(context, meta.type)));
      for (const SizeExpression &size : meta.sizes)
        if (auto bound = program.largest.find(size.symbol);
            size.kind == SizeExpression::Kind::Symbol && bound != program.largest.end())
          longest = std::min(longest.value_or(INT64_MAX), bound->second);
    }
  }
  for (const std::string &name : program.outputs) {
    const TensorMeta &meta = metaOf(name);
    outputs.push_back(g.typeOf(meta.sizes, elementType(context, meta.type)));
  }
  if (outputs.empty())
    refuse("the graph gives no tensor back");

  OwningOpRef<ModuleOp> module = ModuleOp::create(g.loc);
  g.builder.setInsertionPointToEnd(module->getBody());
  const std::string source = std::filesystem::path(archive.path()).filename().string();
  auto graphOp =
      llm::GraphOp::create(g.builder, g.loc, "forward_graph", g.builder.getStringAttr(source));
  if (longest)
    graphOp->setAttr("context_length", g.builder.getI64IntegerAttr(*longest));
  g.builder.createBlock(&graphOp.getBody());
  forward = func::FuncOp::create(g.builder, g.loc, "forward",
                                 FunctionType::get(&context, inputs, outputs));
  symbols.emplace(graphOp);
  importInputs();
  importNodes(program.graph, scope);
  current = nullptr;
  g.loc = g.builder.getUnknownLoc();
  SmallVector<Value> results;
  for (const std::string &name : program.outputs) {
    auto found = scope.find(name);
    if (found == scope.end())
      refuse("the output {} is not made", shown(name));
    results.push_back(found->second.value);
  }
  func::ReturnOp::create(g.builder, g.loc, results);
  eraseDeadOps();
  return module;
}

} // namespace

} // namespace llmir::frontend::torch

llmir::Expected<OwningOpRef<ModuleOp>> llmir::importTorch(const torch_export::Archive &archive,
                                                          MLIRContext &context) {
  context.loadDialect<llm::LlmDialect, func::FuncDialect, arith::ArithDialect, math::MathDialect,
                      linalg::LinalgDialect, tensor::TensorDialect>();
  frontend::torch::Importer importer(archive, context);
  OwningOpRef<ModuleOp> module;
  try {
    module = importer.run();
  } catch (const frontend::torch::Refusal &refusal) {
    return fail("{}: {}", importer.place(), refusal.error.message);
  }
  if (auto status = frontend::verifyImported(*module, archive.path()); !status)
    return forward(status);
  return module;
}
