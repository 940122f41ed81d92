"""What the programs do where nothing can be printed, written, started or had: one line, exit code 1, no crash, no hang."""
import os
import resource
import shutil
import subprocess

import gguf
import numpy as np
import pytest
import tiny_models
from conftest import BUILD, NO_PROFILE
from test_cli import error_of, needs_compiler

pytestmark = needs_compiler
ASK = ["--tokens", "1,2,3", "--max-tokens", "2"]
BENCH = ["--prefill", "4", "--batch", "1", "--decode", "2", "--repetitions", "1"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    tiny_models.write_tiny(path, 5)
    return path


@pytest.fixture(scope="module")
def ids(tmp_path_factory):
    path = tmp_path_factory.mktemp("ids") / "ids"
    path.write_text("1 2 3 4 5 6")
    return path


def run(program, *arguments, redirect="", env, limits=None):
    """Through a shell, for what only a shell can do with streams; returns the completed process."""
    return subprocess.run(["sh", "-c", f'exec "$@" {redirect}', "sh", str(BUILD / "bin" / program), *map(str, arguments)],
                          env=env, capture_output=True, timeout=60, preexec_fn=limits, stdin=subprocess.DEVNULL)


def printing(tiny, ids):
    """Every command in every way that it prints."""
    return [
        ("llmir", ["--help"]), ("llmir", ["run", "--help"]), ("llmir", ["--version"]), ("llmir", ["version"]),
        ("llmir", ["targets"]), ("llmir", ["completion", "bash"]), ("llmir", ["reference"]),
        ("llmir", ["cache"]), ("llmir", ["cache", "--json"]), ("llmir", ["cache", "--clean"]),
        ("llmir", ["inspect", tiny]), ("llmir", ["inspect", tiny, "--json"]), ("llmir", ["compile", tiny]),
        ("llmir", ["import", tiny]), ("llmir", ["tokenize", tiny, "--text", "a"]), ("llmir", ["tokenize", tiny, "--ids", "1,2"]),
        ("llmir", ["run", tiny, *ASK]), ("llmir", ["run", tiny, *ASK, "--raw"]), ("llmir", ["run", tiny, "--stop-after", "cse"]),
        ("llmir", ["bench", tiny, *BENCH]), ("llmir", ["bench", tiny, *BENCH, "--json", "-"]),
        ("llmir", ["eval", tiny, "--tokens-file", ids]), ("llmir", ["eval", tiny, "--tokens-file", ids, "--json", "-"]),
        ("llmirc", ["--help"]), ("llmirc", ["targets"]), ("llmirc", ["import", tiny]), ("llmirc", ["plan", tiny]),
    ]


@pytest.mark.parametrize("redirect, reason", [("> /dev/full", "No space left on device"), (">&-", "Bad file descriptor")])
def test_stdout_that_takes_nothing_is_an_error(llmir, tiny, ids, redirect, reason):
    for program, arguments in printing(tiny, ids):
        message = error_of(run(program, *arguments, redirect=redirect, env=llmir.env))
        assert "stdout" in message, (arguments, message)
        assert reason in message or "the completion cannot be written" in message, (arguments, message)


@pytest.mark.parametrize("redirect", ["2> /dev/full", "2>&-", "<&-", "<&- 2>&-"])
def test_other_streams_are_not_missed(llmir, tiny, ids, redirect):
    usual = run("llmir", "run", tiny, *ASK, env=llmir.env)
    for others in ([], ["--no-cache"]):
        odd = run("llmir", "run", tiny, *ASK, *others, redirect=redirect, env=llmir.env)
        assert usual.returncode == odd.returncode == 0 and odd.stdout == usual.stdout, (others, odd)
    assert run("llmir", "version", redirect=redirect, env=llmir.env).stdout.startswith(b"llmir ")
    assert run("llmir", "run", "/nowhere", *ASK, redirect=redirect, env=llmir.env).returncode == 1
    assert run("llmirc", "import", "/nowhere", redirect=redirect, env=llmir.env).returncode == 1


def test_no_file_takes_the_place_of_a_closed_stream(llmir, tiny, ids, tmp_path):
    out = tmp_path / "out.npy"
    for redirect in ("", "<&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"):
        run("llmir", "eval", tiny, "--tokens-file", ids, "--logits", out, "--no-cache", redirect=redirect, env=llmir.env)
        size = out.stat().st_size
        out.unlink()
        assert size == 128 + 6 * 4 * (size - 128) // 24 and (size - 128) % 24 == 0


def test_chat_without_streams(llmir, tiny):
    assert "stdin: cannot be read: Bad file descriptor" in error_of(run("llmir", "chat", tiny, redirect="<&-", env=llmir.env))
    chat = lambda redirect: subprocess.run(["sh", "-c", f'echo hi | "$@" {redirect}', "sh", str(BUILD / "bin" / "llmir"), "chat", str(tiny)],  # noqa: E731
                                           env=llmir.env, capture_output=True, timeout=60)
    assert "the answer cannot be written to stdout" in chat("> /dev/full").stderr.decode()
    assert "stdin: a line has more than" in error_of(llmir("chat", tiny, input=b"x" * (17 << 20)))


def test_files_that_cannot_be_written(llmir, tiny, ids, tmp_path):
    asked = ["eval", tiny, "--tokens-file", ids]
    for arguments, expected in [
        ([*asked, "--json", "/dev/full"], "/dev/full: cannot be written: No space left on device"),
        ([*asked, "--json", tmp_path], f"{tmp_path}: cannot be written: Is a directory"),
        ([*asked, "--logits", "/dev/full"], "/dev/full: cannot be written: No space left on device"),
        ([*asked, "--logits", tmp_path], f"{tmp_path}: cannot be written: Is a directory"),
        ([*asked, "--logits", "/nowhere/x"], "/nowhere/x: cannot be written: No such file or directory"),
        ([*asked, "--logits", "a", "--context", 5], f"{ids}: has 6 tokens, the context 5: raise --context"),
        ([*asked, "--logits", "a", "--json", "b"], "--logits writes logits and compares nothing"),
        (["bench", tiny, *BENCH, "--json", "/dev/full"], "/dev/full: cannot be written: No space left on device"),
        (["run", tiny, *ASK, "--dump-dir", ids], f"--dump-dir: {ids}/00-import.mlir: cannot be written: Not a directory"),
        (["run", tiny, *ASK, "--dump-dir", "/dev/full/x"], "--dump-dir=/dev/full/x: cannot be made"),
    ]:
        assert expected in error_of(llmir(*arguments)), arguments
    few = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))  # noqa: E731
    llmir("compile", tiny)
    assert "its code cannot be copied into memory: File too large" in error_of(
        run("llmir", *asked, "--logits", tmp_path / "out.npy", env=llmir.env | NO_PROFILE, limits=few))


