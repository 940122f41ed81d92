// An interval ends when the last worker arrives: what others wait for is its work.
#include "llmir/runtime/device/cpu/StepTimes.h"

#include <algorithm>

namespace llmir {

std::vector<StepTimes::Interval> StepTimes::intervals() const {
  std::vector<Interval> all;
  Clock::time_point from = begin;
  for (size_t barrier = 0; barrier < departures.size(); ++barrier) {
    Clock::time_point last = from;
    for (const Worker &worker : perWorker)
      last = std::max(last, worker.arrivals[barrier]);
    const Clock::time_point next = std::max(last, departures[barrier]);
    all.push_back({secondsBetween(from, last), secondsBetween(last, next)});
    from = next;
  }
  return all;
}

} // namespace llmir
