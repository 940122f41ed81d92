// Ops that work row by row: lookups, norms, rotations, functions of elements.
#include "Case.h"
#include "KernelModel.h"

#include <fmt/format.h>

namespace llmir::conformance {

namespace {

constexpr double tolerance = 1e-5;
constexpr int64_t widths[] = {1, 7, 16, 37, 100, 256};

/// `op` gets the model, the inputs' names and their type; gives the op's text.
using Op = std::function<std::string(KernelModel &, const std::string &, const std::string &,
                                     const std::string &)>;

/// One case for each width: an op of one or two inputs.
void addRowOp(std::vector<Case> &cases, const std::string &name, const Op &op) {
  for (int64_t width : widths)
    cases.push_back({fmt::format("{}/{}", name, width),
                     [=] {
                       KernelModel m(width);
                       std::string x = m.input(width, 2), y = m.input(width, 2);
                       std::string result = m.emit(op(m, x, y, KernelModel::act(width)));
                       return m.finish(m.rows(result, width), width);
                     },
                     rowSteps(), tolerance});
}

void addElementwise(std::vector<Case> &cases) {
  for (const char *activation : {"silu", "gelu", "gelu_tanh", "relu"}) {
    addRowOp(cases, fmt::format("glu/{}", activation), [=](auto &, auto &x, auto &y, auto &type) {
      return fmt::format("llm.glu {} {}, {} : {}", activation, x, y, type);
    });
    addRowOp(cases, fmt::format("activate/{}", activation),
             [=](auto &, auto &x, auto &, auto &type) {
               return fmt::format("llm.activate {} {} : {}", activation, x, type);
             });
  }
  for (const char *op : {"addf", "mulf"})
    addRowOp(cases, op, [=](auto &, auto &x, auto &y, auto &type) {
      return fmt::format("arith.{} {}, {} : {}", op, x, y, type);
    });
  addRowOp(cases, "scale", [](auto &, auto &x, auto &, auto &type) {
    return fmt::format("llm.scale {} by 0.3 : {}", x, type);
  });
  addRowOp(cases, "softcap", [](auto &, auto &x, auto &, auto &type) {
    return fmt::format("llm.softcap {} at 1.5 : {}", x, type);
  });
}

void addNorms(std::vector<Case> &cases) {
  for (Format format : {Format::F32, Format::F16, Format::BF16}) {
    const std::string_view element = formatInfo(format).name;
    addRowOp(cases, fmt::format("rms_norm/{}", element), [=](auto &m, auto &x, auto &, auto &type) {
      auto w = m.declare("norm", format, {std::stoi(type.substr(9))}, {}, 1, 0.2f);
      std::string weight = m.get(w);
      return fmt::format("llm.rms_norm {}, {} {{eps = 1.0e-06 : f64}} : {}, {}", x, weight, type,
                         w.type);
    });
  }
  for (bool bias : {false, true})
    addRowOp(cases, bias ? "layer_norm/bias" : "layer_norm/plain",
             [=](auto &m, auto &x, auto &, auto &type) {
               const int64_t columns = std::stoi(type.substr(9));
               auto w = m.declare("norm", Format::F32, {columns}, {}, 1, 0.2f);
               auto b = m.declare("norm_bias", Format::F32, {columns}, {}, 0, 0.2f);
               std::string weight = m.get(w), added = bias ? " bias " + m.get(b) : "";
               return fmt::format("llm.layer_norm {}, {}{} {{eps = 1.0e-05 : f64}} : {}, {}{}", x,
                                  weight, added, type, w.type, bias ? ", " + b.type : "");
             });
  for (auto [groups, size] : {std::pair{3, 8}, {2, 20}, {5, 7}, {4, 64}})
    cases.push_back({fmt::format("rms_norm/groups/{}x{}", groups, size),
                     [=] {
                       KernelModel m(groups);
                       std::string x = m.input(groups * size);
                       auto w = m.declare("norm", Format::F32, {size}, {}, 1, 0.2f);
                       std::string weight = m.get(w), type = KernelModel::act(groups * size);
                       std::string y = m.emit(
                           fmt::format("llm.rms_norm {}, {} {{eps = 1.0e-06 : f64}} : {}, {}", x,
                                       weight, type, w.type));
                       return m.finish(m.rows(y, groups * size), groups * size);
                     },
                     rowSteps(), tolerance});
}

void addRopes(std::vector<Case> &cases) {
  for (const char *style : {"interleaved", "half"})
    for (auto [dim, headDim, heads] :
         {std::tuple{8, 8, 1}, {24, 24, 3}, {16, 40, 2}, {10, 20, 3}, {64, 64, 5}, {2, 8, 1}}) {
      auto make = [=] {
        KernelModel m(dim);
        const int64_t columns = heads * headDim;
        std::string x = m.input(columns), positions = m.positions();
        std::string y = m.emit(fmt::format(
            "llm.rope {}, {} {{head_dim = {} : i64, rope = #llm.rope<style = {}, dim = {}, theta = "
            "1.0e+04 : f64, magnitude = 1.25 : f64, factors = []>}} : {}, tensor<?xi32>",
            x, positions, headDim, style, dim, KernelModel::act(columns)));
        return m.finish(m.rows(y, columns), columns);
      };
      cases.push_back(
          {fmt::format("rope/{}/{}of{}x{}", style, dim, headDim, heads), make, longSteps(), 1e-4});
    }
}

void addLookups(std::vector<Case> &cases) {
  for (const FormatInfo &info : allFormats()) {
    const bool isFloat =
        info.format == Format::F32 || info.format == Format::F16 || info.format == Format::BF16;
    if (!isFloat && !info.scheme)
      continue;
    for (int64_t width : {info.blockElements * 3, info.scheme ? info.blockElements : 37})
      cases.push_back(
          {fmt::format("embed/{}/{}", info.name, width),
           [=, format = info.format] {
             KernelModel m(width);
             auto table = m.declare("table", format, {KernelModel::tokens, width}, {}, 0, 1);
             std::string ids = m.emit("llm.batch.tokens %batch : (!batch) -> tensor<?xi32>");
             std::string value = m.get(table);
             std::string x = m.emit(fmt::format("llm.embed {}, {} : (tensor<?xi32>, {}) -> {}", ids,
                                                value, table.type, KernelModel::act(width)));
             return m.finish(m.rows(x, width), width);
           },
           rowSteps(), 1e-6});
  }
}

} // namespace

void addRowCases(std::vector<Case> &cases) {
  addLookups(cases);
  addElementwise(cases);
  addNorms(cases);
  addRopes(cases);
}

} // namespace llmir::conformance