def test_models_that_are_no_files(llmir, ids, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place, expected in [(pipe, "is not a regular file"), ("/dev/null", "is not a regular file"), (tmp_path, "is "),
                            (ids / "x", f"{ids}/x: "), (ids, "is no GGUF file"), ("", "MODEL: '' is not possible: the name of a file")]:
        for command in (["run", *ASK], ["chat"], ["bench"], ["explain"], ["inspect"], ["compile"], ["import"], ["tokenize", "--text", "a"],
                        ["eval", "--tokens-file", ids]):
            assert expected in error_of(llmir(command[0], place, *command[1:])), (command, place)


def test_places_that_are_not_there(llmir, tiny, tmp_path):
    nowhere = {name: value for name, value in llmir.env.items() if name not in ("LLMIR_CACHE", "XDG_CACHE_HOME", "HOME")}
    for env, options, expected in [
        (llmir.env | {"TMPDIR": "/nowhere"}, ["--no-cache"], "a temporary folder cannot be made (No such file or directory): set TMPDIR"),
        (llmir.env | {"TMPDIR": "/nowhere", "LLMIR_CACHE": str(tmp_path / "c")}, [], "a temporary file cannot be made: No such file or directory; set TMPDIR"),
        (nowhere, [], "set LLMIR_CACHE or HOME, or use --no-cache"),
    ]:
        assert expected in error_of(llmir("run", tiny, *ASK, *options, env=env))
    for folder, expected in [("/nowhere", "a temporary file cannot be made: No such file or directory; set TMPDIR"),
                             ("/proc", "/proc/llmir-plan: cannot be written: ")]:
        assert expected in error_of(llmir("inspect", tiny, env=llmir.env | {"TMPDIR": folder}))
    assert "cannot be read: Not a directory" in error_of(llmir("cache", env=llmir.env | {"LLMIR_CACHE": "/dev/null/x"}))
    gone = tmp_path / "gone"
    gone.mkdir()
    result = subprocess.run(["sh", "-c", 'cd "$1" && rmdir "$1" && shift && exec "$@"', "sh", gone, BUILD / "bin" / "llmir", "cache"],
                            env=llmir.env | {"LLMIR_CACHE": "relative"}, capture_output=True)
    assert "No such file or directory [relative]" in error_of(result)


def test_a_compiler_that_is_not_whole(llmir, tiny, tmp_path):
    program, compiler = shutil.copy(BUILD / "bin" / "llmir", tmp_path), tmp_path / "llmirc"

    def start(*arguments):
        return subprocess.run([program, *map(str, arguments)], env=llmir.env, capture_output=True, timeout=60)

    artifact = tmp_path / "tiny.llmir"
    assert llmir("compile", tiny, "-o", artifact).returncode == 0
    for arguments in (["run", tiny, *ASK], ["compile", tiny], ["import", tiny], ["targets"], ["inspect", tiny]):
        assert f"{compiler}: the compiler is not there: install llmirc beside llmir" in error_of(start(*arguments))
    assert b"the compiler is not there" in start("version").stdout
    for arguments in (["run", artifact, *ASK], ["inspect", artifact]):  # is all that they need
        assert start(*arguments).returncode == 0, arguments
    for script, expected in [
        ("#!/bin/sh\nexit 7\n", "the compiler failed with exit code 7 and no message"),
        ("junk", f"{compiler}: cannot be started: Exec format error"),
        ("#!/bin/sh\nkill -SEGV $$\n", "the compiler was ended by signal 11 (Segmentation fault): please report"),
        ("#!/bin/sh\nkill -KILL $$\n", "the compiler was ended by signal 9 (Killed): the system may be out of memory"),
        ("#!/bin/sh\nexit 127\n", "the compiler cannot be loaded: a library is missing, or memory"),
    ]:
        compiler.write_text(script)
        compiler.chmod(0o755)
        assert expected in error_of(start("import", tiny)), script


@pytest.mark.parametrize("redirect, reason", [("> /dev/full", "No space left on device"), (">&-", "Bad file descriptor")])
def test_the_tools_of_mlir_say_that_stdout_takes_nothing(llmir, tmp_path, redirect, reason):
    module = tmp_path / "module.mlir"
    module.write_text("func.func @f() { return }\n")
    for arguments in (["llmir-opt", module], ["llmir-opt", "--help"], ["llmir-reduce", "--help"]):
        result = run(*arguments, redirect=redirect, env=llmir.env)
        assert result.returncode == 1 and result.stderr.decode() == f"LLVM ERROR: IO failure on output stream: {reason}\n"
    # The server ends when it cannot read its client.
    assert b"Transport error: " in run("llmir-lsp-server", redirect="<&- " + redirect, env=llmir.env).stderr


def test_threads_and_files_that_cannot_be_had(llmir, tiny, tmp_path):
    artifact = tmp_path / "tiny.llmir"
    assert llmir("compile", tiny, "-o", artifact).returncode == 0
    little = lambda: resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))  # noqa: E731
    result = run("llmir", "run", artifact, *ASK, "--threads", 256, env=llmir.env, limits=little)
    if b"Sanitizer" in result.stderr:
        pytest.skip("sanitizers need memory without limits")
    assert "256 threads could not be started" in error_of(result)
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))  # noqa: E731
    assert "llmirc: cannot be started: Too many open files" in error_of(
        run("llmir", "import", tiny, env=llmir.env, limits=few))
    text = tmp_path / "text"
    text.touch()
    os.truncate(text, 400 << 20)  # a hole: it takes no room on the disk
    more = lambda: resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))  # noqa: E731
    assert error_of(run("llmir", "tokenize", tiny, "--file", text, env=llmir.env, limits=more)) == "error: out of memory"


