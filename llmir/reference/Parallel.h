// A parallel loop for the interpreter's two hot ops. Each index writes results of its own, so
// threads change no bit.
#pragma once

#include "llvm/ADT/STLFunctionalExtras.h"
#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace llmir::reference {

inline void parallelFor(int threads, int64_t count, llvm::function_ref<void(int64_t)> body) {
  std::atomic<int64_t> next = 0;
  auto work = [&] {
    for (int64_t i = next++; i < count; i = next++)
      body(i);
  };
  std::vector<std::jthread> helpers;
  for (int64_t i = 1; i < std::min<int64_t>(threads, count); ++i)
    helpers.emplace_back(work);
  work();
}

} // namespace llmir::reference
