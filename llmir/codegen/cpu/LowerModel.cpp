// The step function and the layer functions: loads of pointers, calls of kernels on this worker's
// part, barriers. Every function gets (args, worker, workers) and, in the order of the llm
// function's signature, a pointer for each activation and an i64 for each index; then a pointer for
// the memory of each activation it returns.
#include "llmir/codegen/cpu/LowerModel.h"

#include "llmir/abi/llmir_abi.h"
#include "llmir/codegen/cpu/AttentionKernel.h"
#include "llmir/codegen/cpu/BufferPlan.h"
#include "llmir/codegen/cpu/ExpertKernels.h"
#include "llmir/codegen/cpu/LinearKernel.h"
#include "llmir/codegen/cpu/RowKernels.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/xxhash.h"
#include <cstddef>
#include <numeric>

using namespace mlir;
namespace llmir::cpu {

namespace {

int64_t columnsOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape().back(); }

/// A half-open range of rows or columns that belongs to this worker.
struct Range {
  Value from, to;
};

/// The tables of cosines and sines, one for each distinct rotation in the model, filled once at the
/// start of a step.
using RopeTables = llvm::MapVector<llm::RopeAttr, int64_t>; // -> arena bytes per token before it

int64_t ropeTableStride(llm::RopeAttr rope) { return llvm::alignTo(rope.getDim() * 4, 64); }

/// What is the same for all functions of a model.
struct ModelContext {
  ModelContext(KernelBuilder &k, llm::ModelOp model, const WeightTable &weights)
      : k(k), model(model), weights(weights) {}
  KernelBuilder &k;
  llm::ModelOp model;
  const WeightTable &weights;
  RopeTables ropeTables;
  llvm::MapVector<func::FuncOp, int64_t>
      frames; // -> arena bytes per token before the function's frame
  llvm::DenseMap<func::FuncOp, BufferPlan> plans;
};

/// Roots of what a function returns, the values that are written straight into the caller's memory.
llvm::DenseSet<Value> returnedRoots(func::FuncOp function) {
  llvm::DenseSet<Value> roots;
  for (Value operand : function.getBody().front().getTerminator()->getOperands())
    if (isBuffer(operand.getType()) && !isa<BlockArgument>(rootOf(operand)))
      roots.insert(rootOf(operand));
  return roots;
}

/// Lowers one function of the model.
class FunctionLowering {
public:
  FunctionLowering(ModelContext &context, func::FuncOp source)
      : context(context), k(context.k), source(source), plan(context.plans[source]),
        isStep(source.getSymName() == "step") {}

  Status lower();

private:
  ModelContext &context;
  KernelBuilder &k;
  func::FuncOp source;
  const BufferPlan &plan;
  const bool isStep;
  std::optional<Error> error;

  Value args, worker, workers;           // ptr, i64, i64
  Value batch, arena, capacity;          // ptr, ptr, i64
  Value tokens, logitRows;               // i64
  Range tokenRange, logitRange;          // this worker's
  llvm::DenseMap<Value, Value> pointers; // root of an activation -> its row 0
  llvm::DenseMap<Value, Value> indices;  // index value -> i64
  llvm::DenseMap<Value, Value> weightPointers;

  std::string loweredName(func::FuncOp function) {
    return function.getSymName() == "step" ? LLMIR_STEP_SYMBOL
                                           : ("llm_" + function.getSymName()).str();
  }
  SmallVector<Type> signature(func::FuncOp function);

  void lowerBody(ValueRange arguments);
  void lowerTop(Operation &op);
  void lowerPhase(llm::FuseOp fuse);
  void lowerOp(Operation &op, llm::Partition partition, int64_t columnUnit);
  void lowerLinear(llm::LinearOp op, int64_t columnUnit);
  void lowerExpertsRoute(llm::ExpertsRouteOp op);
  void lowerExpertsLinear(llm::ExpertsLinearOp op, int64_t columnUnit);
  void lowerExpertsCombine(llm::ExpertsCombineOp op, llm::Partition partition, int64_t columnUnit);
  void lowerElementwise(Operation &op, llm::Partition partition, int64_t columnUnit);
  void lowerAttention(llm::AttentionOp op);
  Value windowOf(llm::AttentionOp op);
  Value ropeTable(llm::RopeOp op);
  Value perLayer(llvm::StringRef name, ArrayRef<int64_t> values, Value layer);
  void lowerCall(func::CallOp call);
  void lowerReturn(func::ReturnOp op);
  void fillRopeTables();
  void barrier();

