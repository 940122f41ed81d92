// Where all workers of a step meet, about five times a layer. Waiting has three phases: spinning
// (the usual case: the others are nanoseconds away), yielding (a neighbour may need this core to
// let the late worker run), sleeping in the kernel (so that its scheduler can move the late worker
// to this core). A busy neighbour then costs its share of the machine and not a collapse.
#pragma once

#include <atomic>
#include <cstdint>

namespace llmir {

/// How long to spin and yield before sleeping.
struct WaitPolicy {
  int spins = 0;
  int yields = 0;
};

/// Waits until `word` is no longer `old`; acquires what was written before it changed.
void waitWhileEqual(const std::atomic<int32_t> &word, int32_t old, WaitPolicy policy);

class Barrier {
public:
  Barrier(int32_t participants, WaitPolicy policy) : participants(participants), policy(policy) {}

  /// Returns when all participants have called it as often as this one.
  void arriveAndWait();

private:
  const int32_t participants;
  const WaitPolicy policy;
  // On lines of their own: arrivals would disturb those who watch the generation.
  alignas(64) std::atomic<int32_t> arrived{0};
  alignas(64) std::atomic<int32_t> generation{0};
};

} // namespace llmir
