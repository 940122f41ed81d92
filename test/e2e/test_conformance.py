"""llmir-conformance from the outside: what it lists, how it says what is wrong, and that it sees a wrong number."""

import platform
import subprocess

import pytest

from conftest import BUILD

FOREIGN = "x86-64" if platform.machine() == "aarch64" else "aarch64"


def conformance(*arguments):
    return subprocess.run([BUILD / "bin/llmir-conformance", *arguments], capture_output=True, text=True, timeout=120)


def test_lists_cases_of_every_kind():
    names = conformance("--list").stdout.splitlines()
    assert len(names) == len(set(names)) > 400
    assert {name.split("/")[0] for name in names} >= {"linear", "embed", "attention", "experts", "model", "rope", "rms_norm", "glu"}
    assert conformance("--list", "--perf").stdout.splitlines()[0].startswith("perf/linear/")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--device", "gpu"], "error: --device gpu: there is one device, cpu\n"),
        (["--filter", "lin,x"], "error: --filter 'lin,x': no case has such a name; --list names all\n"),
        (["--perf", "--target", FOREIGN], f"error: --perf: nothing here runs {FOREIGN} at its own speed: choose another --target\n"),
        (["--target", "z80"], "error: unknown target 'z80': known are host, x86-64-v4-vnni,"),
    ],
)
def test_says_what_is_wrong(arguments, message):
    result = conformance(*arguments)
    assert result.returncode == 1
    assert result.stderr.startswith(message)


def test_finds_wrong_lanes():
    # Five faults in each of six kernels. Some fall on lanes that nobody reads, or that cancel out.
    cases = "linear/q4_0/int8/1x32,linear/f16/*/37x100*,rms_norm/f32/37,addf/37,rope/half/24*,embed/q6_k/256"
    result = conformance("--target", "x86-64", "--wrong-lanes", "0,1,2,3,4", "--filter", cases)
    *lines, summary = result.stdout.splitlines()
    if "skip " in lines[0]:
        pytest.skip(summary)
    assert result.returncode == 1 and len(lines) == 30
    found = [line for line in lines if line.startswith("FAIL ")]
    assert len(found) >= 20, result.stdout
    assert len({line.split()[2] for line in found}) == 6, result.stdout
    for line in found:
        assert " with a wrong lane " in line and " of the root mean square apart, " in line


def test_times_what_it_runs():
    result = conformance("--perf", "--filter", "perf/linear/q4_0/int8/*")
    assert result.returncode == 0, result.stdout
    line = result.stdout.splitlines()[0]
    assert line.startswith("ok   host perf/linear/q4_0/int8/2048x2048: 1 rows ")
    assert line.count(" GB/s ") == 3