  Value field(Value base, size_t offset, Type type) {
    return k.load(k.offset(base, static_cast<int64_t>(offset)), type);
  }
  Value batchInts(size_t offset) { return field(batch, offset, k.ptr); }
  Value batchCount(size_t offset) { return k.extendUnsigned(field(batch, offset, k.i32), k.i64); }
  Value arenaAt(int64_t bytesPerToken) {
    return k.offset(arena, k.mul(capacity, k.index(bytesPerToken)));
  }
  Range share(Value count) {
    return {k.divUnsigned(k.mul(count, worker), workers),
            k.divUnsigned(k.mul(count, k.add(worker, k.index(1))), workers)};
  }
  /// This worker's range of `columns` in units of `unit`, the same for every op of a phase.
  Range columnShare(int64_t columns, int64_t unit) {
    Range units = share(k.index(llvm::divideCeil(columns, unit)));
    return {k.mul(units.from, k.index(unit)),
            k.min(k.mul(units.to, k.index(unit)), k.index(columns))};
  }
  /// The panels of those columns.
  Range panelShare(const PackedLayout &layout, int64_t unit) {
    Range columns = columnShare(layout.n, unit);
    Value rows = k.index(layout.panelRows());
    return {k.divUnsigned(columns.from, rows),
            k.divUnsigned(k.add(columns.to, k.index(layout.panelRows() - 1)), rows)};
  }
  /// This worker's rows and columns of an element-wise result.
  std::pair<Range, Range> elementShare(Value result, llm::Partition partition, int64_t unit) {
    if (partition == llm::Partition::Features)
      return {{k.index(0), rowCount(result)}, columnShare(columnsOf(result), unit)};
    return {rowRange(result), {k.index(0), k.index(columnsOf(result))}};
  }
  /// Whether the rows of a value are the logit rows and not the tokens.
  bool hasLogitRows(Value value) {
    Operation *definition = rootOf(value).getDefiningOp();
    if (!definition || isa<func::CallOp>(definition))
      return false;
    if (isa<llm::LogitRowsOp>(definition))
      return true;
    return llvm::any_of(definition->getOperands(),
                        [&](Value v) { return isBuffer(v.getType()) && hasLogitRows(v); });
  }
  /// This worker's rows of a value: those of its tokens.
  Range rowRange(Value value) {
    Range range = hasLogitRows(value) ? logitRange : tokenRange;
    return {allRows(value, range.from), allRows(value, range.to)};
  }
  Value rowCount(Value value) { return allRows(value, hasLogitRows(value) ? logitRows : tokens); }
  Value allRows(Value value, Value ofTokens) {
    const int64_t rows = llm::rowsPerToken(value.getType());
    return rows == 1 ? ofTokens : k.mul(ofTokens, k.index(rows));
  }
  Value pointer(Value value) { return pointers.lookup(rootOf(value)); }
  int64_t stride(Value value) {
    Value root = rootOf(value);
    // The logits go into the runtime's own array, whose rows are not padded.
    return isStep && inLogits.contains(root) ? columnsOf(root) * 4 : rowStride(root.getType());
  }
  llvm::DenseSet<Value> inLogits;
  Value weightPointer(Value weight);
  Value kvPointer(Value layer, size_t member) {
    Value row = k.at(field(args, offsetof(llmir_step_args, kv), k.ptr),
                     indices.lookup(rootOf(layer)), sizeof(llmir_kv_layer));
    return field(row, member, k.ptr);
  }
  Value null() { return LLVM::ZeroOp::create(k.b, k.loc, k.ptr); }
  void call(func::FuncOp kernel, ValueRange operands) {
    func::CallOp::create(k.b, k.loc, kernel, operands);
  }
  void unsupported(Operation &op, llvm::StringRef what) {
    if (!error)
      error = Error{fmt::format("no CPU code generation for {}{}",
                                op.getName().getStringRef().str(), what.str())};
  }
};

SmallVector<Type> FunctionLowering::signature(func::FuncOp function) {
  if (function.getSymName() == "step")
    return {k.ptr, k.i32, k.i32};
  SmallVector<Type> types = {k.ptr, k.i64, k.i64};
  for (Type type : function.getArgumentTypes())
    if (isBuffer(type) || type.isIndex())
      types.push_back(type.isIndex() ? k.i64 : k.ptr);
  for (Type type : function.getResultTypes())
    if (isBuffer(type))
      types.push_back(k.ptr);
  return types;
}

Status FunctionLowering::lower() {
  for (Type type : source.getArgumentTypes())
    if (!isBuffer(type) && !isa<IndexType, llm::BatchType, llm::KvType>(type))
      return fail("no CPU code generation for an argument of @{}: only activations, index, "
                  "!llm.batch and !llm.kv are passed",
                  source.getSymName().str());
  if (!source.getBody().hasOneBlock())
    return fail("no CPU code generation for control flow in @{}", source.getSymName().str());
  k.function(
      loweredName(source), signature(source), [&](ValueRange arguments) { lowerBody(arguments); },
      !isStep);
  if (error)
    return tl::unexpected<Error>(*error);
  return {};
}

void FunctionLowering::lowerBody(ValueRange arguments) {
  args = arguments[0];
  worker = isStep ? k.extendUnsigned(arguments[1], k.i64) : arguments[1];
  workers = isStep ? k.extendUnsigned(arguments[2], k.i64) : arguments[2];
  batch = field(args, offsetof(llmir_step_args, batch), k.ptr);
  arena = field(args, offsetof(llmir_step_args, arena), k.ptr);
  capacity = field(args, offsetof(llmir_step_args, token_capacity), k.i64);
  tokens = batchCount(offsetof(llmir_batch, num_tokens));
  logitRows = batchCount(offsetof(llmir_batch, num_logit_rows));
  tokenRange = share(tokens);
  logitRange = share(logitRows);

  ValueRange rest = arguments.drop_front(3);
  for (BlockArgument argument : source.getArguments()) {
    if (argument.getType().isIndex())
      indices[argument] = rest.front(), rest = rest.drop_front();
    else if (isBuffer(argument.getType()))
      pointers[argument] = rest.front(), rest = rest.drop_front();
  }
  for (Value operand : source.getBody().front().getTerminator()->getOperands()) {
    if (!isBuffer(operand.getType()))
      continue;
    Value root = rootOf(operand);
    if (isStep) {
      pointers[root] = field(args, offsetof(llmir_step_args, logits), k.ptr);
      inLogits.insert(root);
    } else {
      // A value that is returned twice, or an argument, is copied into its place when the function
      // returns.
      if (!isa<BlockArgument>(root) && !pointers.contains(root))
        pointers[root] = rest.front();
      rest = rest.drop_front();
    }
  }
  int64_t frame = context.frames[source];
  for (auto [root, offset] : plan.offsets)
    pointers[root] = arenaAt(frame + offset);
  if (isStep)
    fillRopeTables();
  for (Operation &op : source.getBody().front())
    lowerTop(op);
}

void FunctionLowering::fillRopeTables() {
  // No barrier behind it: a worker reads the rows of its own tokens only, and those it has written
  // itself.
  for (auto [rope, offset] : context.ropeTables)
    call(ropeTableKernel(k, rope, ropeTableStride(rope)),
         {batchInts(offsetof(llmir_batch, positions)), arenaAt(offset), tokenRange.from,
          tokenRange.to});
}

void FunctionLowering::barrier() {
  Value function = field(args, offsetof(llmir_step_args, barrier), k.ptr);
  Value sync = field(args, offsetof(llmir_step_args, sync), k.ptr);
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(k.b.getContext()), {k.ptr, k.i32});
  LLVM::CallOp::create(k.b, k.loc, type, ValueRange{function, sync, k.truncateInt(worker, k.i32)});
}

