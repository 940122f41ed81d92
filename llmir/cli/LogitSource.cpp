// One sequence through a session, or through a file.
#include "llmir/cli/LogitSource.h"

#include <algorithm>

namespace llmir {

Expected<std::unique_ptr<ModelLogits>> ModelLogits::create(LoadedProgram loaded, int64_t context,
                                                           int32_t prefillChunk, int32_t rows) {
  SessionOptions sizes =
      engineSession(loaded.program->manifest(), context, 1, std::max(prefillChunk, rows));
  sizes.step.logitRows = rows;
  auto session = Session::create(*loaded.device, *loaded.program, sizes);
  if (!session)
    return forward(session);
  return std::unique_ptr<ModelLogits>(
      new ModelLogits(std::move(loaded), std::move(*session), context));
}

ModelLogits::ModelLogits(LoadedProgram program, std::unique_ptr<Session> made, int64_t context)
    : loaded(std::move(program)), session(std::move(made)) {
  sequence.emplace(session->cache(), context);
}

void ModelLogits::step(std::span<const int32_t> tokens, StepBatch::Logits logits) {
  session->batch().clear();
  sequence->grow(int32_t(tokens.size()));
  session->batch().add(tokens, *sequence, logits);
  session->run();
}

Status ModelLogits::skip(std::span<const int32_t> tokens) {
  const size_t most = size_t(session->limits().tokens) - 1;
  for (; !tokens.empty(); tokens = tokens.subspan(std::min(most, tokens.size())))
    step(tokens.first(std::min(most, tokens.size())), StepBatch::Logits::None);
  return {};
}

Expected<std::span<const float>> ModelLogits::next(std::span<const int32_t> tokens) {
  step(tokens, StepBatch::Logits::All);
  return session->logits(0, int32_t(tokens.size()));
}

Expected<std::span<const float>> FileLogits::next(std::span<const int32_t> tokens) {
  values.resize(tokens.size() * size_t(file.columns()));
  if (Status status = file.read(values); !status)
    return forward(status);
  return values;
}

Status FileLogits::skip(std::span<const int32_t> tokens) {
  values.resize(size_t(file.columns()));
  for (size_t row = 0; row < tokens.size(); ++row)
    if (Status status = file.read(values); !status)
      return status;
  return {};
}

} // namespace llmir
