"""The layer check finds what breaks the house, and nothing else."""
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_layers.py"


def check(root, *options):
    result = subprocess.run([sys.executable, SCRIPT, *options, root], capture_output=True, text=True)
    assert result.stderr == ""
    return result.returncode, result.stdout.splitlines()


def write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


@pytest.mark.parametrize("path, text, breach", [
    ("llmir/runtime/A.cpp", '// Why.\n#include "llmir/dialect/Llm.h"\n',
     "llmir/runtime/A.cpp:2: runtime may not include dialect (llmir/dialect/Llm.h)"),
    ("llmir/formats/gguf/A.h", '#include "mlir/IR/MLIRContext.h"\n',
     "llmir/formats/gguf/A.h:1: formats is free of MLIR and LLVM (mlir/IR/MLIRContext.h)"),
    ("llmir/cli/A.cpp", "#include <llvm/Support/Path.h>\n",
     "llmir/cli/A.cpp:1: cli is free of MLIR and LLVM (llvm/Support/Path.h)"),
    ("llmir/codegen/cpu/A.cpp", '#include "llmir/codegen/gpu/B.h"\n',
     "llmir/codegen/cpu/A.cpp:1: the target cpu may not include the target gpu"),
    ("llmir/codegen/cpu/A.cpp", 'if (name == "llama") {}\n',
     'llmir/codegen/cpu/A.cpp:1: only frontend and formats know architectures by name ("llama")'),
    ("llmir/magic/A.cpp", "\n", "llmir/magic/A.cpp:1: the folder llmir/magic is not in the table of layers"),
    ("test/x/A.py", "\n" * 801, "test/x/A.py:801: the file has 801 lines, 800 is the limit: split it by meaning"),
])
def test_breaches(tmp_path, path, text, breach):
    write(tmp_path, path, text)
    code, lines = check(tmp_path)
    assert (code, len(lines)) == (1, 1) and lines[0].startswith(breach), lines


@pytest.mark.parametrize("path, text", [
    ("llmir/codegen/cpu/A.cpp", '#include "llmir/dialect/Llm.h"\n#include "mlir/IR/Builders.h"\n'),
    ("llmir/codegen/cpu/A.cpp", '#include "llmir/codegen/Target.h"\n'),
    ("llmir/frontend/arch/A.cpp", 'if (name == "llama") {}\n'),
    ("llmir/runtime/A.cpp", 'fail("as llama.cpp does"); // the "llama" family\n'),
    ("test/A.cpp", '#include "mlir/IR/Builders.h"\n' + "\n" * 799),
    ("docs/A.py", "\n" * 900),
])
def test_what_is_allowed(tmp_path, path, text):
    write(tmp_path, path, text)
    assert check(tmp_path) == (0, [])


def test_long_files_are_named_on_request(tmp_path):
    write(tmp_path, "tools/A.cpp", "\n" * 301)
    assert check(tmp_path) == (0, [])
    assert check(tmp_path, "--long") == (0, ["note: tools/A.cpp: 301 lines, 300 is the aim"])
