// Pass llm-roll-layers: layers that are alike become one function, called with the layer's number.
//
// FindLayers.h gives the layers of the unrolled function. Those with the same key are a kind: one
// function. What a kind's layers differ in becomes a table: weights one symbol per pattern of names
// and type, for all kinds together; windows and rotations an entry for each layer of the model. All
// that is checked before anything is changed, so a kind that does not fit stays as it is, with a
// remark that says why. Time is linear in the ops but for the tables, which have an entry per
// layer.
#include "llmir/transforms/FindLayers.h"
#include "llmir/transforms/Passes.h"
#include "llmir/transforms/WeightFamilies.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include <set>

namespace llmir::llm {
#define GEN_PASS_DEF_ROLLLAYERSPASS
#include "llmir/transforms/Passes.h.inc"

using namespace mlir;

namespace {

/// Layers with one key. `weights` has, for each weight that a layer reads in order, what each of
/// the layers reads there; `patterns` what their names have in common, none where all read the
/// same.
struct Kind {
  SmallVector<const Layer *> layers;
  std::vector<std::vector<WeightOfLayer>> weights;
  std::vector<std::optional<NamePattern>> patterns;
};

/// The symbol of one pattern and type, over all kinds.
struct Family {
  Type type;
  std::set<int64_t> layers;
  std::string symbol;
};

SmallVector<GetWeightOp> weightsOf(const Layer &layer) {
  llvm::SetVector<Operation *> found;
  for (Operation *op : layer.ops)
    for (Value operand : op->getOperands())
      if (auto get = operand.getDefiningOp<GetWeightOp>())
        found.insert(get);
  return llvm::map_to_vector(found, [](Operation *op) { return cast<GetWeightOp>(op); });
}

/// "model.layers.{}.mlp.up.weight" -> "mlp_up".
std::string symbolOf(const NamePattern &pattern) {
  StringRef name = pattern.second;
  name.consume_back(".weight");
  std::string symbol = name.ltrim('.').str();
  llvm::replace(symbol, '.', '_');
  return symbol.empty() ? "weight" : symbol;
}

class Roller {
public:
  Roller(Operation *top, func::FuncOp function) : symbols(top), function(function) {}

  void run() {
    layers = findLayers(function);
    if (layers.size() < 2)
      return;
    kvLayers = static_cast<int64_t>(layers.size());
    for (BlockArgument argument : function.getArguments()) {
      if (isa<BatchType>(argument.getType()))
        batch = argument;
      if (auto kv = dyn_cast<KvType>(argument.getType())) {
        kvType = kv;
        kvLayers = kv.getLayers();
      }
    }
    if (!batch || !numbersAreSound())
      return;
    for (const Layer &layer : layers) {
      layerOfNumber[layer.number] = &layer;
      kinds[keyOf(layer, /*weightTypes=*/true)].layers.push_back(&layer);
    }
    if (kinds.size() == layers.size()) {
      function.emitRemark("layers are not rolled: no two of them are alike");
      return;
    }
    kinds.remove_if([&](auto &entry) { return failed(check(entry.second)); });
    collectFamilies();
    // All functions first: their tables look at all layers.
    SmallVector<func::FuncOp> callees;
    for (auto &[key, kind] : kinds)
      callees.push_back(
          outline(kind, kinds.size() == 1 ? "layer" : "layer." + std::to_string(callees.size())));
    std::map<const Layer *, func::FuncOp> calleeOf;
    for (auto [callee, entry] : llvm::zip_equal(callees, kinds))
      for (const Layer *layer : entry.second.layers)
        calleeOf[layer] = callee;
    for (const Layer &layer : layers)
      if (auto callee = calleeOf.find(&layer); callee != calleeOf.end())
        call(callee->second, layer);
    for (const Layer &layer : llvm::reverse(layers))
      if (calleeOf.count(&layer))
        for (Operation *op : llvm::reverse(layer.ops))
          op->erase();
    removeUnused();
  }

private:
  /// Every layer has a number of its own, and tables have an entry for it.
  bool numbersAreSound() {
    std::set<int64_t> numbers;
    for (const Layer &layer : layers) {
      if (layer.kvInput && layer.kvInput.getType() != kvType) {
        layer.ops.front()->emitRemark("layers are not rolled: this one has a cache of its own");
        return false;
      }
      if (layer.number < 0 || layer.number >= kvLayers || !numbers.insert(layer.number).second) {
        layer.ops.front()->emitRemark("layers are not rolled: this one has the number ")
            << layer.number << ", which "
            << (numbers.count(layer.number) ? "another has" : "the cache has not");
        return false;
      }
    }
    return true;
  }

