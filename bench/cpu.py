"""Whose CPU time passed: a figure taken beside a busy neighbour says little."""
import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def busy_ticks(stat, cpus):
    """Ticks that the CPUs were not idle, from the text of /proc/stat: all fields but idle, iowait and the guests',
    which are part of user."""
    total = 0
    for line in stat.splitlines():
        name, *fields = line.split() or [""]
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cpus:
            user, nice, system, _, _, irq, softirq, steal = map(int, (fields + ["0"] * 8)[:8])
            total += user + nice + system + irq + softirq + steal
    return total


def process_ticks(stat):
    """Ticks of a process and its children that have ended, from the text of /proc/PID/stat."""
    return sum(map(int, stat.rpartition(")")[2].split()[11:15]))


def foreign_share(busy, own, wall, cpus):
    """Share of all CPUs' time, 0 to 1, that was neither idle nor our own; all in seconds."""
    return min(max((busy - own) / (wall * cpus), 0), 1) if wall > 0 else 0


class Watch:
    """Measures the share of others from its creation on; `pids` are the processes that count as ours."""

    def __init__(self, pids):
        self.pids = [os.getpid(), *pids]
        self.cpus = os.sched_getaffinity(0)
        self.start = self.now()

    def now(self):
        busy = busy_ticks(Path("/proc/stat").read_text(), self.cpus) / TICKS
        own = sum(process_ticks(Path(f"/proc/{pid}/stat").read_text()) for pid in self.pids) / TICKS
        return busy, own, time.monotonic()

    def foreign(self):
        busy, own, wall = (after - before for after, before in zip(self.now(), self.start))
        return foreign_share(busy, own, wall, len(self.cpus))
