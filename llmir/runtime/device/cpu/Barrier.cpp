// A central counting barrier: with the few workers of one socket it beats trees.
#include "llmir/runtime/device/cpu/Barrier.h"

#include <sched.h>

namespace llmir {

namespace {

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb"); // as long as x86's pause; yield is a no-op on most cores
#endif
}

} // namespace

void waitWhileEqual(const std::atomic<int32_t> &word, int32_t old, WaitPolicy policy) {
  for (int i = 0; i < policy.spins; ++i) {
    if (word.load(std::memory_order_acquire) != old)
      return;
    pause();
  }
  for (int i = 0; i < policy.yields; ++i) {
    if (word.load(std::memory_order_acquire) != old)
      return;
    sched_yield();
  }
  word.wait(old, std::memory_order_acquire); // a futex
}

void Barrier::arriveAndWait() {
  // Nobody can advance the generation before this participant has arrived.
  int32_t current = generation.load(std::memory_order_relaxed);
  if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == participants) {
    arrived.store(0, std::memory_order_relaxed);
    generation.store(int32_t(uint32_t(current) + 1), std::memory_order_release);
    generation.notify_all();
    return;
  }
  waitWhileEqual(generation, current, policy);
}

} // namespace llmir