  LogicalResult refuse(const Layer &layer, const Twine &why) {
    layer.ops.front()->emitRemark("layer ") << layer.number << " is not rolled: " << why;
    return failure();
  }

  /// Whether the layer reads and gives nothing but what a call can pass.
  LogicalResult checkBoundary(const Layer &layer) {
    llvm::SmallPtrSet<Operation *, 32> inside(llvm::from_range, layer.ops);
    for (Operation *op : layer.ops) {
      if (op->getNumRegions())
        return refuse(layer, Twine(op->getName().getStringRef()) + " has a region");
      for (Value operand : op->getOperands()) {
        Operation *source = operand.getDefiningOp();
        const bool isPassed = operand == layer.input || operand == layer.kvInput ||
                              operand == batch || isInvariant(source) ||
                              (source && inside.contains(source));
        if (!isPassed)
          return refuse(layer, "it reads a value of another layer");
        if (isa_and_nonnull<BatchTokensOp, BatchPositionsOp>(source) &&
            source->getOperand(0) != batch)
          return refuse(layer, "it reads another batch");
        if (operand.getType().isIndex() && constantIndex(operand) != layer.number)
          return refuse(layer, "an index in it is not the layer's number");
      }
      for (Value result : op->getResults())
        for (Operation *user : result.getUsers())
          if (!inside.contains(user) && result != layer.output && result != layer.kvOutput)
            return refuse(layer, "another layer reads a value from the middle of it");
    }
    return success();
  }

  LogicalResult check(Kind &kind) {
    for (const Layer *layer : kind.layers) {
      if (failed(checkBoundary(*layer)))
        return failure();
      for (auto [slot, get] : llvm::enumerate(weightsOf(*layer))) {
        auto weight = symbols.lookup<WeightOp>(get.getWeight());
        auto stated = constantIndex(get.getLayer());
        if (!weight || (weight.getLayers() && !stated))
          return refuse(*layer, "the layer of @" + get.getWeight() + " is not constant");
        if (kind.weights.size() <= slot)
          kind.weights.emplace_back();
        kind.weights[slot].push_back({layer->number, weight.sourceName(stated.value_or(0))});
      }
    }
    for (const auto &names : kind.weights) {
      auto &pattern = kind.patterns.emplace_back();
      auto found = commonPatterns(names);
      auto known = llvm::find_if(found, [&](auto &p) { return knownPatterns.count(p) > 0; });
      if (!found.empty())
        pattern = known == found.end() ? found.front() : *known;
      else if (!llvm::all_of(names, [&](auto &w) { return w.name == names.front().name; }))
        return refuse(*kind.layers.front(), Twine("its weights '") + names[0].name + "' and '" +
                                                names[1].name +
                                                "' do not differ by the number of the layer alone");
    }
    for (const auto &pattern : kind.patterns)
      if (pattern)
        knownPatterns.insert(*pattern);
    return success();
  }

  /// Symbols for all patterns and types, in the order in which the first layers read them.
  void collectFamilies() {
    for (auto &[key, kind] : kinds)
      for (auto [slot, get] : llvm::enumerate(weightsOf(*kind.layers.front())))
        if (kind.patterns[slot])
          for (const Layer *layer : kind.layers)
            familyOf(*kind.patterns[slot], get.getType()).layers.insert(layer->number);
    std::map<NamePattern, int> typesOfPattern;
    for (auto &[id, family] : families)
      ++typesOfPattern[id.first];
    OpBuilder builder(function);
    for (auto &[id, family] : families) {
      const NamePattern &pattern = id.first;
      SmallVector<int64_t> numbers(family.layers.begin(), family.layers.end());
      std::string symbol = symbolOf(pattern);
      if (typesOfPattern[pattern] > 1)
        symbol +=
            "." +
            std::string(
                formatInfo(*formatOf(cast<RankedTensorType>(family.type).getElementType())).name);
      auto weight = WeightOp::create(builder, function.getLoc(), symbol, family.type,
                                     pattern.first + "{}" + pattern.second,
                                     builder.getDenseI64ArrayAttr(numbers));
      // Gives it another name where this one is taken.
      family.symbol = symbols.insert(weight, builder.getInsertionPoint()).str();
    }
  }

