// Threads that take the next piece until none is left.
#include "llmir/support/WorkQueue.h"

#include "llmir/support/CpuInfo.h"
#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

namespace llmir {

void WorkQueue::run() {
  std::atomic<size_t> next = 0;
  auto worker = [&] {
    for (size_t i = next++; i < pieces.size(); i = next++)
      pieces[i]();
  };
  const size_t count = std::min(static_cast<size_t>(usableCpus()), pieces.size());
  std::vector<std::jthread> threads;
  try {
    for (size_t i = 1; i < count; ++i)
      threads.emplace_back(worker);
  } catch (const std::system_error &) { // NOLINT(bugprone-empty-catch): see below
    // No more threads are to be had: those that there are do it.
  }
  worker();
  threads.clear();
  pieces.clear();
}

} // namespace llmir
