// The persistent threads of the CPU device: one parallel region per step, no thread is ever made or
// joined between steps. The calling thread is worker 0.
#pragma once

#include "llmir/runtime/device/cpu/Barrier.h"
#include <thread>
#include <vector>

namespace llmir {

class WorkerPool {
public:
  /// A job gets its context, the worker's number and the number of workers.
  using Job = void (*)(void *context, int32_t worker, int32_t workers);

  /// Throws std::system_error if the system has no more threads.
  explicit WorkerPool(int workers);
  ~WorkerPool();
  WorkerPool(const WorkerPool &) = delete;

  int workers() const { return count; }

  /// Runs the job on all workers and waits for all. One caller at a time.
  void run(Job job, void *context);

  /// The barrier inside a job; all workers must come to it equally often.
  void barrier() { meeting.arriveAndWait(); }

private:
  void loop(int32_t worker);
  void end();

  const int count;
  Barrier meeting;
  const WaitPolicy idle;
  alignas(64) std::atomic<int32_t> jobNumber{0}; // changes when there is a new job
  Job job = nullptr;                             // null: end
  void *context = nullptr;
  std::vector<std::jthread> threads;
};

} // namespace llmir
