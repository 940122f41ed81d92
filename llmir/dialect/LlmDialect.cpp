// Registers the llm dialect and defines its types, attributes and shared predicates.
#include "llmir/dialect/Llm.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace llmir;
using namespace llmir::llm;

#include "llmir/dialect/LlmDialect.cpp.inc"
#include "llmir/dialect/LlmEnums.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "llmir/dialect/LlmTypes.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "llmir/dialect/LlmAttrs.cpp.inc"

namespace {
/// Any op may stand where a call was: none knows the function that it is in.
struct LlmInliner : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final { return true; }
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const final { return true; }
};
} // namespace

void LlmDialect::initialize() {
  addInterfaces<LlmInliner>();
  addTypes<
#define GET_TYPEDEF_LIST
#include "llmir/dialect/LlmTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "llmir/dialect/LlmAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "llmir/dialect/LlmOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Predicates
//===----------------------------------------------------------------------===//

/// The element type of a tensor of `rank` dimensions with one entry of the first for each token;
/// null for any other type.
static Type elementPerToken(Type type, int64_t rank) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.getRank() != rank || !tensor.isDynamicDim(0) ||
      llvm::any_of(tensor.getShape().drop_front(), [](int64_t size) { return size <= 0; }))
    return {};
  return tensor.getElementType();
}

static bool isActivationFormat(Format format) {
  return format == Format::A8 || format == Format::A16;
}
static bool isFloat(Type element) { return element && element.isF32(); }
static bool isQuantizedActivation(Type element) {
  auto quant = dyn_cast_or_null<QuantType>(element);
  return quant && isActivationFormat(quant.getFormat());
}

bool llm::isActivations(Type type) { return isFloat(elementPerToken(type, 2)); }
bool llm::isQuantizedActivations(Type type) {
  return isQuantizedActivation(elementPerToken(type, 2));
}
bool llm::isExpertRows(Type type) { return isFloat(elementPerToken(type, 3)); }
bool llm::isQuantizedExpertRows(Type type) {
  return isQuantizedActivation(elementPerToken(type, 3));
}
bool llm::isExpertNumbers(Type type) {
  Type element = elementPerToken(type, 2);
  return element && element.isInteger(32);
}
bool llm::isRows(Type type) {
  return isActivations(type) || isQuantizedActivations(type) || isExpertRows(type) ||
         isQuantizedExpertRows(type);
}
int64_t llm::rowsPerToken(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return tensor.getRank() == 3 ? tensor.getDimSize(1) : 1;
}

bool llm::isWeight(Type type, int64_t rank) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.getRank() != rank || !tensor.hasStaticShape() ||
      tensor.getNumElements() == 0)
    return false;
  auto format = formatOf(tensor.getElementType());
  return format && !isActivationFormat(*format) &&
         tensor.getShape().back() % formatInfo(*format).blockElements == 0;
}

bool llm::isQuantized(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa<QuantType>(tensor.getElementType());
}

bool llm::isIntPerToken(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 1 && tensor.isDynamicDim(0) &&
         tensor.getElementType().isInteger(32);
}

std::optional<Format> llm::formatOf(Type elementType) {
  if (auto quant = dyn_cast<QuantType>(elementType))
    return quant.getFormat();
  if (elementType.isF32())
    return Format::F32;
  if (elementType.isF16())
    return Format::F16;
  if (elementType.isBF16())
    return Format::BF16;
  return std::nullopt;
}

Type llm::elementTypeOf(Format format, MLIRContext *context) {
  switch (format) {
  case Format::F32:
    return Float32Type::get(context);
  case Format::F16:
    return Float16Type::get(context);
  case Format::BF16:
    return BFloat16Type::get(context);
  default:
    return QuantType::get(context, format);
  }
}

//===----------------------------------------------------------------------===//
// Types and attributes
//===----------------------------------------------------------------------===//

Type QuantType::parse(AsmParser &parser) {
  StringRef name;
  SMLoc location;
  if (parser.parseLess() || parser.getCurrentLocation(&location) || parser.parseKeyword(&name) ||
      parser.parseGreater())
    return {};
  auto format = formatByName({name.data(), name.size()});
  if (!format)
    return parser.emitError(location, "unknown block format '") << name << "'", Type();
  return parser.getChecked<QuantType>(location, parser.getContext(), *format);
}

void QuantType::print(AsmPrinter &printer) const {
  auto name = formatInfo(getFormat()).name;
  printer << '<' << StringRef(name.data(), name.size()) << '>';
}

LogicalResult QuantType::verify(function_ref<InFlightDiagnostic()> emitError, Format format) {
  const FormatInfo &info = formatInfo(format);
  if (info.scheme || isActivationFormat(format))
    return success();
  return emitError() << "'" << StringRef(info.name.data(), info.name.size())
                     << "' is no block format that can be computed with";
}

