// The roofline: operations for a byte against operations per second, both logarithmic. A phase is
// a dot; what lies between it and the roof above it is what the phase leaves unused.
#include "llmir/cli/ExplanationHtml.h"

#include "llmir/cli/Readable.h"
#include "llmir/support/CpuInfo.h"
#include <cmath>
#include <fmt/ranges.h>

namespace llmir {

namespace {

constexpr double plotWidth = 860, plotHeight = 420, marginLeft = 80, marginBottom = 40;

/// Text of files, safe within elements and attributes.
std::string escaped(std::string_view text) {
  std::string safe;
  for (char c : oneLine(text))
    switch (c) {
    case '&':
      safe += "&amp;";
      break;
    case '<':
      safe += "&lt;";
      break;
    case '>':
      safe += "&gt;";
      break;
    case '"':
      safe += "&quot;";
      break;
    default:
      safe += c;
    }
  return safe;
}

class Roofline {
public:
  explicit Roofline(const Explanation &explanation) : explanation(explanation) {
    const Roofs &roofs = explanation.roofs;
    const double peak =
        std::max({roofs.f32.perSecond, roofs.int8.perSecond, roofs.int16.perSecond});
    fit(intensity, peak / roofs.memoryPerSecond);
    fit(rate, peak);
    for (const PhaseExplanation &phase : explanation.phases)
      if (phase.cost.operations() > 0) {
        fit(intensity, phase.cost.operations() / phase.cost.bytes());
        fit(rate, rateOf(phase));
      }
    for (Axis *axis : {&intensity, &rate}) {
      axis->least = std::floor(axis->least - 0.2);
      axis->most = std::ceil(axis->most + 0.2);
    }
  }

  std::string svg() {
    add("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"Roofline of the phases\">\n",
        plotWidth, plotHeight);
    axes();
    Cost all;
    for (const PhaseExplanation &phase : explanation.phases)
      all += phase.cost;
    const Roofs &roofs = explanation.roofs;
    roof(roofs.int8, all.int8Operations);
    roof(roofs.int16, all.int16Operations);
    roof(roofs.f32, all.f32Operations);
    for (const PhaseExplanation &phase : explanation.phases)
      if (phase.cost.operations() > 0)
        dot(phase);
    add("</svg>\n");
    return std::move(text);
  }

private:
  struct Axis {
    double least = INFINITY, most = -INFINITY; // powers of ten
  };
  static void fit(Axis &axis, double value) {
    axis.least = std::min(axis.least, std::log10(value));
    axis.most = std::max(axis.most, std::log10(value));
  }
  static double rateOf(const PhaseExplanation &phase) {
    return phase.cost.operations() / std::max(1e-12, phase.measured);
  }

  double x(double value) const {
    return marginLeft + (std::log10(value) - intensity.least) / (intensity.most - intensity.least) *
                            (plotWidth - marginLeft - 20);
  }
  double y(double value) const {
    return plotHeight - marginBottom -
           (std::log10(value) - rate.least) / (rate.most - rate.least) *
               (plotHeight - marginBottom - 20);
  }

  template <typename... Args> void add(fmt::format_string<Args...> format, Args &&...args) {
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  }

  void axes() {
    const double bottom = std::pow(10, rate.least), top = std::pow(10, rate.most);
    const double left = std::pow(10, intensity.least), right = std::pow(10, intensity.most);
    for (int power = int(intensity.least); power <= int(intensity.most); ++power) {
      const double at = x(std::pow(10, power));
      add("<line class=\"grid\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/>"
          "<text x=\"{0:.1f}\" y=\"{3:.1f}\" text-anchor=\"middle\">{4:g}</text>\n",
          at, y(bottom), y(top), y(bottom) + 16, std::pow(10, power));
    }
    for (int power = int(rate.least); power <= int(rate.most); ++power) {
      const double at = y(std::pow(10, power));
      add("<line class=\"grid\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{2:.1f}\" y2=\"{1:.1f}\"/>"
          "<text x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
          x(left), at, x(right), x(left) - 6, at + 4, scaled(std::pow(10, power), "op/s"));
    }
    add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">operations per byte</text>\n",
        (x(left) + x(right)) / 2, plotHeight - 6);
  }

  /// The slope of memory up to a peak, and the peak; only roofs that something works under.
  void roof(const ArithmeticRoof &roof, double operations) {
    if (operations <= 0)
      return;
    const double memory = explanation.roofs.memoryPerSecond;
    const double left = std::max(std::pow(10, intensity.least), std::pow(10, rate.least) / memory);
    const double right = std::pow(10, intensity.most);
    add("<polyline class=\"roof\" points=\"{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}: {}</text>\n",
        x(left), y(left * memory), x(roof.perSecond / memory), y(roof.perSecond), x(right),
        y(roof.perSecond), x(right), y(roof.perSecond) - 5, escaped(roof.name),
        scaled(roof.perSecond, "op/s"));
  }

