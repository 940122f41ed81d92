// The paged KV cache: one stretch of device memory cut into blocks of a fixed number of tokens, the
// same block number in every layer. Layouts inside a block are the compiled code's business.
#pragma once

#include "llmir/runtime/device/Device.h"
#include "llmir/runtime/kv/BlockPool.h"
#include <vector>

namespace llmir {

class KvCache {
public:
  /// Memory for `blocks` blocks, zeroed. Errors: more memory than the system has.
  static Expected<KvCache> create(Device &device, const KvManifest &layout, int32_t blocks);

  /// Memory that create() will ask for. Errors: more than can be addressed.
  static Expected<int64_t> bytesFor(const KvManifest &layout, int32_t blocks);

  /// Memory that was allocated.
  int64_t bytes() const { return int64_t(memory.size()); }
  BlockPool &pool() { return blockPool; }
  const BlockPool &pool() const { return blockPool; }
  int32_t blockTokens() const { return tokensPerBlock; }
  /// Blocks that `tokens` tokens of one sequence need.
  int32_t blocksFor(int64_t tokens) const {
    return int32_t((tokens + tokensPerBlock - 1) / tokensPerBlock);
  }
  /// Copies what `from` holds to `to`, in every layer.
  void copyBlock(int32_t from, int32_t to);
  /// [layers], as llmir_step_args wants it.
  const llmir_kv_layer *layers() const { return layerTable.data(); }

private:
  KvCache(DeviceBuffer memory, int32_t blocks, const KvManifest &layout)
      : memory(std::move(memory)), blockPool(blocks), tokensPerBlock(int32_t(layout.blockTokens)),
        kBlockBytes(size_t(layout.kBlockBytes)), vBlockBytes(size_t(layout.vBlockBytes)) {}

  DeviceBuffer memory;
  std::vector<llmir_kv_layer> layerTable;
  BlockPool blockPool;
  int32_t tokensPerBlock;
  size_t kBlockBytes, vBlockBytes; // of one layer
};

} // namespace llmir
