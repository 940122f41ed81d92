// Elements of tensors as expressions, op by op.
#include "llmir/transforms/raise/Elements.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

namespace llmir::llm::raise {

using namespace mlir;

static SmallVector<Expr> indicesOf(Algebra &algebra, ArrayRef<AffineExpr> positions) {
  return llvm::map_to_vector(positions,
                             [&](AffineExpr position) { return algebra.index(position); });
}

SmallVector<AffineExpr> Elements::positions(Value tensor) {
  SmallVector<AffineExpr> result;
  for (auto [number, extent] : llvm::enumerate(cast<RankedTensorType>(tensor.getType()).getShape()))
    result.push_back(algebra.space.variable(Role::Position, static_cast<int64_t>(number), extent));
  return result;
}

Expr Elements::element(Value tensor) {
  if (Expr found = elements.lookup(tensor))
    return found;
  if (!isa<RankedTensorType>(tensor.getType()))
    return algebra.opaque(tensor.getDefiningOp());
  Expr computed = compute(tensor);
  elements[tensor] = computed ? computed : algebra.opaque(tensor.getDefiningOp());
  return elements[tensor];
}

std::optional<Flat> Elements::flatten(Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || type.getNumDynamicDims() != 1 || otherLengths.contains(tensor))
    return std::nullopt;
  Flat flat;
  flat.columns = 1;
  for (auto [position, extent] : llvm::zip(positions(tensor), type.getShape())) {
    if (ShapedType::isDynamic(extent)) {
      flat.position = position;
    } else if (extent != 1) {
      flat.places.push_back(position);
      flat.extents.push_back(extent);
      if (extent == 0 || llvm::MulOverflow(flat.columns, extent, flat.columns) ||
          flat.columns > INT32_MAX)
        return std::nullopt;
    }
  }
  flat.token = token();
  flat.column = column(flat.columns);
  // Through fresh variables, as the tensor's own may be the ones that are put in.
  Algebra::Substitution away, back;
  AffineExpr freshToken = algebra.space.freshVariable(ShapedType::kDynamic),
             freshColumn = algebra.space.freshVariable(flat.columns);
  away[flat.position] = freshToken;
  int64_t inner = flat.columns;
  for (auto [place, extent] : llvm::zip(flat.places, flat.extents)) {
    away[place] = freshColumn.floorDiv(inner / extent) % extent;
    if (inner == flat.columns)
      away[place] = freshColumn.floorDiv(inner / extent);
    inner /= extent;
  }
  back[freshToken] = flat.token;
  if (flat.columns > 1)
    back[freshColumn] = flat.column;
  flat.element = algebra.substitute(algebra.substitute(element(tensor), away), back);
  return flat;
}

bool Elements::areTokens(ValueRange extents) {
  return llvm::all_of(extents, [&](Value extent) {
    Scalars none;
    return scalar(extent, none) == algebra.index(algebra.space.tokens());
  });
}

Expr Elements::read(Value tensor, ArrayRef<Expr> indices, bool isSlice) {
  Expr whole = element(tensor);
  if (otherLengths.contains(tensor) && !isSlice)
    return algebra.opaque(tensor.getDefiningOp());
  // What is raised already is read as rows: expressions do not grow from layer to layer.
  if (!whole->is(Kind::Load))
    if (std::optional<Flat> flat = flatten(tensor))
      if (Value rows = known(flat->element)) {
        AffineExpr column = algebra.space.constant(0);
        for (auto [place, extent] : llvm::zip(flat->places, flat->extents))
          column = column * extent + place;
        whole = algebra.load(Base::Rows, rows.getAsOpaquePointer(),
                             {algebra.index(flat->position), algebra.index(column)});
        elements[tensor] = whole;
      }
  SmallVector<AffineExpr> own = positions(tensor);
  Algebra::Substitution values;
  bool areAffine = true;
  for (auto [position, index] : llvm::zip(own, indices)) {
    auto affine = algebra.asIndex(index);
    areAffine &= affine.has_value();
    if (affine && isa<AffineDimExpr>(position))
      values[position] = *affine;
  }
  if (areAffine)
    return algebra.substitute(whole, values);
  // Looked up with numbers from data: only in what is a table itself.
  if (!whole->is(Kind::Load))
    return algebra.opaque(tensor.getDefiningOp());
  SmallVector<Expr> args;
  for (Expr arg : whole->args) {
    auto *place =
        llvm::find_if(own, [&](AffineExpr position) { return arg == algebra.index(position); });
    if (place == own.end())
      return algebra.opaque(tensor.getDefiningOp());
    args.push_back(indices[place - own.begin()]);
  }
  return algebra.load(whole->base, whole->data, args);
}