void FunctionLowering::lowerTop(Operation &op) {
  if (auto fuse = dyn_cast<llm::FuseOp>(op)) {
    lowerPhase(fuse);
    barrier();
  } else if (auto constant = dyn_cast<arith::ConstantOp>(op);
             constant && constant.getType().isIndex()) {
    indices[constant] = k.index(cast<IntegerAttr>(constant.getValue()).getInt());
  } else if (auto callOp = dyn_cast<func::CallOp>(op)) {
    lowerCall(callOp);
  } else if (auto returnOp = dyn_cast<func::ReturnOp>(op)) {
    lowerReturn(returnOp);
  } else if (isa<llm::SampleOp>(op)) {
    unsupported(op, ": the runtime samples, from the logits that @step gives; remove the op");
  } else if (isa<llm::MoeOp>(op)) {
    unsupported(op, ": run llm-expand-experts before");
  } else if (!isa<llm::GetWeightOp, llm::BatchTokensOp, llm::BatchPositionsOp>(op)) {
    unsupported(op, " outside of a phase");
  }
}

Value FunctionLowering::weightPointer(Value weight) {
  if (!weight)
    return null();
  auto get = rootOf(weight).getDefiningOp<llm::GetWeightOp>();
  if (!get) {
    error = Error{
        "no CPU code generation for weights that are passed to functions: use llm.get_weight"};
    return null();
  }
  Value &known = weightPointers[get.getResult()];
  if (!known) {
    const WeightSlot &slot = context.weights.at(get.getWeight());
    Value row =
        get.getLayer() ? indices.lookup(get.getLayer()) : k.index(context.weights.modelRow());
    Value entry = k.add(k.mul(row, k.index(context.weights.slots())), k.index(slot.slot));
    known = k.load(k.at(field(args, offsetof(llmir_step_args, weights), k.ptr), entry, 8), k.ptr);
  }
  return known;
}

