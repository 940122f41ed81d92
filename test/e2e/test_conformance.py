"""llmir-conformance from the outside: what it lists, how it says what is wrong, and that it sees a wrong number."""

import subprocess

import pytest

from conftest import BUILD


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
        (["--target", "z80"], "error: unknown target 'z80': known are host, x86-64-v4-vnni,"),
    ],
)
def test_says_what_is_wrong(arguments, message):
    result = conformance(*arguments)
    assert result.returncode == 1
    assert result.stderr.startswith(message)


def test_a_wrong_number_fails():
    result = conformance("--plant-fault", "--filter", "addf/7,softcap/16")
    lines = result.stdout.splitlines()
    assert result.returncode == 1
    assert lines[-1] == "conformance host: 0 ok, 2 failed, 0 skipped"
    assert lines[0].startswith("FAIL host addf/7: step 0 (1 tokens) row 0 column 6: ")
    assert lines[0].endswith("of the root mean square apart, 1e-05 is allowed")


def test_times_what_it_runs():
    result = conformance("--perf", "--filter", "perf/linear/q4_0/int8/*")
    assert result.returncode == 0, result.stdout
    line = result.stdout.splitlines()[0]
    assert line.startswith("ok   host perf/linear/q4_0/int8/2048x2048: 1 rows ")
    assert line.count(" GB/s ") == 3
