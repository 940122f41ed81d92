// Sizes and allocates the memory of steps; launches them.
#include "llmir/runtime/engine/Session.h"

namespace llmir {

Expected<std::unique_ptr<Session>> Session::create(Device &device, const Program &program,
                                                   const SessionOptions &options) {
  const Manifest &manifest = program.manifest();
  const StepLimits &limits = options.step;
  if (limits.contextTokens > manifest.model.contextLength)
    return fail("a context of {} tokens is more than the model's {}: give at most that with "
                "--context",
                limits.contextTokens, manifest.model.contextLength);
  auto cache = KvCache::create(device, manifest.kv, options.kvBlocks);
  if (!cache)
    return forward(cache);
  std::unique_ptr<Session> session(new Session(device, program, limits, std::move(*cache)));
  auto planned = planMemory(manifest, options);
  if (!planned)
    return forward(planned);
  auto arena = device.allocate(size_t(planned->scratch));
  if (!arena)
    return forward(arena, fmt::format("scratch memory of {} tokens a step", limits.tokens));
  auto logits = device.allocate(size_t(planned->logits));
  if (!logits)
    return forward(logits, fmt::format("{} rows of logits", limits.logitRows));
  session->arena = std::move(*arena);
  session->logitMemory = std::move(*logits);
  return session;
}

void Session::run() {
  llmir_batch batch = stepBatch.view();
  llmir_step_args args{};
  args.batch = &batch;
  args.kv = kv.layers();
  args.arena = arena.data();
  args.token_capacity = tokenCapacity(stepLimits);
  args.logits = reinterpret_cast<float *>(logitMemory.data());
  device->launch(*program, args);
}

Status Session::checkPrompt(std::span<const int32_t> prompt) const {
  if (prompt.empty())
    return fail("the prompt is empty: at least one token is needed");
  if (int64_t(prompt.size()) > stepLimits.contextTokens)
    return fail("the prompt has {} tokens, the context {}: raise --context (this model: at most "
                "{}) or shorten the prompt",
                prompt.size(), stepLimits.contextTokens, manifest().model.contextLength);
  if (Status status = checkTokens(prompt); !status)
    return forward(status, "prompt");
  return {};
}

Status Session::checkTokens(std::span<const int32_t> tokens) const {
  for (size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i] < 0 || tokens[i] >= manifest().model.vocabulary)
      return fail("token {} (number {}) is outside of the model's vocabulary: ids go from 0 to {}",
                  tokens[i], i + 1, manifest().model.vocabulary - 1);
  return {};
}

} // namespace llmir