Type BatchType::parse(AsmParser &parser) {
  StringRef name;
  SMLoc location;
  if (parser.parseLess() || parser.getCurrentLocation(&location) || parser.parseKeyword(&name) ||
      parser.parseGreater())
    return {};
  auto kind = symbolizeBatchKind(name);
  if (!kind)
    return parser.emitError(location, "expected decode, prefill or mixed"), Type();
  return BatchType::get(parser.getContext(), *kind);
}

void BatchType::print(AsmPrinter &printer) const {
  printer << '<' << stringifyBatchKind(getKind()) << '>';
}

LogicalResult KvType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t layers,
                             int64_t heads, int64_t kDim, int64_t vDim, int64_t block,
                             Type element) {
  if (layers < 1 || heads < 1 || kDim < 1 || vDim < 1)
    return emitError() << "layers, heads, k_dim and v_dim must be positive";
  if (block < 8 || block > 1024 || (block & (block - 1)))
    return emitError() << "block must be a power of two from 8 to 1024";
  if (!element.isF16() && !element.isF32())
    return emitError() << "element must be f16 or f32";
  return success();
}

LogicalResult RopeAttr::verify(function_ref<InFlightDiagnostic()> emitError, RopeStyle, int64_t dim,
                               FloatAttr thetaAttr, FloatAttr magnitudeAttr,
                               DenseF32ArrayAttr factors) {
  if (dim < 2 || dim % 2)
    return emitError() << "dim must be even and positive";
  double theta = thetaAttr.getValueAsDouble(), magnitude = magnitudeAttr.getValueAsDouble();
  if (!(theta > 0) || !std::isfinite(theta) || !(magnitude > 0) || !std::isfinite(magnitude))
    return emitError() << "theta and magnitude must be positive and finite";
  if (!factors.empty() && factors.size() != dim / 2)
    return emitError() << "factors must be empty or have dim / 2 entries";
  for (float factor : factors.asArrayRef())
    if (!(factor > 0) || !std::isfinite(factor))
      return emitError() << "factors must be positive and finite";
  return success();
}

//===----------------------------------------------------------------------===//
// Targets and serving
//===----------------------------------------------------------------------===//

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringAttr triple,
                                 CpuIsa isa, int64_t vectorBits, StringAttr cpu, StringAttr,
                                 StringAttr, ArrayAttr flags, int64_t l1d, int64_t l2, int64_t l3,
                                 int64_t cores, int64_t bandwidth) {
  if (triple.empty() || cpu.empty())
    return emitError() << "triple and cpu must not be empty";
  int64_t needed = isa == CpuIsa::Avx2 ? 256 : isa == CpuIsa::Avx512Vnni ? 512 : 128;
  if (vectorBits != needed)
    return emitError() << "vector_bits is " << vectorBits << ", the registers of "
                       << stringifyCpuIsa(isa) << " have " << needed;
  if (flags && !llvm::all_of(flags, llvm::IsaPred<StringAttr>))
    return emitError() << "flags must be strings";
  if (l1d < 0 || l2 < 0 || l3 < 0 || cores < 0 || bandwidth < 0)
    return emitError() << "l1d, l2, l3, cores and bandwidth must not be negative";
  return success();
}

LogicalResult BatchingAttr::verify(function_ref<InFlightDiagnostic()> emitError, BatchingMode,
                                   int64_t maxSequences, int64_t tokenBudget, bool,
                                   SchedulingPolicy, Preemption) {
  if (maxSequences < 1)
    return emitError() << "max_sequences is " << maxSequences << ", at least 1 is needed";
  if (tokenBudget < maxSequences)
    return emitError() << "token_budget is " << tokenBudget << ", a token for each of the "
                       << maxSequences << " sequences is needed";
  return success();
}

LogicalResult CachingAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t block,
                                  PrefixSharing sharing, Eviction eviction) {
  if (block < 8 || block > 1024 || (block & (block - 1)))
    return emitError() << "block must be a power of two from 8 to 1024";
  if ((sharing == PrefixSharing::None) != (eviction == Eviction::None))
    return emitError() << "sharing and eviction must both be none, or neither";
  return success();
}

LogicalResult SpeculationAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                      SpeculationMethod method, int64_t tokens,
                                      FlatSymbolRefAttr draft) {
  if (tokens < 0 || (method == SpeculationMethod::None) != (tokens == 0))
    return emitError() << "tokens is " << tokens << ", method "
                       << stringifySpeculationMethod(method) << " needs "
                       << (method == SpeculationMethod::None ? "0" : "at least 1");
  if ((method == SpeculationMethod::Draft) != static_cast<bool>(draft))
    return emitError() << "method " << stringifySpeculationMethod(method)
                       << (draft ? " takes no draft" : " needs a draft");
  return success();
}

LogicalResult ParallelAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t tensor,
                                   int64_t pipeline, int64_t data) {
  if (tensor < 1 || pipeline < 1 || data < 1)
    return emitError() << "tensor, pipeline and data must be positive";
  return success();
}