Expr Elements::compute(Value tensor) {
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return nullptr;
  SmallVector<AffineExpr> own = positions(tensor);
  Scalars none;
  if (DenseElementsAttr constant; matchPattern(tensor, m_Constant(&constant)) &&
                                  constant.getElementType().isIntOrFloat() &&
                                  constant.getElementType().getIntOrFloatBitWidth() <= 64)
    return algebra.load(Base::Table, constant.getAsOpaquePointer(), indicesOf(algebra, own));
  return TypeSwitch<Operation *, Expr>(op)
      .Case<GetWeightOp>([&](GetWeightOp weight) {
        return algebra.load(Base::Weight, weight.getWeightAttr().getAttr().getAsOpaquePointer(),
                            indicesOf(algebra, own));
      })
      .Case<linalg::FillOp>([&](linalg::FillOp fill) { return scalar(fill.value(), none); })
      .Case<tensor::SplatOp>([&](tensor::SplatOp splat) { return scalar(splat.getInput(), none); })
      .Case<tensor::CastOp>(
          [&](tensor::CastOp cast) { return read(cast.getSource(), indicesOf(algebra, own)); })
      .Case<linalg::TransposeOp>([&](linalg::TransposeOp transpose) {
        SmallVector<Expr> from(own.size());
        for (auto [to, source] : llvm::enumerate(transpose.getPermutation()))
          from[source] = algebra.index(own[to]);
        return read(transpose.getInput(), from);
      })
      .Case<linalg::BroadcastOp>([&](linalg::BroadcastOp broadcast) {
        SmallVector<Expr> from;
        for (auto [number, position] : llvm::enumerate(own))
          if (!llvm::is_contained(broadcast.getDimensions(), static_cast<int64_t>(number)))
            from.push_back(algebra.index(position));
        return read(broadcast.getInput(), from);
      })
      .Case<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(
          [&](Operation *reshape) { return computeReshape(reshape); })
      .Case<tensor::ExtractSliceOp>(
          [&](tensor::ExtractSliceOp slice) { return computeSlice(slice); })
      .Case<tensor::ConcatOp>([&](tensor::ConcatOp concat) { return computeConcat(concat); })
      .Case<linalg::GenericOp>([&](Operation *generic) {
        return computeGeneric(generic, cast<OpResult>(tensor).getResultNumber());
      })
      .Default([](auto) { return nullptr; });
}

Expr Elements::computeGeneric(Operation *op, unsigned result) {
  auto generic = cast<linalg::GenericOp>(op);
  SmallVector<AffineMap> maps = generic.getIndexingMapsArray();
  AffineMap out = maps[generic.getNumDpsInputs() + result];
  if (!out.isProjectedPermutation() || generic.hasPureBufferSemantics())
    return nullptr;
  Value init = generic.getDpsInits()[result];
  if (auto fill = init.getDefiningOp<linalg::FillOp>())
    init = fill.output();
  if (auto empty = init.getDefiningOp<tensor::EmptyOp>();
      empty && !areTokens(empty.getDynamicSizes()))
    otherLengths.insert(op->getResult(result));
  SmallVector<AffineExpr> loops(generic.getNumLoops()), own = positions(op->getResult(result));
  for (auto [number, dim] : llvm::enumerate(out.getResults()))
    loops[cast<AffineDimExpr>(dim).getPosition()] = own[number];
  SmallVector<AffineExpr> reduced;
  SmallVector<int64_t> extents = generic.getStaticLoopRanges();
  for (auto [loop, extent] : llvm::zip(loops, extents))
    if (!loop)
      reduced.push_back(loop = algebra.space.freshVariable(extent));
  Block *body = generic.getBody();
  Scalars scalars;
  auto indicesAt = [&](AffineMap map) {
    return llvm::map_to_vector(map.getResults(),
                               [&](AffineExpr at) { return algebra.index(at.replaceDims(loops)); });
  };
  for (auto [number, input] : llvm::enumerate(generic.getDpsInputs())) {
    BlockArgument arg = body->getArgument(number);
    if (arg.use_empty())
      continue;
    for (AffineExpr at : maps[number].getResults())
      if (!at.isPureAffine())
        return nullptr;
    scalars[arg] = isa<RankedTensorType>(input.getType()) ? read(input, indicesAt(maps[number]))
                                                          : scalar(input, scalars);
  }
  for (linalg::IndexOp index : body->getOps<linalg::IndexOp>())
    scalars[index] = algebra.index(loops[index.getDim()]);
  Value yielded = body->getTerminator()->getOperand(result);
  BlockArgument accumulator = body->getArgument(generic.getNumDpsInputs() + result);
  if (generic.getNumReductionLoops() == 0) {
    if (!accumulator.use_empty())
      scalars[accumulator] = read(generic.getDpsInits()[result], indicesAt(out));
    return scalar(yielded, scalars);
  }
  // One op joins the accumulator with the rest, which is the sum's term.
  Operation *join = yielded.getDefiningOp();
  bool adds = isa_and_nonnull<arith::AddFOp, arith::AddIOp>(join),
       isAny = isa_and_nonnull<arith::OrIOp>(join) && yielded.getType().isInteger(1),
       takesLargest = isAny || isa_and_nonnull<arith::MaximumFOp, arith::MaxNumFOp>(join);
  if ((!adds && !takesLargest) || !accumulator.hasOneUse() ||
      !llvm::is_contained(join->getOperands(), accumulator))
    return nullptr;
  Expr sum = scalar(join->getOperand(join->getOperand(0) == accumulator ? 1 : 0), scalars);
  Expr first = read(generic.getDpsInits()[result], indicesAt(out));
  for (AffineExpr variable : llvm::reverse(reduced))
    sum = algebra.reduce(adds ? Kind::Sum : Kind::Largest, variable, sum);
  if (adds)
    return algebra.add({first, sum});
  return first->is(Kind::Number) && first->number <= (isAny ? 0 : -1e38)
             ? sum
             : algebra.apply(Kind::Max, {first, sum});
}

