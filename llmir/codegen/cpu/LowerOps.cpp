// The kernels that ops become: each is called on this worker's rows or columns.
#include "llmir/codegen/cpu/ExpertKernels.h"
#include "llmir/codegen/cpu/FunctionLowering.h"
#include "llmir/codegen/cpu/LinearKernel.h"
#include "llmir/codegen/cpu/RowKernels.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
namespace llmir::cpu {

/// All but the strides.
AttentionSpec attentionSpecOf(llm::AttentionOp op) {
  AttentionSpec spec;
  spec.kv = op.getKv().getType();
  spec.queryHeads = op.getQueryHeads();
  spec.scale = op.getScale().convertToDouble();
  spec.hasWindow = op.hasWindow();
  if (op.getSoftcap())
    spec.softcap = op.getSoftcap()->convertToDouble();
  return spec;
}

void FunctionLowering::lowerOp(Operation &op, llm::Partition partition, int64_t columnUnit) {
  lowering = &op;
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
        Range range = rowRange(o.getResult()), groups = headsOf(o.getX(), spec.group);
        call(rmsNormKernel(k, spec),
             {pointer(o.getX()), weightPointer(o.getWeight()), pointer(o.getResult()), range.from,
              range.to, groups.from, groups.to});
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
        RopeSpec spec{static_cast<int64_t>(o.getHeadDim()),
                      rope.getDim(),
                      rope.getStyle(),
                      stride(o.getX()),
                      ropeTableStride(rope),
                      stride(o.getResult())};
        Range heads = headsOf(o.getX(), spec.headDim);
        call(ropeKernel(k, spec), {pointer(o.getX()), ropeTable(o), pointer(o.getResult()),
                                   tokenRange.from, tokenRange.to, heads.from, heads.to});
      })
      .Case([&](llm::LogitRowsOp o) {
        call(gatherRowsKernel(k, columnsOf(o.getX()), stride(o.getX()), stride(o.getResult())),
             {pointer(o.getX()), batchInts(offsetof(llmir_batch, logit_rows)),
              pointer(o.getResult()), logitRange.from, logitRange.to});
      })
      .Case([&](llm::KvAppendOp o) {
        Range heads = headsOf(o.getK(), o.getKv().getType().getKDim());
        call(kvAppendKernel(k, o.getKv().getType(), stride(o.getK()), stride(o.getV())),
             {pointer(o.getK()), pointer(o.getV()), batchInts(offsetof(llmir_batch, slot_mapping)),
              kvPointer(o.getLayer(), offsetof(llmir_kv_layer, k)),
              kvPointer(o.getLayer(), offsetof(llmir_kv_layer, v)), tokenRange.from, tokenRange.to,
              heads.from, heads.to});
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
  LinearSpec spec{layout, *llm::formatOf(op.getX().getType().getElementType()), stride(op.getX())};
  Range panels = panelShare(layout, columnUnit);
  call(linearKernel(k, spec),
       {weight, k.index(layout.n), pointer(op.getX()), pointer(op.getResult()),
        k.index(stride(op.getResult())), weightPointer(op.getBias()), rowCount(op.getResult()),
        panels.from, panels.to});
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
  LinearSpec spec{layout, *llm::formatOf(op.getX().getType().getElementType()), stride(op.getX())};
  spec.rowsPerX = op.getX().getType().getRank() == 3 ? 1 : columnsOf(op.getExperts());
  Range panels = panelShare(layout, columnUnit);
  call(expertLinearKernel(k, spec),
       {weight, k.index(layout.n), pointer(op.getX()), pointer(op.getResult()),
        k.index(stride(op.getResult())), pointer(op.getExperts()), pointer(op.getOrder()),
        rowCount(op.getResult()), panels.from, panels.to});
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

AttentionSpec FunctionLowering::attentionSpec(llm::AttentionOp op) {
  AttentionSpec spec = attentionSpecOf(op);
  spec.qStride = stride(op.getQ());
  spec.resultStride = stride(op.getResult());
  return spec;
}

/// The operands that all kernels of attention begin with.
Values FunctionLowering::attentionInputs(llm::AttentionOp op) {
  return {pointer(op.getQ()),
          kvPointer(op.getLayer(), offsetof(llmir_kv_layer, k)),
          kvPointer(op.getLayer(), offsetof(llmir_kv_layer, v)),
          batchInts(offsetof(llmir_batch, token_sequence)),
          batchInts(offsetof(llmir_batch, positions)),
          batchInts(offsetof(llmir_batch, block_table)),
          batchCount(offsetof(llmir_batch, block_table_stride)),
          windowOf(op),
          pointer(op.getResult())};
}

void FunctionLowering::lowerAttention(llm::AttentionOp op) {
  AttentionSpec spec = attentionSpec(op);
  Values operands = attentionInputs(op);
  operands.append({worker, k.mul(tokens, k.index(spec.kv.getHeads())), workers});
  call(attentionKernel(k, spec), operands);
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

} // namespace llmir::cpu
