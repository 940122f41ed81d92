// Ops that move elements: shapes, slices, concatenations.
#include "llmir/reference/GraphFrame.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace llmir::reference {

int64_t GraphFrame::index(OpFoldResult value) const {
  if (auto constant = getConstantIntValue(value))
    return *constant;
  return scalar(cast<mlir::Value>(value)).integer;
}

std::vector<int64_t> GraphFrame::indices(ArrayRef<OpFoldResult> range) const {
  std::vector<int64_t> all;
  for (OpFoldResult value : range)
    all.push_back(index(value));
  return all;
}

Status GraphFrame::set(mlir::Value value, DenseTensor tensor) {
  Type element = value.getType();
  if (auto type = dyn_cast<RankedTensorType>(element)) {
    element = type.getElementType();
    bool fits = type.getRank() == static_cast<int64_t>(tensor.shape.size());
    for (int64_t i = 0; fits && i < type.getRank(); ++i)
      fits = type.isDynamicDim(i) || type.getDimSize(i) == tensor.shape[i];
    if (!fits)
      return fail("a value has the shape [{}], its type does not allow that",
                  fmt::join(tensor.shape, ", "));
  }
  for (Scalar &number : tensor.values)
    number = roundTo(element, number);
  values[value] = std::make_shared<const DenseTensor>(std::move(tensor));
  return {};
}

int64_t offsetOf(ArrayRef<int64_t> shape, ArrayRef<int64_t> indices) {
  int64_t offset = 0;
  for (auto [size, index] : llvm::zip_equal(shape, indices)) {
    if (index < 0 || index >= size)
      return -1;
    offset = offset * size + index;
  }
  return offset;
}

