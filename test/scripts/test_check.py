"""What runs all suites: every part is run, a failure is shown and counted, and parts run side by side."""
import io
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import check  # noqa: E402


def shell(text, **variables):
    return ["sh", "-c", text], variables


def run(*suites, slots=2):
    out = io.StringIO()
    return check.run_suites(suites, slots, out), out.getvalue()


def test_parts_are_one_suite():
    gtest = "echo \"[  PASSED  ] $N tests.\""
    failed, text = run(check.Suite("some_test", [shell(gtest, N="20"), shell(gtest, N="3")]))
    assert failed == 0 and text.count("some_test") == 1 and text.splitlines()[0].endswith("   23 tests")
    assert "suites: 1 passed, 0 failed" in text


@pytest.mark.parametrize("bad", ["echo why it failed; exit 3", "echo why it failed; kill -SEGV $$"])
@pytest.mark.parametrize("first", [True, False])
def test_one_bad_part_fails_its_suite(bad, first):
    parts = [shell(bad), shell("echo '[  PASSED  ] 7 tests.'")]
    failed, text = run(check.Suite("bad", parts if first else parts[::-1]), check.Suite("good", [shell("echo nothing to see")]))
    assert failed == 1 and "suites: 1 passed, 1 failed" in text
    assert "why it failed" in text and "nothing to see" not in text
    assert [line.split()[1] for line in text.splitlines() if line.startswith(("bad ", "good "))].count("FAILED") == 1


def test_a_program_that_is_not_there_is_a_failure():
    failed, text = run(check.Suite("gone", [(["/nowhere/gone_test"], {})]))
    assert failed == 1 and "/nowhere/gone_test" in text


def test_parts_run_side_by_side(tmp_path):
    # The first ends when the second reads what it writes: one at a time, this would never end.
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert run(check.Suite("pair", [shell(f"echo > {fifo}"), shell(f"cat {fifo}")]))[0] == 0


def test_every_suite_is_there(tmp_path):
    (tmp_path / "bin/test").mkdir(parents=True)
    for name in ("aaa_test", "codegen_test", "compiler_test", "plugin.so"):
        (tmp_path / "bin/test" / name).touch()
    for cpus in (1, 2, 16):
        suites, slots = check.suites_of(tmp_path, cpus)
        assert [suite.name for suite in suites] == ["e2e", "compiler_test", "codegen_test", "aaa_test", "conformance", "fuzz", "lit",
                                                    "lit-roundtrip", "docs", "layers"]
        assert slots >= 1
        for suite in suites:
            shards = [variables["GTEST_SHARD_INDEX"] for _, variables in suite.parts if variables.get("GTEST_TOTAL_SHARDS")]
            assert shards == [str(i) for i in range(len(suite.parts))] or not shards