/// The unit in which a phase's columns are shared: whole panels of every product in it.
static int64_t columnUnitOf(llm::FuseOp fuse, const WeightTable &weights) {
  int64_t unit = 16;
  auto add = [&](auto product) {
    if (auto get = rootOf(product.getWeight()).template getDefiningOp<llm::GetWeightOp>())
      unit = std::lcm(unit, weights.at(get.getWeight()).layout->panelRows());
  };
  llvm::for_each(fuse.getBody().getOps<llm::LinearOp>(), add);
  llvm::for_each(fuse.getBody().getOps<llm::ExpertsLinearOp>(), add);
  return unit;
}

void FunctionLowering::lowerPhase(llm::FuseOp fuse) {
  int64_t columnUnit = columnUnitOf(fuse, context.weights);
  for (Operation &op : fuse.getBody().front().without_terminator())
    lowerOp(op, fuse.getPartition(), columnUnit);
}

void FunctionLowering::lowerOp(Operation &op, llm::Partition partition, int64_t columnUnit) {
  llvm::TypeSwitch<Operation &>(op)
      .Case([&](llm::EmbedOp o) {
        auto get = rootOf(o.getTable()).getDefiningOp<llm::GetWeightOp>();
        if (!get || !rootOf(o.getTokens()).getDefiningOp<llm::BatchTokensOp>())
          return unsupported(op, " of anything but the batch's tokens and a weight");
        auto kernel =
            embedKernel(k, {*context.weights.at(get.getWeight()).layout, stride(o.getResult())});
        call(kernel, {weightPointer(o.getTable()), batchInts(offsetof(llmir_batch, tokens)),
                      pointer(o.getResult()), tokenRange.from, tokenRange.to});
      })
      .Case([&](llm::RmsNormOp o) {
        NormSpec spec{columnsOf(o.getX()),
                      o.getWeight().getType().getDimSize(0),
                      o.getEps().convertToDouble(),
                      false,
                      stride(o.getX()),
                      stride(o.getResult())};
        Range range = rowRange(o.getResult());
        call(rmsNormKernel(k, spec), {pointer(o.getX()), weightPointer(o.getWeight()),
                                      pointer(o.getResult()), range.from, range.to});
      })
      .Case([&](llm::LayerNormOp o) {
        NormSpec spec{columnsOf(o.getX()),    columnsOf(o.getX()), o.getEps().convertToDouble(),
                      o.getBias() != nullptr, stride(o.getX()),    stride(o.getResult())};
        Range range = rowRange(o.getResult());
        call(layerNormKernel(k, spec),
             {pointer(o.getX()), weightPointer(o.getWeight()), weightPointer(o.getBias()),
              pointer(o.getResult()), range.from, range.to});
      })
      .Case([&](llm::QuantizeOp o) {
        Format format = *llm::formatOf(o.getResult().getType().getElementType());
        Range range = rowRange(o.getResult());
        call(quantizeKernel(k,
                            {columnsOf(o.getX()), format, stride(o.getX()), stride(o.getResult())}),
             {pointer(o.getX()), pointer(o.getResult()), range.from, range.to});
      })
      .Case([&](llm::RopeOp o) {
        if (!rootOf(o.getPositions()).getDefiningOp<llm::BatchPositionsOp>())
          return unsupported(op, " at positions other than the batch's");
        llm::RopeAttr rope = o.getRotations().front(); // all are of one style and dim
        RopeSpec spec{columnsOf(o.getX()),  static_cast<int64_t>(o.getHeadDim()),
                      rope.getDim(),        rope.getStyle(),
                      stride(o.getX()),     ropeTableStride(rope),
                      stride(o.getResult())};
        call(ropeKernel(k, spec), {pointer(o.getX()), ropeTable(o), pointer(o.getResult()),
                                   tokenRange.from, tokenRange.to});
      })
      .Case([&](llm::LogitRowsOp o) {
        call(gatherRowsKernel(k, columnsOf(o.getX()), stride(o.getX()), stride(o.getResult())),
             {pointer(o.getX()), batchInts(offsetof(llmir_batch, logit_rows)),
              pointer(o.getResult()), logitRange.from, logitRange.to});
      })
      .Case([&](llm::KvAppendOp o) {
        call(kvAppendKernel(k, o.getKv().getType(), stride(o.getK()), stride(o.getV())),
             {pointer(o.getK()), pointer(o.getV()), batchInts(offsetof(llmir_batch, slot_mapping)),
              kvPointer(o.getLayer(), offsetof(llmir_kv_layer, k)),
              kvPointer(o.getLayer(), offsetof(llmir_kv_layer, v)), tokenRange.from,
              tokenRange.to});
      })
      .Case([&](llm::AttentionOp o) { lowerAttention(o); })
      .Case([&](llm::LinearOp o) { lowerLinear(o, columnUnit); })
      .Case([&](llm::ExpertsRouteOp o) { lowerExpertsRoute(o); })
      .Case([&](llm::ExpertsGroupOp o) {
        // One worker sorts all rows, the others have none.
        Value rows = k.mul(rowCount(o.getExperts()), k.index(columnsOf(o.getExperts())));
        call(groupKernel(k, static_cast<int64_t>(o.getOf())),
             {pointer(o.getExperts()), pointer(o.getOrder()),
              k.select(k.lessThan(worker, k.index(1)), rows, k.index(0))});
      })
      .Case([&](llm::ExpertsLinearOp o) { lowerExpertsLinear(o, columnUnit); })
      .Case([&](llm::ExpertsCombineOp o) { lowerExpertsCombine(o, partition, columnUnit); })
      .Case<llm::GluOp, llm::ActivateOp, llm::ScaleOp, llm::SoftcapOp, arith::AddFOp,
            arith::MulFOp>([&](auto) { lowerElementwise(op, partition, columnUnit); })
      .Default([&](Operation &) { unsupported(op, ""); });
}