/// The piece that `place` is in: each with where it ends.
static Expr choose(Algebra &algebra, Expr place, ArrayRef<std::pair<int64_t, Expr>> pieces) {
  Expr result = pieces.back().second;
  for (auto [end, piece] : llvm::reverse(pieces.drop_back()))
    result =
        algebra.select(algebra.apply(Kind::Less, {place, algebra.number(static_cast<double>(end))}),
                       piece, result);
  return result;
}

/// A stack that is spelled as a concatenation of n sequences and its expansion to [n, tokens].
Expr Elements::computeStack(tensor::ExpandShapeOp op) {
  auto concat = op.getSrc().getDefiningOp<tensor::ConcatOp>();
  if (!concat || !concat.getResultType().isDynamicDim(concat.getDim()))
    return nullptr;
  ArrayRef<int64_t> shape = op.getResultType().getShape();
  const auto count = static_cast<int64_t>(concat.getInputs().size());
  SmallVector<AffineExpr> own = positions(op.getResult());
  SmallVector<Expr> from;
  Expr place = nullptr;
  for (auto [number, group] : llvm::enumerate(op.getReassociationIndices())) {
    SmallVector<int64_t> dims(
        llvm::make_filter_range(group, [&](int64_t dim) { return shape[dim] != 1; }));
    bool isStack = number == concat.getDim();
    if (dims.size() > (isStack ? 2u : 1u) ||
        (isStack && (dims.size() < 2 || shape[dims[0]] != count)))
      return nullptr;
    if (isStack)
      place = algebra.index(own[dims[0]]);
    from.push_back(dims.empty() ? algebra.number(0) : algebra.index(own[dims.back()]));
  }
  SmallVector<std::pair<int64_t, Expr>> pieces;
  for (Value input : concat.getInputs()) {
    if (!cast<RankedTensorType>(input.getType()).isDynamicDim(concat.getDim()))
      return nullptr;
    pieces.push_back({static_cast<int64_t>(pieces.size()) + 1, read(input, from)});
  }
  return choose(algebra, place, pieces);
}

Expr Elements::computeReshape(Operation *op) {
  auto collapse = dyn_cast<tensor::CollapseShapeOp>(op);
  if (!collapse)
    if (Expr stack = computeStack(cast<tensor::ExpandShapeOp>(op)))
      return stack;
  Value source = op->getOperand(0), wide = collapse ? source : op->getResult(0);
  SmallVector<ReassociationIndices> groups =
      collapse ? collapse.getReassociationIndices()
               : cast<tensor::ExpandShapeOp>(op).getReassociationIndices();
  ArrayRef<int64_t> shape = cast<RankedTensorType>(wide.getType()).getShape();
  SmallVector<AffineExpr> own = positions(op->getResult(0));
  SmallVector<Expr> from;
  for (auto [number, group] : llvm::enumerate(groups)) {
    // Of the dimensions that are joined only the outermost may be dynamic, those of extent 1 aside.
    SmallVector<int64_t> dims(
        llvm::make_filter_range(group, [&](int64_t dim) { return shape[dim] != 1; }));
    for (int64_t dim : ArrayRef(dims).drop_front(dims.empty() ? 0 : 1))
      if (ShapedType::isDynamic(shape[dim]))
        return nullptr;
    if (collapse) {
      SmallVector<AffineExpr> places(group.size(), algebra.space.constant(0));
      AffineExpr rest = own[number];
      for (int64_t dim : llvm::reverse(dims)) {
        bool isOuter = dim == dims.front();
        if (!isOuter && shape[dim] < 1)
          return nullptr;
        places[dim - group.front()] = isOuter ? rest : rest % shape[dim];
        if (!isOuter)
          rest = rest.floorDiv(shape[dim]);
      }
      from.append(indicesOf(algebra, places));
    } else {
      AffineExpr place = algebra.space.constant(0);
      for (int64_t dim : dims)
        place = (dim == dims.front() ? place : place * shape[dim]) + own[dim];
      from.push_back(algebra.index(place));
    }
  }
  return read(source, from);
}

