// Aligned columns: a human unit first, the exact number behind it.
#include "llmir/cli/InspectionText.h"

#include "llmir/cli/InspectionMetadata.h"
#include "llmir/cli/Options.h"
#include "llmir/cli/Readable.h"
#include <fmt/ranges.h>

namespace llmir {

namespace {

std::string humanBytes(int64_t bytes) { return scaled(double(bytes), "B"); }

/// Cut to `columns` characters.
std::string shortened(const std::string &text, size_t columns) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i)
    if ((text[i] & 0xC0) != 0x80 && ++characters > columns)
      return text.substr(0, i) + "…";
  return text;
}

class Page {
public:
  Page(const Inspection &inspection, Style style, int width)
      : inspection(inspection), style(style), width(size_t(width)) {}

  std::string text;

  void file() {
    const GgufSummary &summary = inspection.summary;
    add("{}\n", style.bold(shortened(oneLine(inspection.path), 4096)));
    row("file", fmt::format("{} ({} bytes), {}", humanBytes(inspection.fileBytes),
                            exact(inspection.fileBytes),
                            inspection.artifact ? "compiled"
                            : inspection.file.isAssembled()
                                ? "Hugging Face directory"
                                : fmt::format("GGUF version {}", inspection.file.version())));
    if (inspection.artifact) {
      const Manifest &manifest = inspection.artifact->manifest();
      row("made of", oneLine(manifest.modelFile));
      row("made for", fmt::format("{}, {} bytes of code, by LLMIR {}", manifest.cpu,
                                  exact(int64_t(inspection.artifact->code().size())),
                                  oneLine(manifest.compiler)));
    }
    if (!summary.name.empty())
      row("name", oneLine(summary.name));
    row("architecture", summary.architecture.empty() ? "not said" : oneLine(summary.architecture));
    if (!inspection.artifact)
      row("parameters",
          fmt::format("{}, {:.2f} bits per weight", scaled(double(summary.parameters), ""),
                      summary.bitsPerWeight()));
    if (summary.layers)
      row("layers", fmt::format("{}{}", *summary.layers,
                                summary.experts.value_or(0) > 0
                                    ? fmt::format(", {} experts", *summary.experts)
                                    : ""));
    if (summary.embedding)
      row("width",
          fmt::format("{}{}", *summary.embedding,
                      summary.feedForward ? fmt::format(", feed-forward {}", *summary.feedForward)
                                          : ""));
    if (summary.heads)
      row("heads",
          fmt::format("{}{}{}", *summary.heads,
                      summary.kvHeads ? fmt::format(", {} of K and V", *summary.kvHeads) : "",
                      summary.headSize ? fmt::format(", size {}", *summary.headSize) : ""));
    if (summary.contextLength)
      row("context", fmt::format("{} tokens", exact(*summary.contextLength)));
    if (summary.vocabulary)
      row("vocabulary", fmt::format("{} tokens", exact(*summary.vocabulary)));
    row("tokenizer", summary.tokenizerModel.empty() ? "none" : tokenizerName());
    row("chat template", summary.hasChatTemplate ? "yes" : "no");
  }

  void formats() {
    add("\n{}\n", style.bold(fmt::format("{:<18}{:>9}{:>13}{:>13}{:>19}", "Weights in the file",
                                         "tensors", "parameters", "size", "bytes")));
    for (const FormatShare &share : inspection.summary.formats)
      add("  {:<17}{:>9}{:>13}{:>13}{:>19}\n", formatInfo(share.format).name, share.tensors,
          scaled(double(share.elements), ""), humanBytes(share.bytes), exact(share.bytes));
  }

  void memory() {
    const MemoryPlan &plan = *inspection.plan;
    const Manifest &manifest = *inspection.manifest;
    add("\n{}\n", style.bold(fmt::format("Memory for {} of {} tokens", sequences(plan.batch),
                                         exact(plan.context))));
    auto line = [&](const char *what, int64_t bytes, const std::string &note) {
      add("  {:<14}{:>11}{:>21}{}\n", what, humanBytes(bytes), exact(bytes),
          note.empty() ? "" : style.dim("   " + note));
    };
    line("weights", plan.use.weights, quantizeText(manifest) + "packed for " + manifest.cpu);
    line("KV cache", plan.use.kv,
         fmt::format("{}, {} bytes per token", manifest.kv.elementType, exact(plan.kvPerToken)));
    line("scratch", plan.use.scratch,
         fmt::format("steps of {} prompt tokens, {} activations", exact(plan.prefillChunk),
                     manifest.activations));
    line("logits", plan.use.logits, "");
    line("program", plan.program, "code, tokenizer, threads");
    line("total", plan.total(), "");
  }

