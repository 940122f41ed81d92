"""Shell completion and the reference page: both come from the table of options."""
import re
import shutil
import subprocess

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_parse(llmir, shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    result = llmir("completion", shell)
    assert result.returncode == 0, result.stderr
    script = tmp_path / "script"
    script.write_bytes(result.stdout)
    check = subprocess.run([shell, "-n", script], capture_output=True)
    assert check.returncode == 0 and not check.stderr, check.stderr


@pytest.mark.parametrize(
    "words, expected",
    [
        (["tokeni"], ["tokenize"]),
        (["run", "m.gguf", "--pre"], ["--prefill-chunk", "--presence-penalty"]),
        (["run", "m.gguf", "--kv", "f"], ["f16", "f32"]),
        (["run", "m.gguf", "--kv", "=", "f3"], ["f32"]),  # --kv=f3, as bash splits it
        (["--color", "ne"], ["never"]),
        (["completion", ""], ["bash", "fish", "zsh"]),
        (["run", "mod"], ["model.gguf"]),
        (["run", "m.gguf", "--threads", ""], []),
        (["--vers"], ["--version"]),
    ],
)
def test_bash_completes(llmir, words, expected, tmp_path):
    (tmp_path / "model.gguf").touch()
    script = llmir("completion", "bash").stdout.decode() + """
COMP_WORDS=(llmir "$@"); COMP_CWORD=$#
_llmir
printf '%s\\n' "${COMPREPLY[@]}"
"""
    result = subprocess.run(["bash", "-c", script, "bash", *words], cwd=tmp_path, capture_output=True, text=True)
    assert sorted(result.stdout.split()) == expected, result.stderr


def test_the_reference_names_every_option(llmir):
    page = llmir("reference", "--markdown").stdout.decode()
    assert "## llmir run\n" in page and "## llmir reference" not in page
    assert "| `--prefill-chunk` | a whole number from 1 to 65536 | 512 | `LLMIR_PREFILL_CHUNK` |" in page
    for flag in re.findall(r"^ {2,6}(?:-\w, )?(--[a-z-]+)", llmir("run", "--help").stdout.decode(), re.MULTILINE):
        assert flag == "--help" or f"`{flag}`" in page