def test_logits_that_are_no_numbers(llmir, tmp_path):
    path = tmp_path / "nan.gguf"
    tiny_models.write_tiny(path, 5)
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path, "r+").tensors}
    tensors["output_norm.weight"].data[:] = np.nan
    tensors["output_norm.weight"].data.flush()
    assert error_of(llmir("run", path, *ASK)) == "error: the logit of token 0 is not a number"


def test_the_other_programs_say_what_is_wrong(llmir, tiny, ids, tmp_path):
    words = tmp_path / "words"
    words.write_text("1 two")
    asked = [tiny, "--tokens-file", ids, "--logits", tmp_path / "out.npy"]
    for program, arguments, expected in [
        ("llmirc", [], "a command is missing; see llmirc --help"),
        ("llmirc", ["compile", tiny], "compile needs -o FILE, or --stop-after PHASE to print IR"),
        ("llmirc", ["compile", "/nowhere", "-o", tmp_path / "x"], "/nowhere: cannot be opened: No such file or directory"),
        ("llmirc", ["plan", tiny, "-o", "/nowhere/x"], "/nowhere/x: cannot be written"),
        ("llmirc", ["plan", tiny, "--activations", "int4"], "--activations: 'int4' is not possible: one of int8, int16"),
        ("llmirc", ["plan", tiny, "--quantize", "int2"], "--quantize: 'int2' is not possible: one of none, int8, int4"),
        ("llmir-reference", [], "model is required; see llmir-reference --help"),
        ("llmir-reference", [tiny], "--tokens-file and --logits are needed, or --print-ir"),
        ("llmir-reference", [*asked, "--kv", "f8"], "--kv f8: must be f32 or f16"),
        ("llmir-reference", [*asked, "--activations", "int4"], "--activations int4: must be none, int8 or int16"),
        ("llmir-reference", [*asked, "--quantize", "int2"], "--quantize int2: must be none, int8 or int4"),
        ("llmir-reference", [tiny, "--tokens-file", words, *asked[3:]], f"{words}: must hold decimal token ids, at least one"),
        ("llmir-reference", [tiny, "--tokens-file", "/nowhere", *asked[3:]], "/nowhere: cannot be read"),
        ("llmir-reference", [*asked[:4], "/dev/full"], "/dev/full: cannot be written"),
    ]:
        if (BUILD / "bin" / program).exists():
            assert expected in error_of(run(program, *arguments, env=llmir.env)), (program, arguments)