  /// What the op at `slot` among those of type OpT has in each layer, by number; `absent` where a
  /// layer has none.
  template <typename OpT, typename Get>
  auto tableOf(size_t slot, Get get, decltype(get(OpT(), 0)) absent) {
    SmallVector<decltype(get(OpT(), 0))> table(kvLayers, absent);
    for (auto [number, layer] : layerOfNumber) {
      size_t i = 0;
      for (Operation *op : layer->ops)
        if (auto found = dyn_cast<OpT>(op); found && i++ == slot)
          table[number] = get(found, number);
    }
    return table;
  }

  template <typename T> static bool isUniform(const Kind &kind, ArrayRef<T> table) {
    return llvm::all_of(kind.layers, [&](const Layer *layer) {
      return table[layer->number] == table[kind.layers.front()->number];
    });
  }

  void setWindow(AttentionOp op, const Kind &kind, size_t slot) {
    auto windowOf = [](AttentionOp op, int64_t number) -> int64_t {
      if (auto windows = op.getWindows()) // as long as its own cache, which may be another
        return number < static_cast<int64_t>(windows->size()) ? (*windows)[number] : 0;
      return op.getWindow().value_or(0);
    };
    auto table = tableOf<AttentionOp>(slot, windowOf, 0);
    const int64_t first = table[kind.layers.front()->number];
    op.removeWindowAttr();
    op.removeWindowsAttr();
    if (!isUniform<int64_t>(kind, table))
      op.setWindows(table);
    else if (first > 0)
      op.setWindow(first);
  }

  Value makeRope(OpBuilder &b, RopeOp op, const Kind &kind, size_t slot, const IRMapping &map) {
    auto rotationOf = [](RopeOp op, int64_t number) -> RopeAttr {
      auto all = op.getRotations();
      return op.getLayer() && number < static_cast<int64_t>(all.size()) ? all[number] : all.front();
    };
    const RopeAttr own = rotationOf(op, kind.layers.front()->number);
    auto table = tableOf<RopeOp>(slot, rotationOf, own);
    for (RopeAttr &other : table)
      if (other.getDim() != own.getDim() || other.getStyle() != own.getStyle())
        other = own; // of another kind: nothing reads it
    const bool same = isUniform<RopeAttr>(kind, table);
    ArrayAttr ropes;
    if (!same)
      ropes = b.getArrayAttr(SmallVector<Attribute>(table.begin(), table.end()));
    return RopeOp::create(b, op.getLoc(), op.getType(), map.lookup(op.getX()),
                          map.lookup(op.getPositions()), same ? Value() : number(b),
                          op.getHeadDimAttr(), same ? own : RopeAttr(), ropes);
  }

  Value number(OpBuilder &b) { return b.getInsertionBlock()->getArgument(0); }

  func::FuncOp outline(const Kind &kind, StringRef name) {
    const Layer &first = *kind.layers.front();
    SmallVector<Type> inputs = {IndexType::get(function.getContext()), first.input.getType(),
                                batch.getType()},
                      results = {first.output.getType()};
    if (first.kvInput) {
      inputs.push_back(first.kvInput.getType());
      results.push_back(first.kvInput.getType());
    }
    OpBuilder b(function);
    auto callee = func::FuncOp::create(b, first.ops.front()->getLoc(), name,
                                       b.getFunctionType(inputs, results));
    callee.setPrivate();
    symbols.insert(callee, b.getInsertionPoint());
    fill(callee, kind);
    return callee;
  }

  void fill(func::FuncOp callee, const Kind &kind) {
    const Layer &first = *kind.layers.front();
    Block *entry = callee.addEntryBlock();
    auto b = OpBuilder::atBlockBegin(entry);
    IRMapping map;
    map.map(first.input, entry->getArgument(1));
    map.map(batch, entry->getArgument(2));
    if (first.kvInput)
      map.map(first.kvInput, entry->getArgument(3));
    // The batch's fields first, as importers have them; the others where they are read.
    for (Operation *op : first.ops)
      for (Value operand : op->getOperands())
        if (operand.getDefiningOp<BatchPositionsOp>() || operand.getDefiningOp<BatchTokensOp>())
          if (!map.contains(operand))
            b.clone(*operand.getDefiningOp(), map);
    llvm::DenseMap<Value, std::pair<size_t, GetWeightOp>> slots;
    for (auto [slot, get] : llvm::enumerate(weightsOf(first)))
      slots[get.getResult()] = {slot, get};
    size_t attentions = 0, ropes = 0;
    for (Operation *op : first.ops) {
      for (Value operand : op->getOperands()) {
        if (map.contains(operand))
          continue;
        if (auto slot = slots.find(operand); slot != slots.end())
          map.map(operand, getWeight(b, kind, slot->second.first, slot->second.second));
        else if (operand.getType().isIndex()) // it has been checked
          map.map(operand, entry->getArgument(0));
        else
          b.clone(*operand.getDefiningOp(), map);
      }
      if (auto rope = dyn_cast<RopeOp>(op)) {
        map.map(rope.getResult(), makeRope(b, rope, kind, ropes++, map));
        continue;
      }
      Operation *copy = b.clone(*op, map);
      if (auto attention = dyn_cast<AttentionOp>(copy))
        setWindow(attention, kind, attentions++);
    }
    SmallVector<Value> results = {map.lookup(first.output)};
    if (first.kvInput)
      results.push_back(map.lookup(first.kvOutput));
    func::ReturnOp::create(b, callee.getLoc(), results);
  }

