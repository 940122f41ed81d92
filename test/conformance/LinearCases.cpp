// Products with weights: every format, every kind of activations, shapes that fill no panel.
#include "Case.h"
#include "KernelModel.h"

#include <fmt/format.h>

namespace llmir::conformance {

namespace {

struct Shape {
  int64_t n, k;
  bool bias;
};

void add(std::vector<Case> &cases, Format format, const std::string &activations, Shape shape) {
  const FormatInfo &info = formatInfo(format);
  const std::string kind = info.scheme ? activations : "f32";
  auto make = [=] {
    KernelModel m(shape.n * 1000 + shape.k);
    std::string x = m.rows(m.input(shape.k), shape.k);
    return m.finish(m.linear(x, shape.k, shape.n, format, shape.bias), shape.n);
  };
  cases.push_back({fmt::format("linear/{}/{}/{}x{}{}", info.name, kind, shape.n, shape.k,
                               shape.bias ? "+bias" : ""),
                   make, rowSteps(), 1e-5,
                   kind == "f32"    ? Products::Float
                   : kind == "int8" ? Products::Int8
                                    : Products::Int16,
                   activations});
}

} // namespace

void addLinearCases(std::vector<Case> &cases) {
  for (const FormatInfo &info : allFormats()) {
    const bool isFloat =
        info.format == Format::F32 || info.format == Format::F16 || info.format == Format::BF16;
    if (!isFloat && !info.scheme)
      continue;
    std::vector<Shape> shapes = {{1, 33, false}, {37, 100, true}, {64, 96, false}, {101, 7, true}};
    if (info.scheme && info.blockElements == 32)
      shapes = {{1, 32, false}, {37, 96, true}, {64, 256, false}, {101, 160, true}};
    else if (info.scheme)
      shapes = {{1, 256, false}, {37, 256, true}, {64, 512, false}, {101, 768, true}};
    for (const char *activations : {"int8", "int16"})
      if (info.scheme || std::string(activations) == "int8")
        for (const Shape &shape : shapes)
          add(cases, info.format, activations, shape);
  }
}

} // namespace llmir::conformance
