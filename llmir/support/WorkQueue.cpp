// Threads that take the next piece until none is left.
#include "llmir/support/WorkQueue.h"

#include <algorithm>
#include <atomic>
#include <sched.h>
#include <thread>

namespace llmir {

static size_t allowedProcessors() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

void WorkQueue::run() {
  std::atomic<size_t> next = 0;
  auto worker = [&] {
    for (size_t i = next++; i < pieces.size(); i = next++)
      pieces[i]();
  };
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < std::min(allowedProcessors(), pieces.size()); ++i)
    threads.emplace_back(worker);
  worker();
  threads.clear();
  pieces.clear();
}

} // namespace llmir