  Family &familyOf(const NamePattern &pattern, Type type) {
    Family &family = families[{pattern, type.getAsOpaquePointer()}];
    family.type = type;
    return family;
  }

  Value getWeight(OpBuilder &b, const Kind &kind, size_t slot, GetWeightOp get) {
    if (!kind.patterns[slot]) {
      IRMapping map;
      if (get.getLayer())
        map.map(get.getLayer(), b.clone(*get.getLayer().getDefiningOp())->getResult(0));
      return b.clone(*get, map)->getResult(0);
    }
    const Family &family = familyOf(*kind.patterns[slot], get.getType());
    return GetWeightOp::create(b, get.getLoc(), get.getType(), family.symbol, number(b));
  }

  void call(func::FuncOp callee, const Layer &layer) {
    OpBuilder b(layer.ops.front());
    Location loc = layer.ops.front()->getLoc();
    auto now = [&](Value value) { return replaced.count(value) ? replaced[value] : value; };
    SmallVector<Value> arguments = {arith::ConstantIndexOp::create(b, loc, layer.number),
                                    now(layer.input), batch};
    if (layer.kvInput)
      arguments.push_back(now(layer.kvInput));
    auto results = func::CallOp::create(b, loc, callee, arguments).getResults();
    auto replace = [&](Value old, Value by) {
      replaced[old] = by;
      old.replaceAllUsesWith(by);
    };
    replace(layer.output, results[0]);
    if (layer.kvInput && layer.kvOutput != layer.kvInput)
      replace(layer.kvOutput, results[1]);
  }

  /// Weights that only rolled layers read, and the ops that named them.
  void removeUnused() {
    llvm::SetVector<Operation *> dead;
    for (Operation &op : llvm::reverse(function.getBody().front()))
      if (isInvariant(&op) &&
          llvm::all_of(op.getUsers(), [&](Operation *user) { return dead.contains(user); }))
        dead.insert(&op);
    std::set<StringRef> candidates;
    for (Operation *op : dead) {
      if (auto get = dyn_cast<GetWeightOp>(op))
        candidates.insert(get.getWeight());
      op->erase();
    }
    symbols.getOp()->walk([&](GetWeightOp get) { candidates.erase(get.getWeight()); });
    for (StringRef name : candidates)
      if (auto weight = symbols.lookup<WeightOp>(name))
        symbols.erase(weight);
  }

  SymbolTable symbols;
  func::FuncOp function;
  std::vector<Layer> layers;
  KvType kvType;
  int64_t kvLayers = 0; ///< entries of tables
  Value batch;
  llvm::DenseMap<Value, Value> replaced; ///< results of layers, by those of calls
  std::map<int64_t, const Layer *> layerOfNumber;
  llvm::MapVector<LayerKey, Kind, std::map<LayerKey, unsigned>> kinds;
  std::set<NamePattern> knownPatterns;
  using FamilyId = std::pair<NamePattern, const void *>; ///< of the type
  llvm::MapVector<FamilyId, Family, std::map<FamilyId, unsigned>> families;
};

struct RollLayers : impl::RollLayersPassBase<RollLayers> {
  bool canScheduleOn(RegisteredOperationName name) const override { return isModelOrGraph(name); }

  void runOnOperation() override {
    auto model = dyn_cast<ModelOp>(getOperation());
    func::FuncOp function = model ? model.getStep() : cast<GraphOp>(getOperation()).getForward();
    Roller(getOperation(), function).run();
  }
};
} // namespace
} // namespace llmir::llm
