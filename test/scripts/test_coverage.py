"""What `make coverage` reads: counts of lines and branches, lines that make errors, and reasons."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import coverage  # noqa: E402


def test_counts_of_the_same_line_add_up_and_other_files_do_not_count():
    source = coverage.ROOT / "llmir" / "support" / "Error.h"
    files = coverage.parse_lcov(f"SF:{source}\nDA:3,0\nDA:4,2\nBRDA:4,0,0,-\nBRDA:4,0,1,7\nend_of_record\n"
                                f"SF:{source}\nDA:3,5\nend_of_record\nSF:/usr/include/x.h\nDA:1,1\nend_of_record\n")
    assert list(files) == [Path("llmir/support/Error.h")]
    assert files[Path("llmir/support/Error.h")].lines == {3: 5, 4: 2}
    assert files[Path("llmir/support/Error.h")].branches == [0, 7]


def test_lines_that_make_an_error_and_never_ran(tmp_path, monkeypatch):
    monkeypatch.setattr(coverage, "ROOT", tmp_path)
    (tmp_path / "a.cpp").write_text('return fail("a");\nreturn failAt(op);\nfailures(1);\nop.emitOpError("b");\nreturn fail("c");\n')
    files = {Path("a.cpp"): coverage.File(lines={1: 0, 2: 0, 3: 0, 4: 0, 5: 1})}
    assert [number for _, number, _ in coverage.untaken_errors(files)] == [1, 2, 4]


def test_reasons():
    assert coverage.reasons('# a comment\n\na.cpp: return fail("{}: {}") | no test can | x\n') == [
        ("a.cpp", 'return fail("{}: {}")', "no test can | x")]
    with pytest.raises(SystemExit, match=":2: must be FILE: "):
        coverage.reasons("\na.cpp no reason\n")


def test_every_line_that_has_a_reason_is_there():
    for file, part, _ in coverage.reasons(coverage.REASONS.read_text()):
        assert part in (coverage.ROOT / file).read_text(), (file, part)
