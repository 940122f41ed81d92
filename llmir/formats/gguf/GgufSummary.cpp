// Adds up the tensor table and reads the keys that every family of models has under its own name.
#include "llmir/formats/gguf/GgufSummary.h"

#include "llmir/support/Shown.h"
#include "llmir/support/WorkQueue.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace llmir {

namespace {

std::string_view textOf(const GgufFile &file, std::string_view key) {
  auto found = file.findString(key);
  return found ? found->value_or("") : "";
}

int64_t elementsOf(const GgufTensor &tensor) {
  return std::accumulate(tensor.shape.begin(), tensor.shape.end(), int64_t(1), std::multiplies());
}

void addTensors(const GgufFile &file, GgufSummary &summary) {
  for (const GgufTensor &tensor : file.tensors()) {
    auto share = std::find_if(summary.formats.begin(), summary.formats.end(),
                              [&](const auto &other) { return other.format == tensor.format; });
    if (share == summary.formats.end())
      share = summary.formats.insert(share, {.format = tensor.format});
    const int64_t elements = elementsOf(tensor), bytes = int64_t(tensor.byteCount());
    ++share->tensors;
    share->elements += elements;
    share->bytes += bytes;
    summary.parameters += elements;
    summary.tensorBytes += bytes;
  }
  std::stable_sort(summary.formats.begin(), summary.formats.end(),
                   [](const auto &a, const auto &b) { return a.bytes > b.bytes; });
}

/// The first number in [begin, end) of `bytes` that is not finite, or -1.
int64_t findNotFinite(Format format, std::span<const uint8_t> bytes, int64_t begin, int64_t end) {
  const FormatInfo &info = formatInfo(format);
  const int64_t blocks = std::max<int64_t>(1, 4096 / info.blockElements);
  std::vector<float> values(blocks * info.blockElements);
  for (int64_t at = begin; at < end; at += int64_t(values.size())) {
    const int64_t count = std::min(end - at, int64_t(values.size()));
    dequantize(format, bytes.data() + at / info.blockElements * info.blockBytes, values.data(),
               count);
    for (int64_t i = 0; i < count; ++i)
      if (!std::isfinite(values[i]))
        return at + i;
  }
  return -1;
}

/// Brings every page of `bytes` into memory: an unreadable file shows.
void readAll(std::span<const uint8_t> bytes) {
  constexpr size_t page = 4096;
  volatile uint8_t sink = 0;
  for (size_t at = 0; at < bytes.size(); at += page)
    sink = bytes[at];
  (void)sink;
}

} // namespace

GgufSummary summarize(const GgufFile &file) {
  GgufSummary summary;
  summary.architecture = textOf(file, "general.architecture");
  summary.name = textOf(file, "general.name");
  summary.tokenizerModel = textOf(file, "tokenizer.ggml.model");
  summary.preTokenizer = textOf(file, "tokenizer.ggml.pre");
  if (summary.tokenizerModel.empty() && file.has("tokenizer.huggingface.json"))
    summary.tokenizerModel = "tokenizer.json";
  summary.hasChatTemplate = file.has("tokenizer.chat_template");
  if (auto tokens = file.value("tokenizer.ggml.tokens"); tokens && tokens->isArray)
    summary.vocabulary = int64_t(tokens->count);
  auto number = [&](const char *key) -> std::optional<int64_t> {
    auto found = file.findI64(fmt::format("{}.{}", summary.architecture, key));
    return found ? *found : std::nullopt;
  };
  summary.layers = number("block_count");
  summary.embedding = number("embedding_length");
  summary.feedForward = number("feed_forward_length");
  summary.heads = number("attention.head_count");
  summary.kvHeads = number("attention.head_count_kv");
  if (!file.has(fmt::format("{}.attention.head_count_kv", summary.architecture)))
    summary.kvHeads = summary.heads;
  summary.headSize = number("attention.key_length");
  if (!summary.headSize && summary.embedding && summary.heads.value_or(0) > 0)
    summary.headSize = *summary.embedding / *summary.heads;
  summary.experts = number("expert_count");
  summary.contextLength = number("context_length");
  if (!summary.vocabulary)
    summary.vocabulary = number("vocab_size");
  addTensors(file, summary);
  return summary;
}

Expected<TensorCheck> verifyTensors(const GgufFile &file) {
  constexpr int64_t pieceElements = 1 << 20; // a multiple of every block
  struct Piece {
    const GgufTensor *tensor;
    std::span<const uint8_t> bytes;
    int64_t first; ///< element of the tensor that the bytes begin with
    int64_t begin, end, notFinite = -1;
  };
  TensorCheck check;
  std::vector<Piece> pieces;
  WorkQueue work;
  for (const GgufTensor &tensor : file.tensors()) {
    if (!formatInfo(tensor.format).hasCodec) {
      if (std::find(check.unchecked.begin(), check.unchecked.end(), tensor.format) ==
          check.unchecked.end())
        check.unchecked.push_back(tensor.format);
      work.add([&tensor] { readAll(tensor.bytes); });
      continue;
    }
    ++check.tensors;
    const auto parts = tensor.matrices.empty() ? std::vector{tensor.bytes} : tensor.matrices;
    const int64_t elements = elementsOf(tensor) / int64_t(parts.size());
    for (size_t part = 0; part < parts.size(); ++part)
      for (int64_t begin = 0; begin < elements; begin += pieceElements)
        pieces.push_back({&tensor, parts[part], int64_t(part) * elements, begin,
                          std::min(begin + pieceElements, elements)});
  }
  for (Piece &piece : pieces)
    work.add([&piece] {
      piece.notFinite = findNotFinite(piece.tensor->format, piece.bytes, piece.begin, piece.end);
    });
  work.run();
  for (const Piece &piece : pieces)
    if (piece.notFinite >= 0) {
      const int64_t columns = piece.tensor->shape.back();
      return fail("{}: tensor {} holds a number that is not finite, in row {}, column {}: the file "
                  "is damaged, or was made by a faulty conversion",
                  file.path(), shown(piece.tensor->knownAs()),
                  (piece.first + piece.notFinite) / columns, piece.notFinite % columns);
    }
  return check;
}

} // namespace llmir