void FunctionLowering::lowerLinear(llm::LinearOp op, int64_t columnUnit) {
  Value weight = weightPointer(op.getWeight());
  if (error)
    return;
  auto get = rootOf(op.getWeight()).getDefiningOp<llm::GetWeightOp>();
  const PackedLayout &layout = *context.weights.at(get.getWeight()).layout;
  LinearSpec spec{layout, *llm::formatOf(op.getX().getType().getElementType()),
                  op.getBias() != nullptr, stride(op.getX()), stride(op.getResult())};
  Range panels = panelShare(layout, columnUnit);
  call(linearKernel(k, spec),
       {weight, pointer(op.getX()), pointer(op.getResult()), weightPointer(op.getBias()),
        rowCount(op.getResult()), panels.from, panels.to});
}

void FunctionLowering::lowerExpertsRoute(llm::ExpertsRouteOp op) {
  RouteSpec spec{columnsOf(op.getRouter()), columnsOf(op.getExperts()),      op.getScoring(),
                 op.getRenormalise(),       op.getScale().convertToDouble(), stride(op.getRouter()),
                 stride(op.getWeights())};
  Range range = rowRange(op.getWeights());
  call(routeKernel(k, spec), {pointer(op.getRouter()), pointer(op.getExperts()),
                              pointer(op.getWeights()), range.from, range.to});
}

