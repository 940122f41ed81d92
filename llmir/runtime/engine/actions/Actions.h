// The actions of one engine step, in the order in which they run.
#pragma once

#include "llmir/runtime/engine/EngineState.h"

namespace llmir {

using Action = void (*)(EngineState &state);

/// Moves waiting requests to the running ones, first come, first served, while there is a place and
/// the KV cache can hold them to their end.
void admit(EngineState &state);
/// Adds the next token of every sequence that is past its prompt.
void decode(EngineState &state);
/// Adds prompt tokens, the oldest sequence first, up to the chunk.
void prefillChunk(EngineState &state);
/// Runs the step on the device.
void launch(EngineState &state);
/// Chooses a token for each sequence with logits and hands it to the client.
void sample(EngineState &state);
/// Takes ended sequences out and gives their blocks back.
void finish(EngineState &state);

} // namespace llmir
