// The step function and the layer functions: loads of pointers, calls of kernels on this worker's
// part, barriers. Every function gets (args, worker, workers) and, in the order of the llm
// function's signature, a pointer for each activation and an i64 for each index; then a pointer for
// the memory of each activation it returns.
#include "llmir/codegen/cpu/FunctionLowering.h"
#include "llmir/codegen/cpu/RowKernels.h"

using namespace mlir;
namespace llmir::cpu {

namespace {

/// Roots of what a function returns, the values that are written straight into the caller's memory.
llvm::DenseSet<Value> returnedRoots(func::FuncOp function) {
  llvm::DenseSet<Value> roots;
  for (Value operand : function.getBody().front().getTerminator()->getOperands())
    if (isBuffer(operand.getType()) && !isa<BlockArgument>(rootOf(operand)))
      roots.insert(rootOf(operand));
  return roots;
}

} // namespace

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
  description.name = source.getSymName().str();
  for (Operation &op : source.getBody().front())
    lowerTop(op);
}

void FunctionLowering::fillRopeTables() {
  if (context.ropeTables.empty())
    return;
  PhaseManifest phase{.partition = "tokens"};
  for (auto [rope, offset] : context.ropeTables) {
    func::FuncOp kernel = ropeTableKernel(k, rope, ropeTableStride(rope));
    call(kernel, {batchInts(offsetof(llmir_batch, positions)), arenaAt(offset), tokenRange.from,
                  tokenRange.to});
    phase.kernels.push_back(describeRopeTable(kernel.getName(), rope));
  }
  barrier();
  description.parts.push_back({.phase = std::move(phase)});
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
    description.parts.push_back({.phase = lowerPhase(fuse)});
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
  description.parts.push_back({.callee = context.numbers.lookup(callee), .layer = layerOf(callOp)});
}

/// The layer that a function is called with; -1: the caller's own, or none.
int64_t FunctionLowering::layerOf(func::CallOp callOp) {
  for (Value operand : callOp.getOperands())
    if (auto constant = operand.getDefiningOp<arith::ConstantOp>();
        constant && operand.getType().isIndex())
      return cast<IntegerAttr>(constant.getValue()).getInt();
  return -1;
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
  PhaseManifest phase{.partition = "tokens"};
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
    func::FuncOp kernel =
        elementwiseKernel(k, {ElementwiseOp::Scale, llm::Activation::Silu, 1, bytes, 0, bytes});
    call(kernel, {pointer(operand), null(), target, range.from, range.to, k.index(0),
                  k.index(columnsOf(operand))});
    phase.kernels.push_back(describeCopy(kernel.getName(), operand.getType()));
  }
  if (phase.kernels.empty())
    return;
  barrier();
  description.parts.push_back({.phase = std::move(phase)});
}

namespace {

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
  // A partial softmax for each token and KV head; when there are fewer tokens, for more splits.
  context.partialsOffset = total;
  int64_t partials = 0;
  model.walk([&](llm::AttentionOp op) {
    partials = std::max(partials, op.getKv().getType().getHeads() *
                                      attentionPartialBytes(k, attentionSpecOf(op)));
  });
  total += partials;
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
  for (func::FuncOp function : llvm::reverse(*order)) {
    FunctionLowering lowering(context, function);
    if (auto status = lowering.lower(); !status)
      return forward(status);
    context.numbers[function] = static_cast<int64_t>(lowered.functions.size());
    lowered.functions.push_back(lowering.takeDescription());
  }

  OpBuilder builder(k.b.getContext());
  builder.setInsertionPointToEnd(lowered.module->getBody());
  LLVM::GlobalOp::create(builder, k.loc, k.i32, /*isConstant=*/true, LLVM::Linkage::External,
                         LLMIR_VERSION_SYMBOL, builder.getI32IntegerAttr(LLMIR_ABI_VERSION));
  return lowered;
}

} // namespace llmir::cpu