void FunctionLowering::lowerExpertsLinear(llm::ExpertsLinearOp op, int64_t columnUnit) {
  Value weight = weightPointer(op.getWeight());
  if (error)
    return;
  auto get = rootOf(op.getWeight()).getDefiningOp<llm::GetWeightOp>();
  const PackedLayout &layout = *context.weights.at(get.getWeight()).layout;
  LinearSpec spec{layout, *llm::formatOf(op.getX().getType().getElementType()), /*bias=*/false,
                  stride(op.getX()), stride(op.getResult())};
  spec.rowsPerX = op.getX().getType().getRank() == 3 ? 1 : columnsOf(op.getExperts());
  Range panels = panelShare(layout, columnUnit);
  call(expertLinearKernel(k, spec),
       {weight, pointer(op.getX()), pointer(op.getResult()), pointer(op.getExperts()),
        pointer(op.getOrder()), rowCount(op.getResult()), panels.from, panels.to});
}

void FunctionLowering::lowerExpertsCombine(llm::ExpertsCombineOp op, llm::Partition partition,
                                           int64_t columnUnit) {
  CombineSpec spec{columnsOf(op.getWeights()), stride(op.getX()), stride(op.getWeights()),
                   stride(op.getResult())};
  auto [rows, columns] = elementShare(op.getResult(), partition, columnUnit);
  call(combineKernel(k, spec),
       {pointer(op.getX()), pointer(op.getWeights()), pointer(op.getResult()), rows.from, rows.to,
        columns.from, columns.to});
}

void FunctionLowering::lowerElementwise(Operation &op, llm::Partition partition,
                                        int64_t columnUnit) {
  ElementwiseSpec spec;
  Value x = op.getOperand(0), y = op.getNumOperands() > 1 ? op.getOperand(1) : Value(),
        result = op.getResult(0);
  llvm::TypeSwitch<Operation &>(op)
      .Case(
          [&](llm::GluOp o) { spec.op = ElementwiseOp::Glu, spec.activation = o.getActivation(); })
      .Case([&](llm::ActivateOp o) {
        spec.op = ElementwiseOp::Activate, spec.activation = o.getActivation();
      })
      .Case([&](llm::ScaleOp o) {
        spec.op = ElementwiseOp::Scale, spec.constant = o.getFactor().convertToDouble();
      })
      .Case([&](llm::SoftcapOp o) {
        spec.op = ElementwiseOp::Softcap, spec.constant = o.getCap().convertToDouble();
      })
      .Case([&](arith::AddFOp) { spec.op = ElementwiseOp::Add; })
      .Case([&](arith::MulFOp) { spec.op = ElementwiseOp::Mul; });
  if (!isBuffer(result.getType()))
    return unsupported(op, " of anything but activations");
  spec.xStride = stride(x);
  spec.yStride = y ? stride(y) : 0;
  spec.resultStride = stride(result);
  spec.inPlace = rootOf(x) == rootOf(result);
  auto [rows, columns] = elementShare(result, partition, columnUnit);
  call(elementwiseKernel(k, spec), {spec.inPlace ? null() : pointer(x), y ? pointer(y) : null(),
                                    pointer(result), rows.from, rows.to, columns.from, columns.to});
}