  void machine() {
    const MemoryInfo &machine = inspection.machine;
    add("\n{}\n  {} of memory{}, {} available\n", style.bold("This machine"),
        humanBytes(machine.physical),
        machine.limit ? fmt::format(", {} of it allowed here", humanBytes(*machine.limit)) : "",
        humanBytes(machine.available));
    if (inspection.plan)
      verdict(*inspection.plan);
  }

  void check() {
    const TensorCheck &check = *inspection.check;
    if (inspection.artifact) {
      add("\n{}\n  every byte is as it was written\n", style.bold("Verified"));
      return;
    }
    add("\n{}\n  every number of {} tensors is finite{}\n", style.bold("Verified"), check.tensors,
        check.unchecked.empty() ? "" : "; not decoded, only read:");
    for (Format format : check.unchecked)
      add("    {}\n", formatInfo(format).name);
  }

  void tensors() {
    size_t name = 0;
    for (const GgufTensor &tensor : inspection.file.tensors())
      name = std::max(name, oneLine(tensor.name).size());
    add("\n{}\n", style.bold("Tensors"));
    for (const GgufTensor &tensor : inspection.file.tensors())
      add("  {:<{}}  {:<8}{:<20}{:>15}\n", oneLine(tensor.name), name,
          formatInfo(tensor.format).name, fmt::format("{}", fmt::join(tensor.shape, " × ")),
          exact(int64_t(tensor.byteCount())));
  }

  void metadata() {
    size_t longest = 0;
    for (std::string_view key : inspection.file.keys())
      longest = std::max(longest, oneLine(key).size());
    longest = std::min<size_t>(longest, 48);
    add("\n{}\n", style.bold("Metadata"));
    for (std::string_view key : inspection.file.keys()) {
      auto value = inspection.file.value(key);
      std::string count = value && value->isArray
                              ? fmt::format("{}: ", exact(int64_t(value->count)))
                              : std::string();
      auto json = metadataValue(inspection.file, key, width);
      std::string shown =
          count + json.dump(-1, ' ', false, decltype(json)::error_handler_t::replace);
      const size_t used = longest + 5;
      add("  {:<{}}  {}\n", oneLine(key), longest,
          shortened(shown, std::max<size_t>(24, width > used ? width - used : 0)));
    }
  }

private:
  template <typename... Args> void add(fmt::format_string<Args...> format, Args &&...args) {
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  }
  void row(const char *what, const std::string &value) { add("  {:<15}{}\n", what, value); }

  static std::string sequences(int32_t count) {
    return count == 1 ? "1 sequence" : exact(count) + " sequences";
  }

  std::string tokenizerName() const {
    const GgufSummary &summary = inspection.summary;
    return oneLine(summary.tokenizerModel) +
           (summary.preTokenizer.empty() ? "" : ", pre-tokenizer " + oneLine(summary.preTokenizer));
  }

  void verdict(const MemoryPlan &plan) {
    const std::string missing = humanBytes(plan.total() - inspection.machine.available);
    switch (plan.fit) {
    case Fit::Fits:
      add("  {}\n", style.bold("fits"));
      break;
    case Fit::Displaces:
      add("  {}: {} more than is available; {}\n",
          style.bold("fits only if other programs give memory back"), missing, plan.wayOut);
      break;
    case Fit::No:
      add("  {}: {} more than is available; {}\n", style.red("does not fit"), missing, plan.wayOut);
      break;
    }
    const bool isWhole = plan.largestContext == inspection.manifest->model.contextLength;
    if (plan.largestContext > 0)
      add("  largest context {} tokens{} for {}\n", exact(plan.largestContext),
          isWhole ? " (the model's own)" : "", sequences(plan.batch));
    if (plan.largestBatch > 0)
      add("  largest batch {}{} of {} tokens\n", sequences(plan.largestBatch),
          plan.largestBatch == maxInspectedBatch ? " and more" : "", exact(plan.context));
  }

  const Inspection &inspection;
  Style style;
  size_t width;
};

} // namespace

std::string inspectionText(const Inspection &inspection, bool tensors, bool metadata, Style style,
                           int width) {
  Page page(inspection, style, width);
  page.file();
  if (!inspection.artifact)
    page.formats();
  if (inspection.plan)
    page.memory();
  page.machine();
  if (inspection.check)
    page.check();
  if (metadata)
    page.metadata();
  if (tensors)
    page.tensors();
  return std::move(page.text);
}

} // namespace llmir
