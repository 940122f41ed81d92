"""The llmir program from the outside: its help, its errors, its promises."""

import numpy as np
import pytest

from conftest import BUILD

needs_compiler = pytest.mark.skipif(not (BUILD / "bin" / "llmirc").exists(), reason="llmirc is not built")


def error_of(result):
    lines = result.stderr.decode().splitlines()
    assert result.returncode == 1, lines
    assert lines and lines[-1].startswith("error: ")
    assert sum(line.startswith("error: ") for line in lines) == 1
    return lines[-1]


def test_help_and_version(llmir):
    assert llmir("--version").stdout.startswith(b"llmir ")
    for command in ("run", "chat", "bench", "explain", "eval", "inspect", "compile", "cache", "import", "tokenize", "targets", "completion", "version"):
        assert b"Example" in llmir(command, "--help").stdout


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["run", "m.gguf", "--no-such-flag"], "unknown option '--no-such-flag'; see llmir run --help"),
        (["run", "m.gguf", "--prefil-chunk=4"], "unknown option '--prefil-chunk' (did you mean --prefill-chunk?)"),
        (["run", "m.gguf", "--prompt", "a", "--kv", "f8"], "--kv: 'f8' is not possible: one of f16, f32"),
        (["run", "m.gguf", "--prompt", "a", "--threads", "0"], "--threads: '0' is not possible: a whole number from 1 to"),
        (["run", "m.gguf", "--prompt", "a", "--threads"], "--threads needs a value: a whole number from 1 to"),
        (["run", "m.gguf", "--prompt", "a", "--tokens", "1"], "--prompt and --tokens exclude each other"),
        (["run", "m.gguf", "--prompt", "a", "--top-p", "2"], "--top-p: '2' is not possible: a number from 0 to 1"),
        (["run", "m.gguf", "--tokens", "1", "--chat"], "--chat needs --prompt"),
        (["run", "m.gguf", "one", "two"], "unexpected argument 'one'"),
        (["run", "m.gguf"], "run needs a prompt: give --prompt TEXT or --tokens IDS"),
        (["run", "m.gguf", "--no-cache=maybe", "--prompt", "a"], "--no-cache: 'maybe' is not possible: true or false"),
        (["run", "m.gguf", b"--fr\xffob"], "unknown option '--fr?ob'; see llmir run --help"),
        (["eval", "m.gguf"], "eval needs a text: give --text FILE or --tokens-file FILE"),
        (["eval", "m.gguf", "--text", ""], "--text: '' is not possible: the name of a file is expected"),
        (["run", "m.gguf", "--prompt", "a", "--config", ""], "--config: '' is not possible: the name of a file"),
        (["run", "m.gguf", "--prompt", "a", "--temperature", "0x1"], "--temperature: '0x1' is not possible: a number"),
        (["run", "m.gguf", "--prompt", "a", "--seed", "-1"], "--seed: '-1' is not possible: a whole number from 0"),
        (["tokenize", "/nowhere.gguf", "--text", "a"], "/nowhere.gguf"),
        (["tokenize", "m.gguf"], "give --text TEXT or --file FILE, or --ids IDS"),
        (["tokenize", "m.gguf", "--text", "a", "--file", "b"], "--text and --file exclude each other"),
        (["tokenize", "m.gguf", "--text", "a", "--ids", "1"], "--text and --ids exclude each other"),
        (["tokenize"], "MODEL is missing: Model: a GGUF file"),
        (["chat"], "MODEL is missing: Model: a GGUF file"),
        (["chat", "/nowhere.gguf"], "/nowhere.gguf"),
        (["import", "m.gguf", "--kv", "f8"], "--kv: 'f8' is not possible: one of f16, f32"),
        (["completion", "tcsh"], "SHELL: 'tcsh' is not possible: one of bash, zsh, fish"),
        (["targets", "x"], "unexpected argument 'x'"),
        (["run", "m.gguf", "--color", "pink"], "--color: 'pink' is not possible: one of auto, always, never"),
        ([], "a command is missing; see llmir --help"),
        (["--frob"], "unknown option '--frob'; see llmir --help"),
        (["frob"], "unknown command 'frob': the commands are run, "),
        (["tokenise"], "unknown command 'tokenise' (did you mean tokenize?)"),
    ],
)
def test_bad_arguments(llmir, arguments, expected):
    assert expected in error_of(llmir(*arguments))


@needs_compiler
def test_bad_model_files(llmir, tmp_path):
    empty = tmp_path / "empty.gguf"
    empty.touch()
    assert "no such file" in error_of(llmir("run", "/nowhere.gguf", "--prompt", "a"))
    assert "is a folder" in error_of(llmir("run", tmp_path, "--prompt", "a"))
    assert "is empty" in error_of(llmir("run", empty, "--prompt", "a"))


@needs_compiler
def test_bad_tokens(llmir, model, tmp_path):
    ids = tmp_path / "ids.txt"
    ids.write_text("1 2\n3 x\n")
    assert "ids.txt: line 2, column 3" in error_of(llmir("eval", model, "--tokens-file", ids, "--logits", tmp_path / "o"))
    assert "99999999" in error_of(llmir("run", model, "--tokens", "1,99999999"))
    message = error_of(llmir("run", model, "--tokens", "1,2,3", "--context", "2"))
    assert "3 tokens, the context 2" in message and "--context" in message


@needs_compiler
def test_logits_do_not_depend_on_how_they_are_computed(llmir, model, tmp_path):
    ids = tmp_path / "ids.txt"
    ids.write_text(" ".join(str(i * i % 1000 + 20) for i in range(70)))

    def logits(*arguments):
        out = tmp_path / "logits.npy"
        result = llmir("eval", model, "--tokens-file", ids, "--logits", out, *arguments)
        assert result.returncode == 0, result.stderr
        return np.load(out)

    expected = logits("--threads", 1)
    assert expected.shape[0] == 70 and expected.dtype == np.float32 and np.isfinite(expected).all()
    for arguments in (["--threads", 2], ["--prefill-chunk", 1], ["--prefill-chunk", 33, "--batch", 3], ["--batch", 32]):
        assert np.array_equal(logits(*arguments), expected), arguments


@needs_compiler
def test_raw_prints_the_completion_alone(llmir, model):
    arguments = ["run", model, "--chat", "--prompt", "What is the capital of France?", "--max-tokens", 16]
    arguments += ["--activations", "int16"]  # with int8, which answer comes hangs on the CPU's order of sums
    raw, plain = llmir(*arguments, "--raw"), llmir(*arguments, "--prefill-chunk", 5)
    assert raw.returncode == plain.returncode == 0
    assert b"Paris" in raw.stdout
    assert plain.stdout == raw.stdout + b"\n" and b"tokens/s" in plain.stderr
