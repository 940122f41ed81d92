// Compares traces by the values in them: a pass may move, rename and regroup ops, and what it has
// not changed is still there.
#include "llmir/compiler/VerifyDifference.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"
#include <cmath>
#include <cstring>
#include <set>

using namespace mlir;

namespace llmir {

using reference::KvCache;
using reference::Tensor;

static bool isSame(float a, float b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0 || (std::isnan(a) && std::isnan(b));
}

bool haveSameBits(const std::vector<Tensor> &a, const std::vector<Tensor> &b) {
  return llvm::equal(a, b, [](const Tensor &x, const Tensor &y) {
    return x.shape == y.shape && x.format == y.format && x.ints == y.ints && x.bytes == y.bytes &&
           std::ranges::equal(x.values, y.values, isSame);
  });
}

static uint64_t hashOf(std::span<const float> values) {
  return llvm::xxh3_64bits(
      llvm::ArrayRef(reinterpret_cast<const uint8_t *>(values.data()), values.size_bytes()));
}

uint64_t hashOf(const KvCache &cache) {
  uint64_t hash = 0;
  for (int64_t layer = 0; layer < cache.getType().getLayers(); ++layer)
    for (int64_t slot = 0; slot < cache.getSlots(); ++slot)
      for (std::span<const float> row : {cache.keys(layer, slot), cache.values(layer, slot)})
        hash = hash * 0x9e3779b97f4a7c15 + hashOf(row);
  return hash;
}

std::function<void(Operation *, const Tensor &)>
tracer(std::vector<std::pair<Operation *, uint64_t>> &trace) {
  return [&trace](Operation *op, const Tensor &tensor) {
    if (tensor.format == Format::F32)
      trace.emplace_back(op, hashOf(tensor.values));
  };
}

static std::string describe(Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  op->print(stream, OpPrintingFlags().skipRegions().elideLargeElementsAttrs());
  text = llvm::StringRef(text).split('\n').first.str();
  return fmt::format("`{}` in @{}", text, op->getParentOfType<func::FuncOp>().getSymName().str());
}

/// The first op of `trace` with a value that `other` does not have.
static Operation *firstNew(const TracedRun &run, const TracedRun &other) {
  std::set<uint64_t> known;
  for (auto [op, hash] : other.trace)
    known.insert(hash);
  for (auto [op, hash] : run.trace)
    if (!known.contains(hash))
      return op;
  return nullptr;
}

std::string describeFirstOp(const TracedRun &before, const TracedRun &after) {
  if (Operation *op = firstNew(after, before))
    return "the first new value is that of " + describe(op);
  if (Operation *op = firstNew(before, after))
    return "what is missing is the value of " + describe(op);
  return "every op's values are the same: they are stored or returned elsewhere";
}

namespace {
/// The largest difference so far, and where it is.
struct Largest {
  double difference = -1;
  float before = 0, after = 0;
  std::string where;

  template <typename Where> void see(float a, float b, Where place) {
    if (isSame(a, b))
      return;
    double d = std::abs(static_cast<double>(a) - b);
    d = std::isnan(d) ? INFINITY : d;
    if (d > difference) {
      difference = d;
      before = a;
      after = b;
      where = place();
    }
  }
};
} // namespace

std::string describeLargest(const TracedRun &before, const TracedRun &after) {
  Largest largest;
  for (size_t i = 0; i < before.tensors.size(); ++i) {
    const Tensor &a = before.tensors[i], &b = after.tensors[i];
    if (a.shape != b.shape)
      return fmt::format("result {} has {} rows, {} before", i, b.rows(), a.rows());
    for (size_t j = 0; j < a.values.size(); ++j)
      largest.see(a.values[j], b.values[j], [&] {
        return fmt::format("row {}, column {} of result {}", j / a.columns(), j % a.columns(), i);
      });
  }
  for (int64_t layer = 0; layer < before.cache.getType().getLayers(); ++layer)
    for (int64_t slot = 0; slot < before.cache.getSlots(); ++slot) {
      auto see = [&](const char *what, std::span<const float> a, std::span<const float> b) {
        for (size_t i = 0; i < a.size(); ++i)
          largest.see(a[i], b[i], [&] {
            return fmt::format("{} {} of layer {}, slot {} of the cache", what, i, layer, slot);
          });
      };
      see("key", before.cache.keys(layer, slot), after.cache.keys(layer, slot));
      see("value", before.cache.values(layer, slot), after.cache.values(layer, slot));
    }
  return fmt::format("the largest difference is {:.3g} ({:.9g} before, {:.9g} after) at {}",
                     largest.difference, largest.before, largest.after, largest.where);
}

} // namespace llmir
