// Where the logits of a text come from, a few rows at a time: all of them together would be
// gigabytes.
#pragma once

#include "llmir/cli/NpyReader.h"
#include "llmir/driver/Model.h"
#include "llmir/runtime/engine/Session.h"
#include <vector>

namespace llmir {

class LogitSource {
public:
  virtual ~LogitSource() = default;

  virtual int64_t vocabulary() const = 0;
  /// Begins a new sequence.
  virtual void restart() = 0;
  /// Goes on by `tokens`, whose logits nobody wants.
  virtual Status skip(std::span<const int32_t> tokens) = 0;
  /// Goes on by `tokens` and returns their logits, [tokens][vocabulary], valid until the next call.
  virtual Expected<std::span<const float>> next(std::span<const int32_t> tokens) = 0;
};

/// A model that computes them.
class ModelLogits : public LogitSource {
public:
  /// For sequences of up to `context` tokens; next() takes up to `rows`, skip() any number, in
  /// steps of `prefillChunk` or of `rows`, whichever is more. Errors: those of loading, and no
  /// memory.
  static Expected<std::unique_ptr<ModelLogits>> create(LoadedProgram loaded, int64_t context,
                                                       int32_t prefillChunk, int32_t rows);

  const Manifest &manifest() const { return loaded.program->manifest(); }
  int64_t vocabulary() const override { return manifest().model.vocabulary; }
  void restart() override { sequence->clear(); }
  Status skip(std::span<const int32_t> tokens) override;
  Expected<std::span<const float>> next(std::span<const int32_t> tokens) override;

private:
  ModelLogits(LoadedProgram loaded, std::unique_ptr<Session> session, int64_t context);
  void step(std::span<const int32_t> tokens, StepBatch::Logits logits);

  LoadedProgram loaded;
  std::unique_ptr<Session> session;
  std::optional<KvSequence> sequence;
};

/// A .npy file that has them, for one sequence.
class FileLogits : public LogitSource {
public:
  explicit FileLogits(NpyReader file) : file(std::move(file)) {}

  int64_t vocabulary() const override { return file.columns(); }
  int64_t rows() const { return file.rows(); }
  void restart() override {}
  Status skip(std::span<const int32_t> tokens) override;
  Expected<std::span<const float>> next(std::span<const int32_t> tokens) override;

private:
  NpyReader file;
  std::vector<float> values;
};

} // namespace llmir
