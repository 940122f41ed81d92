// Mixtures of experts: every format, numbers of experts, scores; ties too, since the router's
// logits come from a table.
#include "Case.h"
#include "KernelModel.h"

#include <cmath>
#include <fmt/format.h>

namespace llmir::conformance {

namespace {

struct Shape {
  int64_t hidden, inner, experts, top;
  const char *options = "softmax";
  const char *flags = "";
};

test::TestModel makeMixture(Format format, const Shape &s) {
  KernelModel m(s.hidden + s.experts);
  std::string x = m.input(s.hidden), router = m.input(s.experts, 2);
  const float deviation = 1 / std::sqrt(static_cast<float>(s.hidden));
  auto gate = m.declare("gate", format, {s.experts, s.inner, s.hidden}, {}, 0, deviation);
  auto up = m.declare("up", format, {s.experts, s.inner, s.hidden}, {}, 0, deviation);
  auto down = m.declare("down", format, {s.experts, s.hidden, s.inner}, {}, 0,
                        1 / std::sqrt(static_cast<float>(s.inner)));
  std::string g = m.get(gate), u = m.get(up), d = m.get(down);
  std::string type = KernelModel::act(s.hidden);
  std::string y = m.emit(
      fmt::format("llm.moe silu {}, {}, {}, {} by {} {} top {} {{{}}} : ({}, {}, {}, {}, {}) -> {}",
                  x, g, u, d, s.options, router, s.top, s.flags, type, gate.type, up.type,
                  down.type, KernelModel::act(s.experts), type));
  return m.finish(m.rows(y, s.hidden), s.hidden);
}

void add(std::vector<Case> &cases, Format format, const std::string &activations, const Shape &s) {
  const bool isFloat = !formatInfo(format).scheme, isInt8 = activations == "int8";
  // What lies between the products is rounded to integers, the other way now and then.
  const double tolerance = isFloat ? 2e-5 : isInt8 ? 3e-2 : 3e-4;
  cases.push_back({fmt::format("experts/{}/{}/{}x{}/{}of{}/{}{}{}", formatInfo(format).name,
                               isFloat ? "f32" : activations, s.inner, s.hidden, s.top, s.experts,
                               s.options, *s.flags ? "+" : "", s.flags),
                   [=] { return makeMixture(format, s); }, rowSteps(), tolerance,
                   isFloat  ? Products::Float
                   : isInt8 ? Products::Int8
                            : Products::Int16,
                   activations});
}

} // namespace

void addExpertCases(std::vector<Case> &cases) {
  for (const FormatInfo &info : allFormats())
    if (info.scheme)
      for (const char *activations : {"int8", "int16"}) {
        const bool isSuper = info.blockElements == 256;
        add(cases, info.format, activations, {isSuper ? 256 : 96, isSuper ? 256 : 32, 5, 2});
      }
  for (Format format : {Format::F32, Format::F16, Format::BF16})
    for (const Shape &shape : {Shape{37, 50, 5, 2},
                               {64, 33, 8, 4, "sigmoid", "renormalise"},
                               {24, 40, 1, 1},
                               {16, 16, 64, 8, "softmax", "renormalise"},
                               {16, 24, 3, 3, "sigmoid", ""}})
      add(cases, format, "int8", shape);
}

} // namespace llmir::conformance
