// Arguments by name and kind.
#include "llmir/frontend/torch/Call.h"

#include "llmir/support/Shown.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <algorithm>
#include <array>

using namespace mlir;
namespace llmir::frontend::torch {

using torch_export::IntArgument;
using torch_export::TensorName;

Type elementType(MLIRContext &context, ScalarType type) {
  Builder builder(&context);
  switch (type) {
  case ScalarType::Char:
    return builder.getI8Type();
  case ScalarType::Short:
    return builder.getI16Type();
  case ScalarType::Int:
    return builder.getI32Type();
  case ScalarType::Long:
    return builder.getI64Type();
  case ScalarType::Half:
    return builder.getF16Type();
  case ScalarType::Float:
    return builder.getF32Type();
  case ScalarType::Double:
    return builder.getF64Type();
  case ScalarType::Bool:
    return builder.getI1Type();
  case ScalarType::BFloat16:
    return builder.getBF16Type();
  case ScalarType::Byte:
    break;
  }
  refuse("tensors of {} are not supported", nameOf(type));
}

const ArgumentValue *Call::find(const char *name) const {
  for (const torch_export::Argument &argument : node.inputs)
    if (argument.name == name)
      return std::holds_alternative<std::monostate>(argument.value) ? nullptr : &argument.value;
  return nullptr;
}

const ArgumentValue &Call::get(const char *name) const {
  if (const ArgumentValue *value = find(name))
    return *value;
  refuse("the argument {} is missing", name);
}

bool Call::has(const char *name) const { return find(name); }

const Tensor &Call::lookup(const std::string &name) const {
  auto found = scope.find(name);
  if (found == scope.end())
    refuse("the tensor {} is used before it is made", shown(name));
  return found->second;
}

template <typename T>
static const T &as(const ArgumentValue &value, const char *name, const char *expected) {
  if (const T *typed = std::get_if<T>(&value))
    return *typed;
  refuse("the argument {} is no {}", name, expected);
}

Tensor Call::tensor(const char *name) const {
  return lookup(as<TensorName>(get(name), name, "tensor").name);
}

std::optional<Tensor> Call::optionalTensor(const char *name) const {
  return has(name) ? std::optional(tensor(name)) : std::nullopt;
}

std::vector<std::optional<Tensor>> Call::optionalTensors(const char *name) const {
  std::vector<std::optional<Tensor>> result;
  for (const TensorName &item : as<std::vector<TensorName>>(get(name), name, "list of tensors"))
    result.push_back(item.name.empty() ? std::nullopt : std::optional(lookup(item.name)));
  return result;
}

std::vector<Tensor> Call::tensors(const char *name) const {
  std::vector<Tensor> result;
  for (const TensorName &item : as<std::vector<TensorName>>(get(name), name, "list of tensors"))
    result.push_back(lookup(item.name));
  if (result.empty())
    refuse("the argument {} is an empty list", name);
  return result;
}

SizeExpression Call::resolve(const IntArgument &argument) const {
  if (const auto *number = std::get_if<int64_t>(&argument))
    return SizeExpression::integer(*number);
  const auto &name = std::get<std::string>(argument);
  auto found = graph.symbolicInts.find(name);
  if (found == graph.symbolicInts.end())
    refuse("the integer {} is not known", shown(name));
  if (const auto *number = std::get_if<int64_t>(&found->second))
    return SizeExpression::integer(*number);
  auto parsed = torch_export::parseSizeExpression(std::get<std::string>(found->second));
  if (!parsed)
    refuse("{}", parsed.error().message);
  return *parsed;
}

Operand Call::operand(const char *name) const {
  const ArgumentValue &value = get(name);
  if (const auto *tensor = std::get_if<TensorName>(&value))
    return {lookup(tensor->name)};
  if (const auto *integer = std::get_if<IntArgument>(&value)) {
    const SizeExpression size = resolve(*integer);
    return size.isInteger() ? Operand{{}, size.value} : Operand{{}, size};
  }
  if (const auto *number = std::get_if<double>(&value))
    return {{}, *number};
  return {{}, as<bool>(value, name, "tensor or number")};
}

SizeExpression Call::size(const char *name, std::optional<int64_t> absent) const {
  if (absent && !has(name))
    return SizeExpression::integer(*absent);
  return resolve(as<IntArgument>(get(name), name, "integer"));
}

Sizes Call::sizes(const char *name) const {
  Sizes result;
  for (const IntArgument &item : as<std::vector<IntArgument>>(get(name), name, "list of integers"))
    result.push_back(resolve(item));
  return result;
}

int64_t Call::integer(const char *name, std::optional<int64_t> absent) const {
  const SizeExpression value = size(name, absent);
  if (!value.isInteger())
    refuse("the argument {} is {}, it must be a number", name, value.text());
  return value.value;
}

std::vector<int64_t> Call::integers(const char *name) const {
  std::vector<int64_t> result;
  const ArgumentValue &value = get(name);
  if (const auto *one = std::get_if<IntArgument>(&value); one && resolve(*one).isInteger())
    return {resolve(*one).value};
  // An empty list of anything is written as one of tensors.
  if (const auto *none = std::get_if<std::vector<TensorName>>(&value); none && none->empty())
    return {};
  for (const SizeExpression &item : sizes(name)) {
    if (!item.isInteger())
      refuse("the argument {} has {}, it must be a number", name, item.text());
    result.push_back(item.value);
  }
  return result;
}

double Call::number(const char *name, std::optional<double> absent) const {
  if (absent && !has(name))
    return *absent;
  const Operand value = operand(name);
  if (const auto *integer = std::get_if<int64_t>(&value.number); integer && !value.tensor)
    return static_cast<double>(*integer);
  if (const auto *real = std::get_if<double>(&value.number); real && !value.tensor)
    return *real;
  refuse("the argument {} is no number", name);
}

bool Call::flag(const char *name, bool absent) const {
  return has(name) ? as<bool>(get(name), name, "bool") : absent;
}

std::string Call::text(const char *name, std::optional<std::string> absent) const {
  if (absent && !has(name))
    return *absent;
  return as<std::string>(get(name), name, "string");
}

int64_t Call::dimension(const char *name, int64_t rank, std::optional<int64_t> absent) const {
  const int64_t dim = integer(name, absent);
  if (dim < -rank || dim >= rank)
    refuse("the argument {} is {}, of a tensor of {} dimensions", name, dim, rank);
  return dim < 0 ? dim + rank : dim;
}

SmallVector<int64_t> Call::dimensions(const char *name, int64_t rank) const {
  SmallVector<int64_t> result;
  for (int64_t dim : has(name) ? integers(name) : std::vector<int64_t>()) {
    if (dim < -rank || dim >= rank)
      refuse("the argument {} is {}, of a tensor of {} dimensions", name, dim, rank);
    result.push_back(dim < 0 ? dim + rank : dim);
  }
  llvm::sort(result);
  result.erase(llvm::unique(result), result.end());
  return result.empty() ? llvm::to_vector(llvm::seq<int64_t>(0, rank)) : result;
}

/// The names of a node's results: each one a tensor, or one list of them.
static std::vector<const std::string *> resultNames(const torch_export::Node &node) {
  std::vector<const std::string *> names;
  for (const ArgumentValue &output : node.outputs) {
    if (const auto *tensor = std::get_if<TensorName>(&output))
      names.push_back(&tensor->name);
    if (const auto *list = std::get_if<std::vector<TensorName>>(&output))
      for (const TensorName &item : *list)
        names.push_back(&item.name);
  }
  return names;
}

size_t Call::resultCount() const { return resultNames(node).size(); }

const std::string &Call::resultName(size_t index) const {
  const auto names = resultNames(node);
  if (index >= names.size())
    refuse("has {} results, at least {} are expected", names.size(), index + 1);
  return *names[index];
}

const TensorMeta &Call::resultMeta(size_t index) const {
  auto found = graph.tensors.find(resultName(index));
  if (found == graph.tensors.end())
    refuse("the graph does not say what {} is", shown(resultName(index)));
  return found->second;
}

Type Call::resultElement(size_t index) const {
  return elementType(*g.builder.getContext(), resultMeta(index).type);
}

void Call::give(const Tensor &tensor, size_t index) {
  const TensorMeta &meta = resultMeta(index);
  const auto expected = g.typeOf(meta.sizes, resultElement(index));
  const auto type = cast<RankedTensorType>(tensor.value.getType());
  if (failed(verifyCompatibleShape(type, expected)) ||
      type.getElementType() != expected.getElementType()) {
    std::string made;
    llvm::raw_string_ostream(made) << type;
    refuse("the graph says that the result {} is {} {}, it is {}", shown(resultName(index)),
           nameOf(meta.type), shownSizes(meta.sizes), made);
  }
  Tensor result{tensor.value, meta.sizes};
  if (type != expected) {
    result.value = tensor::CastOp::create(g.builder, g.loc, expected, tensor.value);
    if (g.isNonNegative(tensor))
      g.setNonNegative(result);
  }
  scope.insert_or_assign(resultName(index), result);
}

Type computeType(Type element) {
  return isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32
             ? Type(Float32Type::get(element.getContext()))
             : element;
}

Value operandValue(const Scalars &s, const Operand &operand, ValueRange arguments, size_t &next,
                   Type type, Value sizeValue) {
  if (operand.tensor)
    return s.convert(arguments[next++], type);
  if (const auto *integer = std::get_if<int64_t>(&operand.number))
    return s.integer(type, *integer);
  if (const auto *real = std::get_if<double>(&operand.number))
    return s.number(type, *real);
  if (const auto *flag = std::get_if<bool>(&operand.number))
    return s.integer(type, *flag);
  return s.convert(sizeValue, type);
}

static const std::vector<AtenOp> &allOps() {
  static const std::vector<AtenOp> ops = [] {
    std::vector<AtenOp> all;
    for (auto group :
         {elementwiseOps(), unaryOps(), creationOps(), reductionOps(), viewOps(), sliceOps(),
          indexOps(), contractionOps(), normalizationOps(), attentionOps()})
      all.insert(all.end(), group.begin(), group.end());
    std::ranges::sort(all, {}, &AtenOp::name);
    return all;
  }();
  return ops;
}

const AtenOp *findAtenOp(std::string_view name) {
  auto found = std::ranges::lower_bound(allOps(), name, {}, &AtenOp::name);
  return found != allOps().end() && found->name == name ? &*found : nullptr;
}

} // namespace llmir::frontend::torch
