// Loads a shared object and calls its step with one worker, with memory of its own.
#include "llmir/compiler/VerifyCode.h"

#include "llmir/codegen/Target.h"
#include "llmir/support/CpuInfo.h"
#include "llvm/ADT/StringRef.h"
#include <cmath>
#include <cstring>
#include <dlfcn.h>

namespace llmir {

using reference::Batch;
using reference::KvCache;

namespace {

struct Free {
  void operator()(uint8_t *memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<uint8_t[], Free>;

Memory allocate(size_t bytes) {
  bytes = (bytes + 127) / 64 * 64;
  auto *memory = static_cast<uint8_t *>(std::aligned_alloc(64, bytes));
  std::memset(memory, 0, bytes);
  return Memory(memory);
}

/// A row of one slot goes to a block as the ABI lays it out: keys [head][component][token], values
/// [head][token][component].
class BlockWriter {
public:
  BlockWriter(llm::KvType type, Memory &memory, bool isKeys)
      : type(type), memory(memory), isKeys(isKeys), dim(isKeys ? type.getKDim() : type.getVDim()) {}

  void write(int64_t slot, std::span<const float> row) const {
    const int64_t block = type.getBlock(), token = slot % block,
                  base = slot / block * type.getHeads() * dim * block;
    for (int64_t head = 0; head < type.getHeads(); ++head)
      for (int64_t i = 0; i < dim; ++i)
        store(base + head * dim * block + (isKeys ? i * block + token : token * dim + i),
              row[head * dim + i]);
  }

private:
  void store(int64_t index, float value) const {
    const uint16_t half = floatToHalf(value);
    if (type.getElement().isF16())
      std::memcpy(memory.get() + index * sizeof(half), &half, sizeof(half));
    else
      std::memcpy(memory.get() + index * sizeof(value), &value, sizeof(value));
  }

  llm::KvType type;
  Memory &memory;
  bool isKeys;
  int64_t dim;
};

} // namespace

void LoadedCode::Close::operator()(void *library) const { dlclose(library); }

Expected<LoadedCode> LoadedCode::load(const std::string &codeFile, const Manifest &manifest,
                                      std::span<const uint8_t> weights) {
  void *library = dlopen(codeFile.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fail("--verify: the code cannot be loaded: {}", dlerror());
  LoadedCode code(library, manifest);
  code.table.resize(manifest.weightRows * manifest.weightSlots);
  for (const WeightManifest &weight : manifest.weights)
    code.table[weight.row * manifest.weightSlots + weight.slot] = weights.data() + weight.offset;
  return code;
}

llmir_batch abiBatch(const Batch &b) {
  return {static_cast<int32_t>(b.numTokens()),
          static_cast<int32_t>(b.numSequences()),
          static_cast<int32_t>(b.logitRows.size()),
          b.blockTableStride,
          b.tokens.data(),
          b.positions.data(),
          b.tokenSequence.data(),
          b.queryStarts.data(),
          b.sequenceLengths.data(),
          b.blockTable.data(),
          b.slotMapping.data(),
          b.logitRows.data()};
}

std::vector<float> LoadedCode::step(const Batch &b, const KvCache &cache) const {
  const llmir_batch batch = abiBatch(b);
  std::vector<Memory> memory;
  std::vector<llmir_kv_layer> layers;
  for (int64_t layer = 0; layer < manifest.kv.layers; ++layer) {
    Memory keys = allocate(cache.getBlocks() * manifest.kv.kBlockBytes),
           values = allocate(cache.getBlocks() * manifest.kv.vBlockBytes);
    for (int64_t slot = 0; slot < cache.getSlots(); ++slot) {
      BlockWriter(cache.getType(), keys, true).write(slot, cache.keys(layer, slot));
      BlockWriter(cache.getType(), values, false).write(slot, cache.values(layer, slot));
    }
    layers.push_back({keys.get(), values.get()});
    memory.push_back(std::move(keys));
    memory.push_back(std::move(values));
  }
  const int64_t capacity = (b.numTokens() + 15) / 16 * 16;
  Memory arena = allocate(manifest.arenaBytesPerToken * capacity);
  std::vector<float> logits(b.logitRows.size() * manifest.model.vocabulary);
  const llmir_step_args arguments{
      &batch,   table.data(),  layers.data(),          arena.get(),
      capacity, logits.data(), [](void *, int32_t) {}, // nobody to wait for
      nullptr};
  auto run = reinterpret_cast<llmir_step_fn>(dlsym(library.get(), LLMIR_STEP_SYMBOL));
  run(&arguments, 0, 1);
  return logits;
}

std::string whyNotRunnable(const Manifest &manifest) {
  auto host = Target::host();
  const auto architecture = [](llvm::StringRef triple) { return triple.split('-').first; };
  if (!host || architecture(host->triple) != architecture(manifest.triple))
    return fmt::format("it is for {}", manifest.triple);
  for (const std::string &feature : manifest.features)
    if (!cpuFlags().contains(feature))
      return fmt::format("this CPU lacks {}", feature);
  return "";
}

double relativeDifference(std::span<const float> a, std::span<const float> b) {
  double worst = 0, square = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]))
      return INFINITY;
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
    square += static_cast<double>(b[i]) * b[i];
  }
  return worst / std::sqrt(square / static_cast<double>(b.size()) + 1e-30);
}

} // namespace llmir
