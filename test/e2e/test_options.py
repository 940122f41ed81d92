"""Options from the command line, the environment and files; token ids, targets, versions, colours."""
import pytest
from conftest import BUILD

needs_compiler = pytest.mark.skipif(not (BUILD / "bin" / "llmirc").exists(), reason="llmirc is not built")


def error_of(result):
    lines = result.stderr.decode().splitlines()
    assert result.returncode == 1 and len(lines) == 1 and lines[0].startswith("error: "), lines
    return lines[0]


def test_the_environment_speaks_and_the_command_line_wins(llmir):
    run = ["run", "/nowhere.gguf", "--prompt", "a"]
    assert "LLMIR_THREADS in the environment: 'x' is not possible: a whole number" in error_of(
        llmir(*run, env=llmir.env | {"LLMIR_THREADS": "x"}))
    assert "/nowhere.gguf" in error_of(llmir(*run, "--threads", 1, env=llmir.env | {"LLMIR_THREADS": "x"}))
    assert "LLMIR_NO_CACHE in the environment: 'maybe'" in error_of(llmir(*run, env=llmir.env | {"LLMIR_NO_CACHE": "maybe"}))


def test_a_file_speaks_and_the_environment_wins(llmir, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("threads: many\n")
    run = ["run", "/nowhere.gguf", "--prompt", "a", "--config", config]
    assert error_of(llmir(*run)) == f"error: {config}:1: threads: 'many' is not possible: a whole number from 1 to 1024 is expected"
    config.write_text("kv: f16\nrun:\n  max-tokens: 3\n  no-cache: yes\neval: {kv: f32}\n")
    assert "/nowhere.gguf" in error_of(llmir(*run))
    in_home = tmp_path / "llmir" / "config.yaml"
    in_home.parent.mkdir()
    in_home.write_text("treads: 3")
    message = error_of(llmir(*run[:-2], env=llmir.env | {"XDG_CONFIG_HOME": str(tmp_path)}))
    assert f"{in_home}:1: unknown option 'treads' (did you mean threads?)" in message
    assert "/nowhere/c.yaml: cannot be opened" in error_of(llmir(*run[:-2], env=llmir.env | {"LLMIR_CONFIG": "/nowhere/c.yaml"}))


BOMB = "a: &a [x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20))


@pytest.mark.parametrize(
    "text, expected",
    [
        ("treads: 3", "1: unknown option 'treads' (did you mean threads?)"),
        ("threads: 3\nthreads: 4", "2: 'threads' is here a second time"),
        ("run: {kv: f16}\nrun: {kv: f32}", "2: "),
        ("run:\n  temprature: 1", "2: unknown option 'temprature' of run (did you mean temperature?)"),
        ("rum:\n  threads: 1", "unknown section 'rum' (did you mean run?)"),
        ("eval:\n  batch: none", "2: batch: 'none' is not possible"),
        ("threads: [1]", "1: threads: one value is expected, not a list"),
        ("threads:", "1: 'threads' has no value"),
        ("run:\n  kv:\n    x: 1", "3: 'kv': nested deeper"),
        ("- threads", "1: a list; 'option: value' lines are expected"),
        ("threads", "1: plain text; 'option: value' lines are expected"),
        ("config: x", "unknown option 'config'"),
        ("threads: 1\n---\nthreads: 2", "a second document; one is expected"),
        ("x: *y", "1: "),
        (BOMB, "1: an anchor (&name)"),
        ("{", "no valid YAML"),
        ("[" * 5000, "1: "),
        ("# " + "x" * 70000, "has 70002 bytes; a configuration file has at most 65536"),
        ("\x00\x01", "1: "),
    ],
)
def test_bad_files(llmir, text, expected, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(text)
    assert expected in error_of(llmir("tokenize", "/nowhere.gguf", "--text", "a", "--config", config))


def test_color(llmir):
    def is_colored(*arguments, **env):
        return b"\x1b[" in llmir(*arguments, env=llmir.env | env).stdout

    assert not is_colored("run", "--help")
    assert is_colored("--color", "always", "run", "--help") and is_colored("run", "--help", "--color=always")
    assert not is_colored("run", "--help", "--color", "never")
    assert b"\x1b[1;31merror:\x1b[0m" in llmir("tokenize", "/nowhere", "--text", "a", "--color", "always").stderr


def test_tokens_and_back(llmir, model, tmp_path):
    text = "Hello, wörld\n 日本 <|im_end|>"
    ids = llmir("tokenize", model, "--text", text).stdout.decode().split()
    (tmp_path / "text").write_text(text)
    assert llmir("tokenize", model, "--file", tmp_path / "text").stdout.decode().split() == ids
    assert llmir("tokenize", model, "--ids", ",".join(ids)).stdout.decode() == text
    assert "--ids: line 1, column 3: 'x' is no token id" in error_of(llmir("tokenize", model, "--ids", "1,x"))
    assert "/nowhere: cannot be opened" in error_of(llmir("tokenize", model, "--file", "/nowhere"))


@needs_compiler
def test_targets_and_version(llmir):
    lines = llmir("targets").stdout.decode().splitlines()
    assert sum(" host " in line for line in lines) == 1
    assert any(line.startswith("x86-64-v3 ") and "needs avx2 fma" in line for line in lines)
    version = llmir("version").stdout.decode()
    assert version.startswith("llmir ") and "ABI of compiled models: " in version and "LLVM 22" in version