void FunctionLowering::lowerAttention(llm::AttentionOp op) {
  AttentionSpec spec;
  spec.kv = op.getKv().getType();
  spec.queryHeads = op.getQueryHeads();
  spec.scale = op.getScale().convertToDouble();
  spec.hasWindow = op.hasWindow();
  if (op.getSoftcap())
    spec.softcap = op.getSoftcap()->convertToDouble();
  spec.qStride = stride(op.getQ());
  spec.resultStride = stride(op.getResult());
  Value items = k.mul(tokens, k.index(spec.kv.getHeads()));
  call(attentionKernel(k, spec),
       {pointer(op.getQ()), kvPointer(op.getLayer(), offsetof(llmir_kv_layer, k)),
        kvPointer(op.getLayer(), offsetof(llmir_kv_layer, v)),
        batchInts(offsetof(llmir_batch, token_sequence)),
        batchInts(offsetof(llmir_batch, positions)), batchInts(offsetof(llmir_batch, block_table)),
        batchCount(offsetof(llmir_batch, block_table_stride)), windowOf(op),
        pointer(op.getResult()), worker, items, workers});
}

/// The positions that a token sees: all there can be where the layer has no window.
Value FunctionLowering::windowOf(llm::AttentionOp op) {
  constexpr int64_t all = std::numeric_limits<int32_t>::max();
  if (!op.getWindows())
    return k.index(op.getWindow() ? static_cast<int64_t>(*op.getWindow()) : all);
  SmallVector<int64_t> windows(*op.getWindows());
  std::ranges::replace(windows, 0, all);
  return perLayer("windows", windows, op.getLayer());
}

/// Where the table of the layer's cosines and sines begins.
Value FunctionLowering::ropeTable(llm::RopeOp op) {
  if (!op.getLayer())
    return arenaAt(context.ropeTables[*op.getRope()]);
  SmallVector<int64_t> offsets;
  for (llm::RopeAttr rope : op.getRotations())
    offsets.push_back(context.ropeTables[rope]);
  return k.offset(arena, k.mul(capacity, perLayer("rope_tables", offsets, op.getLayer())));
}

/// The entry of a constant table that belongs to the layer.
Value FunctionLowering::perLayer(llvm::StringRef name, ArrayRef<int64_t> values, Value layer) {
  uint64_t hash = llvm::xxh3_64bits(
      ArrayRef(reinterpret_cast<const uint8_t *>(values.data()), values.size() * sizeof(int64_t)));
  Value table = k.constantArray(fmt::format("{}_{:x}", name.str(), hash), values);
  return k.load(k.at(table, indices.lookup(rootOf(layer)), 8), k.i64);
}

void FunctionLowering::lowerCall(func::CallOp callOp) {
  auto callee = context.model.lookupSymbol<func::FuncOp>(callOp.getCallee());
  SmallVector<Value> operands = {args, worker, workers};
  for (Value operand : callOp.getOperands()) {
    if (operand.getType().isIndex())
      operands.push_back(indices.lookup(operand));
    else if (isBuffer(operand.getType())) {
      if (hasLogitRows(operand))
        return unsupported(*callOp, " with logit rows");
      operands.push_back(pointer(operand));
    }
  }
  for (Value result : callOp.getResults())
    if (isBuffer(result.getType()))
      operands.push_back(pointer(result));
  func::CallOp::create(k.b, k.loc, loweredName(callee), TypeRange{}, operands);
}

