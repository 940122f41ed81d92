#!/usr/bin/env python3
"""Runs all tests in a build that counts and says what they reach: `make coverage`.

Prints lines and branches of each folder under llmir/, and every error path that no test takes: a line that makes an error and
never ran. The pages in BUILD/html show each file. Exit code 1 if a test fails or an error path is not taken that
scripts/untested_errors.txt does not name with its reason. Usage: coverage.py BUILD MODEL
"""
import os
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LLVM = Path("/usr/lib/llvm-22/bin")
REASONS = ROOT / "scripts" / "untested_errors.txt"
# What makes an error that a user sees.
MAKES_ERROR = re.compile(r"\b(fail|fail[A-Z]\w*|emitOpError|emitError)\(")


@dataclass
class File:
    lines: dict = field(default_factory=dict)  # number -> how often it ran
    branches: list = field(default_factory=list)  # how often each was taken


def run_tests(build, model):
    """Runs the tests with one profile a program; returns whether all passed."""
    profiles = build / "profiles"
    profiles.mkdir(exist_ok=True)
    for old in profiles.glob("*.profraw"):
        old.unlink()
    venv = build / "venv"
    if not venv.exists():
        venv.symlink_to(ROOT / "build" / "venv")
    variables = {"LLMIR_BUILD": str(build), "LLMIR_MODEL": model, "LLVM_PROFILE_FILE": str(profiles / "%m.profraw")}
    return subprocess.run([ROOT / "scripts" / "check.py"], env=os.environ | variables).returncode == 0


def is_program(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def read_counts(build):
    """The counts of all source files of the product, from the profiles of all programs."""
    merged = build / "profiles" / "all.profdata"
    subprocess.run([LLVM / "llvm-profdata", "merge", "--sparse", "-o", merged, *(build / "profiles").glob("*.profraw")], check=True)
    programs = [path for path in [*(build / "bin").iterdir(), *(build / "bin" / "test").iterdir()] if path.is_file() and is_program(path)]
    asked = [f"--instr-profile={merged}", programs[0], *(f"--object={path}" for path in programs[1:])]
    subprocess.run([LLVM / "llvm-cov", "show", "--format=html", f"--output-dir={build / 'html'}", *asked, f"--sources={ROOT / 'llmir'}"],
                   check=True, stdout=subprocess.DEVNULL)
    lcov = subprocess.run([LLVM / "llvm-cov", "export", "--format=lcov", *asked], check=True, capture_output=True, text=True).stdout
    return parse_lcov(lcov)


def parse_lcov(text):
    files, current = {}, None
    for row in text.splitlines():
        kind, _, rest = row.partition(":")
        if kind == "SF":
            path = Path(rest)
            current = files.setdefault(path.relative_to(ROOT), File()) if path.is_relative_to(ROOT / "llmir") else None
        elif current is None:
            continue
        elif kind == "DA":
            line, count = map(int, rest.split(",")[:2])
            current.lines[line] = current.lines.get(line, 0) + count
        elif kind == "BRDA":
            count = rest.rsplit(",", 1)[1]
            current.branches.append(0 if count == "-" else int(count))
    return files


def share(counts):
    counts = list(counts)
    return f"{100 * sum(count > 0 for count in counts) / len(counts):5.1f} %" if counts else "      -"


def print_folders(files):
    folders = defaultdict(list)
    for path, file in files.items():
        folders[str(path.parent)].append(file)
    print(f"{'folder':<36}   lines   branches")
    for folder, members in sorted(folders.items()):
        lines = share(count for file in members for count in file.lines.values())
        print(f"{folder:<36} {lines}    {share(count for file in members for count in file.branches)}")


def untaken_errors(files):
    """(file, line number, text) of all lines that make an error and never ran."""
    for path, file in sorted(files.items()):
        text = (ROOT / path).read_text().splitlines()
        for number, count in sorted(file.lines.items()):
            if count == 0 and MAKES_ERROR.search(text[number - 1]):
                yield path, number, text[number - 1].strip()


def reasons(text):
    """(file, part of the source line, reason) of each line `FILE: PART | REASON`."""
    found = []
    for number, row in enumerate(text.splitlines(), 1):
        if not row or row.startswith("#"):
            continue
        match = re.fullmatch(r"(\S+): (.+?) \| (.+)", row)
        if not match:
            sys.exit(f"error: {REASONS}:{number}: must be FILE: PART OF THE SOURCE LINE | REASON")
        found.append(match.groups())
    return found


def main(build, model):
    passed = run_tests(build, model)
    files = read_counts(build)
    print_folders(files)
    known, unknown, used = reasons(REASONS.read_text()), [], set()
    for path, number, text in untaken_errors(files):
        row = next((row for row in known if row[0] == str(path) and row[1] in text), None)
        if row:
            used.add(row)
        else:
            unknown.append(f"{path}:{number}: {text}")
    print(f"\nerror paths that no test takes, and why ({REASONS.relative_to(ROOT)}):")
    for place, text, reason in known:
        print(f"  {place}: {text}: {reason}" + ("" if (place, text, reason) in used else "  [a test takes it now: remove the line]"))
    print("\nerror paths that no test takes and nobody argues for:" if unknown else "\nno other error path is without a test")
    print("\n".join(unknown))
    print(f"pages: {build / 'html' / 'index.html'}")
    return passed and not unknown


if __name__ == "__main__":
    sys.exit(0 if main(Path(sys.argv[1]).resolve(), sys.argv[2]) else 1)
