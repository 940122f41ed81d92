"""`make check T=…`: what is built and run for each kind of test."""
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import check_one  # noqa: E402

KNOWN = {"llmir", "llmirc", "llmir-opt", "llmir-reduce", "runtime_test", "gguf_dump"}


def plan(wanted, root=ROOT):
    targets, command = check_one.plan(wanted, root, Path("b"), KNOWN)
    return targets, [str(word) for word in command]


def test_a_lit_file_needs_the_programs_of_its_run_lines(tmp_path):
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "x.mlir").write_text("// RUN: llmir-opt %s | llmir-reduce\n// llmirc is not run\n")
    assert plan("test/x.mlir", tmp_path) == (["llmir-opt", "llmir-reduce"], [check_one.LIT, "-v", "b/test/x.mlir"])


def test_a_source_file_is_a_filter_of_its_binary():
    targets, command = plan("test/runtime/KvTest.cpp")
    assert targets == ["runtime_test"] and command[0] == "b/bin/test/runtime_test"
    suites = command[1].removeprefix("--gtest_filter=").split(":")
    assert suites and all(suite.endswith(".*") for suite in suites)


def test_one_test_of_a_binary():
    assert plan("runtime_test") == (["runtime_test"], ["b/bin/test/runtime_test"])
    assert plan("runtime_test::Kv.Grows")[1][1] == "--gtest_filter=Kv.Grows:*/Kv.Grows/*:Kv.Grows/*"


def test_a_python_test_needs_the_programs_it_names():
    targets, command = plan("test/e2e/test_cli.py::test_help_and_version")
    assert {"llmir", "llmirc"} <= set(targets) and "runtime_test" not in targets
    assert command[1:3] == ["-m", "pytest"] and command[-1] == "test/e2e/test_cli.py::test_help_and_version"


@pytest.mark.parametrize("wanted", ["test/nothing.mlir", "README.md", "no_such_test"])
def test_what_is_no_test(wanted):
    with pytest.raises(check_one.Unknown, match=r"give a \.mlir"):
        plan(wanted)