Expr Elements::computeSlice(tensor::ExtractSliceOp op) {
  SmallVector<AffineExpr> own = positions(op.getResult());
  llvm::SmallBitVector dropped = op.getDroppedDims();
  Scalars none;
  SmallVector<Expr> from;
  unsigned next = 0;
  for (auto [number, offset, stride] :
       llvm::enumerate(op.getMixedOffsets(), op.getMixedStrides())) {
    auto step = getConstantIntValue(stride);
    Expr start = getConstantIntValue(offset)
                     ? algebra.number(static_cast<double>(*getConstantIntValue(offset)))
                     : scalar(cast<Value>(offset), none);
    if (!step)
      return nullptr;
    Expr place = dropped[number] ? algebra.number(0) : algebra.index(own[next++]);
    from.push_back(
        algebra.add({start, algebra.mul({place, algebra.number(static_cast<double>(*step))})}));
  }
  if (!areTokens(op.getSizes()))
    otherLengths.insert(op.getResult());
  return read(op.getSource(), from, /*isSlice=*/true);
}

Expr Elements::computeConcat(tensor::ConcatOp op) {
  SmallVector<Expr> at = indicesOf(algebra, positions(op.getResult()));
  auto dim = static_cast<int64_t>(op.getDim());
  int64_t start = 0;
  if (op.getInputs().size() > 1 && op.getResultType().isDynamicDim(op.getDim()))
    otherLengths.insert(op.getResult());
  SmallVector<std::pair<int64_t, Expr>> pieces; // where each ends
  Expr place = at[dim];
  for (Value input : op.getInputs()) {
    int64_t extent = cast<RankedTensorType>(input.getType()).getDimSize(dim);
    if (ShapedType::isDynamic(extent) && input != op.getInputs().back())
      return nullptr; // where the next piece starts is not known
    at[dim] = algebra.add({place, algebra.number(-static_cast<double>(start))});
    if (!ShapedType::isDynamic(extent))
      start += extent;
    pieces.push_back({start, read(input, at)});
  }
  return choose(algebra, place, pieces);
}

Expr Elements::scalar(Value value, Scalars &scalars) {
  if (Expr found = scalars.lookup(value))
    return found;
  Operation *op = value.getDefiningOp();
  if (!op)
    return algebra.opaque(nullptr);
  SmallVector<Expr> args;
  Expr result = nullptr;
  if (Attribute constant; matchPattern(value, m_Constant(&constant))) {
    if (auto number = dyn_cast<FloatAttr>(constant))
      result = algebra.number(number.getValueAsDouble());
    else if (auto integer = dyn_cast<IntegerAttr>(constant);
             integer && integer.getValue().getBitWidth() <= 64)
      result = algebra.number(value.getType().isInteger(1)
                                  ? static_cast<double>(integer.getValue().getBoolValue())
                                  : static_cast<double>(integer.getValue().getSExtValue()));
  } else if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    auto type = dyn_cast<RankedTensorType>(dim.getSource().getType());
    auto number = dim.getConstantIndex();
    if (type && number && *number < type.getRank() && !otherLengths.contains(dim.getSource()))
      result = type.isDynamicDim(*number)
                   ? algebra.index(algebra.space.tokens())
                   : algebra.number(static_cast<double>(type.getDimSize(*number)));
  } else if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    for (Value index : extract.getIndices())
      args.push_back(scalar(index, scalars));
    result = read(extract.getTensor(), args);
  } else {
    for (Value operand : op->getOperands())
      args.push_back(scalar(operand, scalars));
    result = scalarExpression(algebra, op, args);
  }
  return scalars[value] = result ? result : algebra.opaque(op);
}

} // namespace llmir::llm::raise
