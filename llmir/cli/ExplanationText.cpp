// The table first, since it says where the time goes; then the reasons.
#include "llmir/cli/ExplanationText.h"

#include "llmir/cli/Options.h"
#include "llmir/cli/Readable.h"
#include "llmir/support/CpuInfo.h"
#include "llmir/support/CpuUsage.h"
#include <fmt/ranges.h>

namespace llmir {

namespace {

std::string sequencesText(int64_t count) {
  return count == 1 ? "1 sequence" : fmt::format("{} sequences", count);
}

class Page {
public:
  Page(const Explanation &explanation, Style style) : explanation(explanation), style(style) {}

  std::string text;

  void head() {
    const Manifest &manifest = explanation.manifest;
    const ExplanationRequest &request = explanation.request;
    add("{}, {} threads, compiled for {}, {}{} activations, {} repetitions\n", cpuModelName(),
        explanation.shape.workers, manifest.cpu, quantizeText(manifest), manifest.activations,
        request.repetitions);
    if (request.prefill)
      add("step: {} prompt tokens of one sequence, logits of the last\n", request.prefill);
    else
      add("step: decode of {} behind {} tokens\n", sequencesText(request.batch), request.behind);
  }

  void roofs() {
    const Roofs &roofs = explanation.roofs;
    add("\n{}\n", style.bold("Roofs, measured now on these threads"));
    add("  memory      {:>12}   reading a buffer of {}\n", scaled(roofs.memoryPerSecond, "B/s"),
        scaled(double(roofs.bufferBytes), "B"));
    Cost all;
    for (const PhaseExplanation &phase : explanation.phases)
      all += phase.cost;
    auto arithmetic = [&](const ArithmeticRoof &roof, double operations) {
      if (operations > 0)
        add("  arithmetic  {:>12}   {}\n", scaled(roof.perSecond, "op/s"), roof.name);
    };
    arithmetic(roofs.int8, all.int8Operations);
    arithmetic(roofs.int16, all.int16Operations);
    arithmetic(roofs.f32, all.f32Operations);
    if (explanation.manifest.weightBytes < cacheBytes(3))
      add("  the weights, {}, fit into the last-level cache, {}: they may be read faster than the "
          "memory's roof\n",
          scaled(double(explanation.manifest.weightBytes), "B"),
          scaled(double(cacheBytes(3)), "B"));
  }

  void table() {
    add("\n{}\n", style.bold(fmt::format("{:<14}{:>6}{:>11}{:>11}  {:<10}{:>12}{:>12}{:>9}{:>9}",
                                         "Phase", "runs", "bytes", "operations", "limit",
                                         "predicted ms", "measured ms", "of roof", "of step")));
    for (const PhaseExplanation &phase : explanation.phases)
      row(oneLine(phase.name), fmt::format("{}", phase.count), phase.cost, phase.predicted,
          phase.measured);
    const double step = explanation.stepSeconds, waited = explanation.waited();
    add("{:<14}{:>6}{:>34}{:>12}{:>12.3f}{:>9}{:>7.1f} %\n", "barriers", explanation.barriers, "",
        "", 1e3 * waited, "", 100 * waited / step);
    Cost all;
    for (const PhaseExplanation &phase : explanation.phases)
      all += phase.cost;
    row("step", "", all, explanation.predicted(), step);
    add("{}\n", style.dim("predicted: the slower of all bytes at the memory's roof and all "
                          "operations at theirs, phase by phase\nmeasured: medians, until the last "
                          "thread is done; of roof: predicted / measured"));
    if (explanation.foreignCpu > noisyShare)
      add("other processes took {:.1f} % of the CPU time: measure again on a quiet machine\n",
          100 * explanation.foreignCpu);
  }

  void reasons() {
    for (const PhaseExplanation &phase : explanation.phases) {
      add("\n{}\n",
          style.bold(fmt::format("{}, {} {}, shared by {}", oneLine(phase.name), phase.count,
                                 phase.count == 1 ? "run" : "runs", phase.phase->partition)));
      for (const KernelExplanation &kernel : phase.kernels)
        this->kernel(kernel);
    }
  }

private:
  template <typename... Args> void add(fmt::format_string<Args...> format, Args &&...args) {
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  }

  void row(const std::string &name, const std::string &runs, const Cost &cost, double predicted,
           double measured) {
    add("{:<14}{:>6}{:>11}{:>11}  {:<10}{:>12.3f}{:>12.3f}{:>7.1f} %{:>7.1f} %\n", name, runs,
        scaled(cost.bytes(), "B"), scaled(cost.operations(), "op"),
        cost.isMemoryBound(explanation.roofs) ? "memory" : "arithmetic", 1e3 * predicted,
        1e3 * measured, 100 * predicted / std::max(1e-12, measured),
        100 * measured / explanation.stepSeconds);
  }

  void kernel(const KernelExplanation &explained) {
    const KernelManifest &kernel = *explained.kernel;
    std::string what = oneLine(kernel.op);
    if (!kernel.format.empty())
      what += fmt::format("  {} × {} {}{}", kernel.rows, kernel.columns, oneLine(kernel.format),
                          kernel.activations.empty() ? std::string()
                                                     : " by " + oneLine(kernel.activations));
    std::vector<std::string> weights;
    for (const KernelWeight &weight : kernel.weights)
      weights.push_back("@" + oneLine(weight.name));
    if (!weights.empty())
      what += fmt::format("  {}", fmt::join(weights, " "));
    add("  {}\n", what);
    for (const std::string &name : explained.names)
      add("    {}\n", style.dim(oneLine(name)));
    add("    {}, {}: {}\n", scaled(explained.cost.bytes(), "B"),
        scaled(explained.cost.operations(), "op"), explained.why);
  }

  const Explanation &explanation;
  Style style;
};

} // namespace

std::string explanationText(const Explanation &explanation, Style style) {
  Page page(explanation, style);
  page.head();
  page.roofs();
  page.table();
  page.reasons();
  return std::move(page.text);
}

} // namespace llmir