void FunctionLowering::lowerReturn(func::ReturnOp op) {
  if (isStep) {
    if (isa<BlockArgument>(rootOf(op.getOperand(0))))
      unsupported(*op, " of an argument of @step");
    return;
  }
  // What is not yet where the caller wants it: arguments, and second mentions of a value.
  Block &body = k.b.getInsertionBlock()->getParentOp()->getRegion(0).front();
  unsigned place = body.getNumArguments() - llvm::count_if(op.getOperandTypes(), isBuffer);
  bool copied = false;
  for (Value operand : op.getOperands()) {
    if (!isBuffer(operand.getType()))
      continue;
    Value target = body.getArgument(place++);
    if (pointer(operand) == target)
      continue;
    bool isFloat = llm::isActivations(operand.getType()) || llm::isExpertRows(operand.getType());
    if (!isFloat || hasLogitRows(operand))
      return unsupported(*op, " of this value twice");
    int64_t bytes = stride(operand);
    Range range = rowRange(operand);
    call(elementwiseKernel(k, {ElementwiseOp::Scale, llm::Activation::Silu, 1, bytes, 0, bytes}),
         {pointer(operand), null(), target, range.from, range.to, k.index(0),
          k.index(columnsOf(operand))});
    copied = true;
  }
  if (copied)
    barrier();
}

/// Functions in the order of calls, callers first; an error on recursion.
Expected<SmallVector<func::FuncOp>> callOrder(llm::ModelOp model) {
  SmallVector<func::FuncOp> postOrder;
  llvm::DenseMap<func::FuncOp, bool> open; // true while a function's callees are visited
  std::optional<Error> error;
  std::function<void(func::FuncOp)> visit = [&](func::FuncOp function) {
    if (auto known = open.find(function); known != open.end()) {
      if (known->second)
        error = Error{fmt::format("@{} calls itself: recursion cannot be compiled",
                                  function.getSymName().str())};
      return;
    }
    open[function] = true;
    function.walk([&](func::CallOp call) {
      if (auto callee = model.lookupSymbol<func::FuncOp>(call.getCallee());
          callee && !callee.isExternal())
        visit(callee);
      else
        error = Error{fmt::format("@{} is called but not defined", call.getCallee().str())};
    });
    open[function] = false;
    postOrder.push_back(function);
  };
  visit(model.getStep());
  if (error)
    return tl::unexpected<Error>(*error);
  return SmallVector<func::FuncOp>(llvm::reverse(postOrder));
}

} // namespace

Expected<LoweredModel> lowerModel(llm::ModelOp model, const WeightTable &weights,
                                  const Target &target) {
  auto order = callOrder(model);
  if (!order)
    return forward(order);
  LoweredModel lowered;
  lowered.module = ModuleOp::create(model.getLoc());
  KernelBuilder k(*lowered.module, target);
  ModelContext context(k, model, weights);

  // The arena, from its start: tables of rotations, the step's frame, the frames of what it calls.
  int64_t &total = lowered.arenaBytesPerToken;
  model.walk([&](llm::RopeOp op) {
    for (llm::RopeAttr rope : op.getRotations())
      if (context.ropeTables.insert({rope, total}).second)
        total += ropeTableStride(rope);
  });
  for (func::FuncOp function : *order)
    context.frames[function] = total;
  for (func::FuncOp function : *order) {
    const BufferPlan &plan = context.plans[function] =
        BufferPlan::of(function, returnedRoots(function));
    int64_t end = context.frames[function] + plan.frameBytes;
    total = std::max(total, end);
    function.walk([&](func::CallOp call) {
      int64_t &frame = context.frames[model.lookupSymbol<func::FuncOp>(call.getCallee())];
      frame = std::max(frame, end);
    });
  }
  // Callees first, so that a call finds its function.
  for (func::FuncOp function : llvm::reverse(*order))
    if (auto status = FunctionLowering(context, function).lower(); !status)
      return forward(status);

  OpBuilder builder(k.b.getContext());
  builder.setInsertionPointToEnd(lowered.module->getBody());
  LLVM::GlobalOp::create(builder, k.loc, k.i32, /*isConstant=*/true, LLVM::Linkage::External,
                         LLMIR_VERSION_SYMBOL, builder.getI32IntegerAttr(LLMIR_ABI_VERSION));
  return lowered;
}

} // namespace llmir::cpu
