// When the workers of one step came to its barriers: what CpuDevice::record collects. Compiled code
// needs no instrumentation, since the runtime owns the barrier.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace llmir {

class StepTimes {
public:
  using Clock = std::chrono::steady_clock;

  explicit StepTimes(int workers) : perWorker(size_t(workers)) {}

  /// From one barrier (or the start of the step) to the next, in seconds.
  struct Interval {
    double work = 0; ///< until the last worker arrived
    double wait = 0; ///< from then until worker 0 went on
  };
  std::vector<Interval> intervals() const;
  /// Of the whole step.
  double seconds() const { return secondsBetween(begin, finish); }

  // The device's side.
  void start() {
    for (Worker &worker : perWorker)
      worker.arrivals.clear();
    departures.clear();
    begin = Clock::now();
  }
  void arrive(int32_t worker) { perWorker[size_t(worker)].arrivals.push_back(Clock::now()); }
  void depart() { departures.push_back(Clock::now()); } // worker 0
  void end() { finish = Clock::now(); }

private:
  // On lines of its own: workers write at the same time.
  struct alignas(64) Worker {
    std::vector<Clock::time_point> arrivals;
  };
  static double secondsBetween(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
  }

  std::vector<Worker> perWorker;
  std::vector<Clock::time_point> departures;
  Clock::time_point begin, finish;
};

} // namespace llmir
