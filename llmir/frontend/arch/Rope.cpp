// Folds linear, Llama 3 and YaRN scaling into the factors and the magnitude of #llm.rope.
#include "llmir/frontend/arch/Rope.h"

#include "mlir/IR/Builders.h"
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace llmir::frontend {
namespace {

struct YarnSettings {
  double factor, extrapolation, betaFast, betaSlow;
  int64_t originalContext;
};

/// The pair of components whose wave turns `turns` times within the trained context.
double pairOfTurns(double turns, int64_t dim, double base, int64_t context) {
  return double(dim) * std::log(double(context) / (turns * 2 * std::numbers::pi)) /
         (2 * std::log(base));
}

/// Fast pairs keep their angle, slow ones are interpolated, those between are mixed.
void applyYarn(std::vector<double> &factors, int64_t dim, double base, const YarnSettings &yarn) {
  double low = std::floor(pairOfTurns(yarn.betaFast, dim, base, yarn.originalContext));
  double high = std::ceil(pairOfTurns(yarn.betaSlow, dim, base, yarn.originalContext));
  low = std::max(0.0, low);
  high = std::min(double(dim - 1), high);
  for (size_t i = 0; i < factors.size(); ++i) {
    double ramp = std::clamp((double(i) - low) / std::max(0.001, high - low), 0.0, 1.0);
    double kept = (1 - ramp) * yarn.extrapolation;
    factors[i] /= (1 - kept) / yarn.factor + kept;
  }
}

double yarnMagnitude(double factor, double multiplier) {
  return factor <= 1 ? 1 : 0.1 * multiplier * std::log(factor) + 1;
}

} // namespace

Expected<llm::RopeAttr> readRope(const GgufFile &file, const std::string &prefix, int64_t headDim,
                                 int64_t trainedContext, llm::RopeStyle style,
                                 mlir::MLIRContext &context) {
  const std::string rope = prefix + ".rope.", scaling = rope + "scaling.";
  auto storedDim = file.findU64(rope + "dimension_count");
  if (!storedDim)
    return forward(storedDim);
  uint64_t dim = storedDim->value_or(uint64_t(headDim));
  if (dim < 2 || dim % 2 || dim > uint64_t(headDim))
    return fail(
        "{}: {}dimension_count is {}, it must be even, at least 2 and at most the head size "
        "{}: convert the model again",
        file.path(), rope, dim, headDim);

  std::optional<Error> error;
  auto number = [&](const std::string &key, double absent, bool positive) -> double {
    auto value = file.findF32(key);
    if (!value) {
      error = value.error();
      return absent;
    }
    double result = value->has_value() ? double(**value) : absent;
    if (!std::isfinite(result) || (positive && !(result > 0)))
      error = Error{fmt::format("{}: {} is {}, it must be {}finite: convert the model again",
                                file.path(), key, result, positive ? "positive and " : "")};
    return result;
  };
  double base = number(rope + "freq_base", 10000, true);
  if (!error && base <= 1)
    return fail("{}: {}freq_base is {}, it must be more than 1: convert the model again",
                file.path(), rope, base);
  // A stored factor of 0 means none.
  double factor = number(scaling + "factor", number(rope + "scale_linear", 0, false), false);
  double magnitude = number(scaling + "attn_factor", 1, true);
  auto kind = file.findString(scaling + "type");
  if (!kind)
    return forward(kind);
  if (error)
    return tl::unexpected<Error>(*error);
  if (factor < 0)
    return fail("{}: {}factor is {}, it must be positive: convert the model again", file.path(),
                scaling, factor);
  if (factor == 0)
    factor = 1;

  std::vector<double> factors(dim / 2, 1.0);
  if (const GgufTensor *stored = file.findTensor("rope_freqs.weight")) {
    if (stored->format != Format::F32 || stored->shape != std::vector<int64_t>{int64_t(dim / 2)})
      return fail("{}: rope_freqs.weight must be {} numbers of type F32, half of {}dimension_count",
                  file.path(), dim / 2, rope);
    std::vector<float> values(dim / 2);
    dequantize(Format::F32, stored->bytes.data(), values.data(), int64_t(values.size()));
    for (size_t i = 0; i < values.size(); ++i) {
      if (!(values[i] > 0) || !std::isfinite(values[i]))
        return fail("{}: rope_freqs.weight[{}] is {}, it must be positive and finite", file.path(),
                    i, values[i]);
      factors[i] = values[i];
    }
  }
  std::string_view type = kind->value_or("linear");
  if (type == "linear") {
    for (double &value : factors)
      value *= factor;
  } else if (type == "yarn") {
    auto original = file.findU64(scaling + "original_context_length");
    if (!original)
      return forward(original);
    uint64_t originalContext = original->value_or(uint64_t(trainedContext));
    if (originalContext == 0 || originalContext > (uint64_t(1) << 31))
      return fail("{}: {}original_context_length is {}, 1 to 2^31 are allowed", file.path(),
                  scaling, originalContext);
    YarnSettings yarn{factor, number(scaling + "yarn_ext_factor", 1, false),
                      number(scaling + "yarn_beta_fast", 32, true),
                      number(scaling + "yarn_beta_slow", 1, true), int64_t(originalContext)};
    double multiplier = number(scaling + "yarn_log_multiplier", 0, false);
    if (error)
      return tl::unexpected<Error>(*error);
    applyYarn(factors, int64_t(dim), base, yarn);
    magnitude *= yarnMagnitude(factor, 1);
    if (multiplier != 0)
      magnitude /= yarnMagnitude(factor, multiplier);
  } else if (type != "none") {
    return fail("{}: {}type is \"{}\", which is not supported yet; known: none, linear, yarn",
                file.path(), scaling, type);
  }

  mlir::Builder builder(&context);
  std::vector<float> rounded(factors.begin(), factors.end());
  for (float value : rounded)
    if (!(value > 0) || !std::isfinite(value))
      return fail("{}: {}factor {} gives a rotation of {}, which is no positive number",
                  file.path(), scaling, factor, value);
  if (!(magnitude > 0) || !std::isfinite(magnitude))
    return fail("{}: {}* gives a magnitude of {}, which is no positive number", file.path(),
                scaling, magnitude);
  if (std::ranges::all_of(rounded, [](float value) { return value == 1; }))
    rounded.clear();
  return llm::RopeAttr::get(&context, style, int64_t(dim), builder.getF64FloatAttr(base),
                            builder.getF64FloatAttr(magnitude),
                            builder.getDenseF32ArrayAttr(rounded));
}

Expected<llm::RopeAttr> readSlidingRope(const GgufFile &file, const std::string &prefix,
                                        llm::RopeAttr rope, std::optional<double> absentBase) {
  const std::string key = prefix + ".rope.freq_base_swa";
  auto stored = file.findF32(key);
  if (!stored)
    return forward(stored);
  if (!*stored && !absentBase)
    return rope;
  double base = *stored ? double(**stored) : *absentBase;
  if (!(base > 1) || !std::isfinite(base))
    return fail("{}: {} is {}, it must be more than 1 and finite: convert the model again",
                file.path(), key, base);
  mlir::Builder builder(rope.getContext());
  return llm::RopeAttr::get(rope.getContext(), rope.getStyle(), rope.getDim(),
                            builder.getF64FloatAttr(base), builder.getF64FloatAttr(1),
                            builder.getDenseF32ArrayAttr({}));
}

} // namespace llmir::frontend
