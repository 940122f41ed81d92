#!/usr/bin/env python3
"""Runs every test but the heavy ones, side by side: layers, docs, fuzz targets, GoogleTest, lit, pytest.

`make check` calls it after building. It keeps all CPUs busy to the end: the long suites start first, and are cut into
parts. A suite's line comes when its last part ends; a failed one's output stands above its line. Exit code 1 if any failed.
Needs LLMIR_BUILD (build folder) and LLMIR_MODEL (the demo model).
"""
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIT = "/usr/lib/llvm-22/bin/lit"
# These are cut into parts, and start before the others.
LONGEST = ["compiler_test", "codegen_test"]
# What llmir-conformance runs of each target: all that is the target's own, and some of AArch64 under qemu.
CONFORMANCE = {
    "x86-64": "linear/q[15]_1/int8/37*,linear/q6_k/int8/37*,linear/q4_0/int16/37*,experts/q8_0/int8/*",
    "x86-64-v3": "linear/q[48]_0/*/64*",
    "x86-64-v4-vnni": "linear/q[48]_0/*/64*",
    "aarch64": "linear/q6_k/int8/37*,attention/f32/2x2/16*mixed",
    "aarch64-dotprod": "linear/q[48]_0/*/37*,attention/f16/2x3/*mixed,experts/q5_0/int8/*,model/int8/1001",
}
COUNTS = re.compile(r"\[  PASSED  \] (\d+) test|Passed *: *(\d+)|^(\d+) passed|^conformance \S+: (\d+) ok", re.MULTILINE)


@dataclass
class Suite:
    name: str
    parts: list  # of commands: (arguments, environment variables to add)
    output: str = ""
    failed: bool = False
    cpu: float = 0  # seconds, of all parts and what they started
    ended: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, part):
        """Runs one part; True when it was the last."""
        arguments, variables = part
        with tempfile.TemporaryFile() as log:
            try:
                process = subprocess.Popen([*map(str, arguments)], cwd=ROOT, env=os.environ | variables,
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
            except OSError as error:
                return self.end(1, 0, f"{error}\n")
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = code = os.waitstatus_to_exitcode(status)
            log.seek(0)
            output = log.read().decode(errors="replace")
        if code < 0:
            output += f"{arguments[0]}: ended by signal {-code}\n"
        return self.end(code, used.ru_utime + used.ru_stime, output)

    def end(self, code, cpu, output):
        with self.lock:
            self.output += output
            self.failed |= code != 0
            self.cpu += cpu
            self.ended += 1
            return self.ended == len(self.parts)

    def line(self, start):
        tests = sum(int(next(filter(None, match))) for match in COUNTS.findall(self.output))
        state, now = "FAILED" if self.failed else "ok", time.monotonic() - start
        return (f"{self.name:<20} {state:<6} {self.cpu:5.0f} s CPU, at {now:4.0f} s"
                + (f"   {tests} tests" if tests and not self.failed else ""))


def run_suites(suites, slots, out=sys.stdout):
    """Runs the parts of all suites in their order, `slots` at a time; gives the number of suites that failed."""
    start = time.monotonic()
    with ThreadPoolExecutor(slots) as pool:
        runs = {pool.submit(suite.run, part): suite for suite in suites for part in suite.parts}
        try:
            for run in as_completed(runs):
                if run.result():
                    suite = runs[run]
                    out.write((suite.output if suite.failed else "") + suite.line(start) + "\n")
                    out.flush()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    failed = sum(suite.failed for suite in suites)
    out.write(f"suites: {len(suites) - failed} passed, {failed} failed, {time.monotonic() - start:.0f} s\n")
    return failed


def suites_of(build, cpus):
    """All suites, the longest first, and how many parts to run at a time."""
    # pytest takes half of the CPUs, at least one: a second worker would import torch once more.
    workers = max(1, cpus // 2)
    parallel = ["-n", workers, "--dist", "loadfile"] if workers > 1 else []
    # One thread for the oracles: other tests run at the same time.
    suites = [Suite("e2e", [([build / "venv/bin/python", "-m", "pytest", "-q", *parallel, "-p", "no:cacheprovider", "test/e2e",
                              "test/scripts"], {"OMP_NUM_THREADS": "1"})])]
    programs = sorted((build / "bin/test").glob("*_test"),
                      key=lambda path: (LONGEST.index(path.name) if path.name in LONGEST else len(LONGEST), path.name))
    for program in programs:
        shards = 3 * cpus if program.name in LONGEST else 1
        numbers = [{"GTEST_TOTAL_SHARDS": str(shards), "GTEST_SHARD_INDEX": str(i)} for i in range(shards)]
        suites.append(Suite(program.name, [([program, "--gtest_brief=1"], number) for number in numbers]))
    suites += [Suite("conformance", [([build / "bin/llmir-conformance", "--target", target, "--filter", cases], {})
                                     for target, cases in CONFORMANCE.items()]),
               Suite("fuzz", [(["scripts/fuzz.sh", "check", build], {})]),
               Suite("lit", [([LIT, "-s", "-j1", build / "test"], {})]),
               Suite("lit-roundtrip", [([LIT, "-s", "-j1", "--param", "verify-roundtrip=1", build / "test"], {})]),
               Suite("docs", [(["scripts/generate_docs.py", "--check"], {})]),
               Suite("layers", [(["python3", "scripts/check_layers.py"], {})])]
    return suites, cpus - workers + 1


if __name__ == "__main__":
    sys.exit(min(1, run_suites(*suites_of(Path(os.environ["LLMIR_BUILD"]).resolve(), len(os.sched_getaffinity(0))))))