  void dot(const PhaseExplanation &phase) {
    const double share = phase.measured / explanation.stepSeconds;
    const double atX = x(phase.cost.operations() / phase.cost.bytes()), atY = y(rateOf(phase));
    add("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"><title>{}: {:.3f} ms, {:.1f} % of the "
        "step, {:.1f} % of its roof</title></circle>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        atX, atY, 3 + 12 * std::sqrt(std::min(1.0, share)), escaped(phase.name),
        1e3 * phase.measured, 100 * share, 100 * phase.predicted / std::max(1e-12, phase.measured),
        atX + 8, atY - 8, escaped(phase.name));
  }

  const Explanation &explanation;
  Axis intensity, rate;
  std::string text;
};

class Page {
public:
  explicit Page(const Explanation &explanation) : explanation(explanation) {}

  std::string text;

  void head(const std::string &model) {
    const ExplanationRequest &request = explanation.request;
    add("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<title>{0}: a step explained</title>\n<style>\n{1}</style>\n</head>\n<body>\n"
        "<h1>{0}</h1>\n<p>{2}; {3} threads of {4}; compiled for {5}, {6} activations. Memory reads "
        "{7}.</p>\n",
        escaped(model), style,
        request.prefill ? fmt::format("A step of {} prompt tokens", request.prefill)
                        : fmt::format("A step that decodes {} sequence{} behind {} tokens",
                                      request.batch, request.batch == 1 ? "" : "s", request.behind),
        explanation.shape.workers, escaped(cpuModelName()), escaped(explanation.manifest.cpu),
        escaped(explanation.manifest.activations),
        scaled(explanation.roofs.memoryPerSecond, "B/s"));
  }

  void table() {
    add("<table>\n<tr><th>phase</th><th>runs</th><th>bytes</th><th>operations</th><th>limit</th>"
        "<th>predicted ms</th><th>measured ms</th><th>of roof</th><th>of step</th></tr>\n");
    for (const PhaseExplanation &phase : explanation.phases)
      row(escaped(phase.name), fmt::format("{}", phase.count), phase.cost, phase.predicted,
          phase.measured);
    add("<tr><td>barriers</td><td>{}</td><td></td><td></td><td></td><td></td><td>{:.3f}</td>"
        "<td></td><td>{:.1f} %</td></tr>\n",
        explanation.barriers, 1e3 * explanation.waited(),
        100 * explanation.waited() / explanation.stepSeconds);
    Cost all;
    for (const PhaseExplanation &phase : explanation.phases)
      all += phase.cost;
    row("step", "", all, explanation.predicted(), explanation.stepSeconds);
    add("</table>\n");
  }

  void kernels() {
    for (const PhaseExplanation &phase : explanation.phases) {
      add("<h2>{}, {} run{}, shared by {}</h2>\n<ul>\n", escaped(phase.name), phase.count,
          phase.count == 1 ? "" : "s", escaped(phase.phase->partition));
      for (const KernelExplanation &kernel : phase.kernels)
        add("<li><b>{}</b> <code>{}</code><br>{}, {}: {}</li>\n", escaped(kernel.kernel->op),
            escaped(fmt::format("{}", fmt::join(kernel.names, " "))),
            scaled(kernel.cost.bytes(), "B"), scaled(kernel.cost.operations(), "op"),
            escaped(kernel.why));
      add("</ul>\n");
    }
    add("</body>\n</html>\n");
  }

private:
  static constexpr const char *style =
      "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}\n"
      "table{border-collapse:collapse}td,th{padding:.1em .7em;text-align:right}\n"
      "td:first-child,th:first-child{text-align:left}tr:nth-child(even){background:#f3f3f3}\n"
      "code{font-size:85%}svg{width:100%;font-size:12px}.grid{stroke:#ddd}\n"
      ".roof{fill:none;stroke:#555;stroke-width:1.5}circle{fill:#d9480f;fill-opacity:.7}\n";

  template <typename... Args> void add(fmt::format_string<Args...> format, Args &&...args) {
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  }

  void row(const std::string &name, const std::string &runs, const Cost &cost, double predicted,
           double measured) {
    add("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.3f}</td><td>{:.3f}</td>"
        "<td>{:.1f} %</td><td>{:.1f} %</td></tr>\n",
        name, runs, scaled(cost.bytes(), "B"), scaled(cost.operations(), "op"),
        cost.isMemoryBound(explanation.roofs) ? "memory" : "arithmetic", 1e3 * predicted,
        1e3 * measured, 100 * predicted / std::max(1e-12, measured),
        100 * measured / explanation.stepSeconds);
  }

  const Explanation &explanation;
};

} // namespace

std::string explanationHtml(const Explanation &explanation, const std::string &model) {
  Page page(explanation);
  page.head(model);
  page.text += Roofline(explanation).svg();
  page.table();
  page.kernels();
  return std::move(page.text);
}

} // namespace llmir
