// Jobs are published by a counter that idle workers watch: a brief spin, since the next step mostly
// follows at once, then sleep.
#include "llmir/runtime/device/cpu/WorkerPool.h"

#include "llmir/support/CpuInfo.h"
#include <algorithm>

namespace llmir {

namespace {

// One pause takes 10 to 40 ns. Spinning longer than about 15 microseconds is what a barrier costs
// whenever two workers share a core, five times a layer.
constexpr WaitPolicy barrierPolicy = {500, 4};
constexpr WaitPolicy idlePolicy = {4000, 0};
// With more workers than CPUs, somebody we wait for is surely not running: give way at once.
constexpr WaitPolicy crowdedPolicy = {20, 2};

WaitPolicy unlessCrowded(WaitPolicy policy, int workers) {
  return workers > usableCpus() ? crowdedPolicy : policy;
}

} // namespace

WorkerPool::WorkerPool(int workers)
    : count(std::max(1, workers)), meeting(count, unlessCrowded(barrierPolicy, count)),
      idle(unlessCrowded(idlePolicy, count)) {
  threads.reserve(count - 1);
  try {
    for (int32_t worker = 1; worker < count; ++worker)
      threads.emplace_back([this, worker] { loop(worker); });
  } catch (...) {
    end(); // those that there are; the threads' destructors wait for them
    throw;
  }
}

WorkerPool::~WorkerPool() { end(); }

void WorkerPool::end() {
  job = nullptr;
  jobNumber.fetch_add(1, std::memory_order_release);
  jobNumber.notify_all();
}

void WorkerPool::run(Job newJob, void *newContext) {
  job = newJob;
  context = newContext;
  jobNumber.fetch_add(1, std::memory_order_release);
  jobNumber.notify_all();
  newJob(newContext, 0, count);
  barrier();
}

void WorkerPool::loop(int32_t worker) {
  // Counted, not read: by the time this worker looks, the next job may already be there.
  for (uint32_t seen = 0;; ++seen) {
    waitWhileEqual(jobNumber, int32_t(seen), idle);
    if (!job)
      return;
    job(context, worker, count);
    barrier();
  }
}

} // namespace llmir