namespace {

/// Advances indices in row-major order; false behind the last.
bool toNext(MutableArrayRef<int64_t> indices, ArrayRef<int64_t> shape) {
  for (size_t i = indices.size(); i-- > 0;) {
    if (++indices[i] < shape[i])
      return true;
    indices[i] = 0;
  }
  return false;
}

Status empty(tensor::EmptyOp op, GraphFrame &frame) {
  auto result = DenseTensor::make(frame.indices(op.getMixedSizes()));
  return result ? frame.set(op, std::move(*result)) : forward(result);
}

Status dim(tensor::DimOp op, GraphFrame &frame) {
  const auto &shape = frame.tensor(op.getSource()).shape;
  const int64_t index = frame.index(OpFoldResult(op.getIndex()));
  if (index < 0 || index >= static_cast<int64_t>(shape.size()))
    return fail("dimension {} of a tensor of {}", index, shape.size());
  return frame.set(op, {{}, {Scalar{0, shape[index]}}});
}

Status reshape(Operation *op, Value source, std::vector<int64_t> shape, GraphFrame &frame) {
  const DenseTensor &x = frame.tensor(source);
  auto elements = DenseTensor::count(shape);
  if (!elements)
    return forward(elements);
  if (*elements != static_cast<int64_t>(x.values.size()))
    return fail("[{}] is seen as [{}], which has other elements", fmt::join(x.shape, ", "),
                fmt::join(shape, ", "));
  return frame.set(op->getResult(0), {std::move(shape), x.values});
}

Status expand(tensor::ExpandShapeOp op, GraphFrame &frame) {
  std::vector<int64_t> shape = frame.indices(op.getMixedOutputShape());
  const DenseTensor &x = frame.tensor(op.getSrc());
  for (auto [i, group] : llvm::enumerate(op.getReassociationIndices())) {
    int64_t product = 1;
    for (int64_t j : group)
      if (llvm::MulOverflow(product, shape[j], product))
        return fail("a dimension of {} is cut into more", x.shape[i]);
    if (product != x.shape[i])
      return fail("a dimension of {} is cut into {}", x.shape[i], product);
  }
  return reshape(op, op.getSrc(), std::move(shape), frame);
}

Status collapse(tensor::CollapseShapeOp op, GraphFrame &frame) {
  const DenseTensor &x = frame.tensor(op.getSrc());
  std::vector<int64_t> shape;
  for (const auto &group : op.getReassociationIndices()) {
    int64_t product = 1;
    for (int64_t j : group)
      if (llvm::MulOverflow(product, x.shape[j], product))
        return fail("dimensions are joined into more than 2^63");
    shape.push_back(product);
  }
  return reshape(op, op.getSrc(), std::move(shape), frame);
}

Status extractSlice(tensor::ExtractSliceOp op, GraphFrame &frame) {
  const DenseTensor &x = frame.tensor(op.getSource());
  const auto offsets = frame.indices(op.getMixedOffsets()),
             sizes = frame.indices(op.getMixedSizes()),
             strides = frame.indices(op.getMixedStrides());
  for (size_t i = 0; i < sizes.size(); ++i) {
    const auto last =
        static_cast<__int128>(offsets[i]) + static_cast<__int128>(strides[i]) * (sizes[i] - 1);
    if (sizes[i] < 0 || (sizes[i] > 0 && (offsets[i] < 0 || offsets[i] >= x.shape[i] || last < 0 ||
                                          last >= x.shape[i])))
      return fail("the slice of {} from {} by {} leaves dimension {} of {}", sizes[i], offsets[i],
                  strides[i], i, x.shape[i]);
  }
  const auto dropped = op.getDroppedDims();
  std::vector<int64_t> shape;
  for (size_t i = 0; i < sizes.size(); ++i)
    if (!dropped.test(i))
      shape.push_back(sizes[i]);
  auto result = DenseTensor::make(std::move(shape));
  if (!result)
    return forward(result);
  std::vector<int64_t> at(sizes.size()), from(sizes.size());
  for (Scalar &value : result->values) {
    for (size_t i = 0; i < at.size(); ++i)
      from[i] = offsets[i] + at[i] * strides[i];
    value = x.values[offsetOf(x.shape, from)];
    toNext(at, sizes);
  }
  return frame.set(op, std::move(*result));
}

Status concat(tensor::ConcatOp op, GraphFrame &frame) {
  const auto dim = static_cast<size_t>(op.getDim());
  std::vector<int64_t> shape = frame.tensor(op.getInputs().front()).shape;
  shape[dim] = 0;
  for (Value input : op.getInputs()) {
    const auto &other = frame.tensor(input).shape;
    for (size_t i = 0; i < shape.size(); ++i)
      if (i != dim && other[i] != shape[i])
        return fail("[{}] is joined along dimension {} with one of {} in dimension {}",
                    fmt::join(other, ", "), dim, shape[i], i);
    shape[dim] += other[dim];
  }
  int64_t outer = 1;
  for (size_t i = 0; i < dim; ++i)
    outer *= shape[i];
  auto elements = DenseTensor::count(shape);
  if (!elements)
    return forward(elements);
  DenseTensor result{shape, {}};
  result.values.reserve(*elements);
  for (int64_t i = 0; *elements > 0 && i < outer; ++i)
    for (Value input : op.getInputs()) {
      const auto &values = frame.tensor(input).values;
      const auto run = static_cast<int64_t>(values.size()) / outer;
      result.values.insert(result.values.end(), values.begin() + i * run,
                           values.begin() + (i + 1) * run);
    }
  return frame.set(op, std::move(result));
}

Status extract(tensor::ExtractOp op, GraphFrame &frame) {
  const DenseTensor &x = frame.tensor(op.getTensor());
  std::vector<int64_t> indices;
  for (Value index : op.getIndices())
    indices.push_back(frame.scalar(index).integer);
  const int64_t offset = offsetOf(x.shape, indices);
  if (offset < 0)
    return fail("the element [{}] of a tensor [{}]", fmt::join(indices, ", "),
                fmt::join(x.shape, ", "));
  return frame.set(op, {{}, {x.values[offset]}});
}

Status castOp(tensor::CastOp op, GraphFrame &frame) {
  return frame.set(op, frame.tensor(op.getSource()));
}

} // namespace

Expected<bool> runTensorOp(Operation *op, GraphFrame &frame) {
  Status status;
  auto attempt = [&]<typename OpT>(Status (*run)(OpT, GraphFrame &)) {
    auto typed = dyn_cast<OpT>(op);
    if (typed)
      status = run(typed, frame);
    return static_cast<bool>(typed);
  };
  const bool isKnown = attempt(empty) || attempt(dim) || attempt(expand) || attempt(collapse) ||
                       attempt(extractSlice) || attempt(concat) || attempt(extract) ||
                       attempt(castOp);
  if (!status)
    return forward(status);
  return isKnown;
}

} // namespace llmir::reference
