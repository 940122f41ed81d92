#!/usr/bin/env python3
"""Runs one test and builds only what it needs: `make check T=PATH`.

PATH is a lit file (test/transforms/fuse.mlir), a GoogleTest source (test/runtime/KvTest.cpp), a GoogleTest binary
(runtime_test), each with an optional ::Suite.Name, or a pytest file or test (test/e2e/test_cli.py::test_help_and_version).
Needs LLMIR_BUILD (build folder); LLMIR_MODEL (the demo model) for the tests that run one.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIT = "/usr/lib/llvm-22/bin/lit"


class Unknown(Exception):
    """What was asked for is no test; the message says what is one."""


def targets_of(build):
    """The programs that the build folder knows how to build, and the libraries that tests load."""
    listed = subprocess.run(["ninja", "-C", build, "-t", "targets", "all"], capture_output=True, text=True, check=True)
    outputs = (line.split(":")[0] for line in listed.stdout.splitlines())
    return {Path(output).stem for output in outputs if re.fullmatch(r"bin/(test/)?[^/]+", output)}


def programs_in(text, known):
    """The targets whose names stand in a test's text as words of their own."""
    return sorted(set(re.findall(r"(?<![\w-])[a-z]\w*(?:-[a-z]+)*(?![\w-])", text)) & known)


def gtest_filter(source, name):
    """The filter for one test, or for all that a source file declares."""
    if name:
        return f"{name}:*/{name}/*:{name}/*"
    suites = re.findall(r"^TEST(?:_[FP])?\(\s*(\w+)", source, re.MULTILINE)
    return ":".join(f"{suite}.*:*/{suite}.*" for suite in dict.fromkeys(suites))


def plan(wanted, root, build, known):
    """(targets to build, command to run) for what T= names."""
    path, _, name = wanted.partition("::")
    if re.fullmatch(r"\w+_test", path) and path in known:
        return [path], [f"{build}/bin/test/{path}"] + ([f"--gtest_filter={gtest_filter('', name)}"] if name else [])
    file = root / path
    if not file.is_file():
        raise Unknown(f"T={wanted}: {path} is neither a file nor a GoogleTest binary; "
                      "give a .mlir, a *Test.cpp, a test_*.py or a name like runtime_test")
    relative = file.resolve().relative_to(root)
    text = file.read_text()
    if file.suffix in (".mlir", ".test"):
        runs = "\n".join(line for line in text.splitlines() if "RUN:" in line)
        return sorted(set(programs_in(runs, known)) | {"llmir-opt"}), [LIT, "-v", f"{build}/{relative}"]
    if file.name.endswith("Test.cpp"):
        binary = f"{relative.parts[1]}_test"
        if binary not in known:
            raise Unknown(f"T={wanted}: {build} has no target {binary}; run make build")
        return [binary], [f"{build}/bin/test/{binary}", f"--gtest_filter={gtest_filter(text, name)}"]
    if file.name.startswith("test_") and file.suffix == ".py":
        # A test names the programs it starts; what helpers beside it start is named in them.
        helpers = [p.read_text() for p in file.parent.glob("*.py") if re.search(rf"\b{p.stem}\b", text)]
        found = programs_in("\n".join([text, *helpers]), known)
        if "llmir" in found and "llmirc" in known:
            found.append("llmirc")
        python = build / "venv" / "bin" / "python"
        return found, [str(python if python.exists() else sys.executable), "-m", "pytest", "-q", "-p", "no:cacheprovider",
                       str(relative) + (f"::{name}" if name else "")]
    raise Unknown(f"T={wanted}: {path} is no test: give a .mlir, a *Test.cpp, a test_*.py or a name like runtime_test")


def main():
    build = Path(os.environ["LLMIR_BUILD"])
    try:
        targets, command = plan(sys.argv[1], ROOT, build, targets_of(build))
    except Unknown as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if targets and subprocess.run(["ninja", "-C", build, *targets]).returncode:
        return 1
    print("== " + " ".join(map(str, command)), flush=True)
    if "bin/test/" in command[0]:
        listed = subprocess.run([*command, "--gtest_list_tests"], capture_output=True, text=True).stdout
        if not re.search(r"^  ", listed, re.MULTILINE):
            print(f"error: T={sys.argv[1]}: no test of that name", file=sys.stderr)
            return 1
    return subprocess.run(command, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
