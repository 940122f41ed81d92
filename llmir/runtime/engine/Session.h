// A program with everything its steps need, sized once: KV cache, scratch memory, batch arrays,
// logits. The engine and the evaluation of logits both run their steps through it.
#pragma once

#include "llmir/runtime/engine/MemoryUse.h"

namespace llmir {

class Session {
public:
  /// `device` and `program` must outlive the session. Errors: no memory, a context beyond the
  /// model's.
  static Expected<std::unique_ptr<Session>> create(Device &device, const Program &program,
                                                   const SessionOptions &options);

  const Manifest &manifest() const { return program->manifest(); }
  const StepLimits &limits() const { return stepLimits; }
  KvCache &cache() { return kv; }
  StepBatch &batch() { return stepBatch; }

  /// What program and session hold; equal to planMemory().
  MemoryUse memory() const {
    return {manifest().weightBytes, kv.bytes(), int64_t(arena.size()), int64_t(logitMemory.size())};
  }

  /// Runs what is in batch(). Never allocates.
  void run();

  /// Row of the last run's logits, [vocabulary].
  std::span<const float> logits(int32_t row) const { return logits(row, 1); }
  /// `count` rows from `row` on, [count][vocabulary].
  std::span<const float> logits(int32_t row, int32_t count) const {
    size_t width = size_t(manifest().model.vocabulary);
    return {reinterpret_cast<const float *>(logitMemory.data()) + row * width, count * width};
  }

  /// Errors: an empty prompt, one longer than the context, tokens outside of the vocabulary.
  Status checkPrompt(std::span<const int32_t> prompt) const;
  /// An error that names position and range of the first id outside the vocabulary.
  Status checkTokens(std::span<const int32_t> tokens) const;

private:
  Session(Device &device, const Program &program, const StepLimits &limits, KvCache cache)
      : device(&device), program(&program), stepLimits(limits), kv(std::move(cache)),
        stepBatch(limits, kv) {}

  Device *device;
  const Program *program;
  StepLimits stepLimits;
  KvCache kv;
  StepBatch stepBatch;
  DeviceBuffer arena, logitMemory;
};

} // namespace llmir
