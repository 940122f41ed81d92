"""Compiled models from the outside: `llmir compile`, `llmir cache`, and places that cannot be written."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from conftest import BUILD, NO_PROFILE
from test_cli import error_of, needs_compiler

pytestmark = needs_compiler
PROGRAM = BUILD / "bin" / "llmir"
ASK = ["--tokens", "1,2,3", "--max-tokens", "2", "--raw"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    tiny_models.write_tiny(path, 5)
    return path


@pytest.fixture
def cached(llmir, tmp_path):
    """llmir with an empty cache of its own, at `.cache`."""
    cache = tmp_path / "cache"

    def run(*arguments, **others):
        return llmir(*arguments, env=llmir.env | {"LLMIR_CACHE": str(cache)}, **others)

    run.cache = cache
    run.env = llmir.env | {"LLMIR_CACHE": str(cache)}
    return run


def artifacts(cache):
    return sorted(cache.glob("*.llmir"))


def ok(result):
    assert result.returncode == 0, result.stderr.decode()
    return result


def warnings(result):
    return [line for line in ok(result).stderr.decode().splitlines() if line.startswith("warning:")]


def in_namespace(setup, *command, env):
    """Runs a command where `setup` may mount file systems; skips where that is not allowed."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*unshare, setup + " true"], env=env, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    return subprocess.run([*unshare, setup + ' "$@"', "sh", *map(str, command)], env=env, capture_output=True, timeout=120)


def test_a_compiled_model_needs_nothing_else(cached, tiny, tmp_path):
    source = shutil.copy(tiny, tmp_path / "moved.gguf")
    output = tmp_path / "tiny.llmir"
    made = ok(cached("compile", source, "-o", output, "--kv", "f32")).stdout.decode()
    assert re.fullmatch(rf"{output}: \d+\.\d MB, \S+, int8 activations, f32 KV cache, \d+\.\d s\n", made)
    assert output.stat().st_mode & 0o777 == 0o600
    ids = tmp_path / "ids"
    ids.write_text("1 2 3 4 5 6 7")
    ok(cached("eval", source, "--tokens-file", ids, "--logits", tmp_path / "source.npy", "--kv", "f32"))
    text = ok(cached("tokenize", source, "--text", "a b c")).stdout
    os.remove(source)
    ok(cached("eval", output, "--tokens-file", ids, "--logits", tmp_path / "artifact.npy"))
    assert (np.load(tmp_path / "source.npy") == np.load(tmp_path / "artifact.npy")).all()
    assert ok(cached("tokenize", output, "--text", "a b c")).stdout == text
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_compiling_is_reproducible(cached, tiny, tmp_path):
    for name in ("one", "two"):
        ok(cached("compile", tiny, "-o", tmp_path / name))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_compile_without_output_fills_the_cache(cached, tiny):
    path = ok(cached("compile", tiny)).stdout.decode().split(": ")[0]
    assert [str(file) for file in artifacts(cached.cache)] == [path]
    before = os.stat(path).st_ino
    ok(cached("run", tiny, *ASK))
    assert os.stat(path).st_ino == before


def test_what_cannot_be_compiled_is_said(cached, tiny, tmp_path):
    output = tmp_path / "tiny.llmir"
    ok(cached("compile", tiny, "-o", output))
    text = tmp_path / "text"
    text.write_text("Dear")
    for arguments, expected in [
        (["compile", tiny, "-o", tiny], "is the model itself: give -o another name"),
        (["compile", tiny, "-o", text], f"{text}: is there already and no compiled model"),
        (["compile", tiny, "-o", tmp_path / "none" / "x"], "cannot be written: No such file or directory"),
        (["compile", tiny, "-o", output, "--stop-after", "cse"], "--output and --stop-after exclude each other"),
        (["compile", tiny, "--target", "x86-64"], "--target needs --output"),
        (["compile", tiny, "-o", output, "--target", "z80"], "z80"),
        (["compile", tiny, "-o", output, "--disable-pass", "lower"], "--disable-pass=lower: cannot be switched off"),
        (["compile", tiny, "-o", output, "--pass-plugin", "/nowhere.so"], "--pass-plugin=/nowhere.so"),
        (["compile", output], "is compiled already; give the model file"),
        (["compile", output, "-o", tmp_path / "y"], "is compiled already; give the model file"),
        (["compile", tmp_path], "is a folder without config.json; a GGUF file is expected"),
        (["compile", "/nowhere.gguf"], "/nowhere.gguf: no such file"),
        (["compile", text], "is no GGUF file"),
        (["import", output], "is compiled already; import needs the model file"),
        (["run", output, *ASK, "--activations", "int16"], "was compiled with --activations int8"),
        (["run", output, *ASK, "--kv", "f32"], "was compiled with --kv f16"),
        (["run", output, *ASK, "--timing"], "is compiled already; --timing needs the model file"),
        (["run", output, *ASK, "--verify"], "is compiled already; --verify needs the model file"),
        (["compile", tiny, "--verify-seed", "2"], "--verify-seed needs --verify"),
        (["run", output, "--stop-after", "cse"], "is compiled already; give the model file"),
        (["run", tiny, *ASK, "--pass-plugin", "/nowhere.so"], "/nowhere.so: cannot be opened: No such file or directory"),
        (["run", tiny, "--stop-after", "frob"], "--stop-after=frob: no such phase"),
    ]:
        assert expected in error_of(cached(*arguments)), arguments
    assert text.read_text() == "Dear"
    ok(cached("run", output, *ASK))  # it was not touched


def test_every_command_that_compiles_can_stop_and_show(cached, tiny, tmp_path):
    for command in (["compile"], ["run"], ["chat"], ["bench"], ["explain"], ["eval"]):
        if command != ["eval"]:
            assert b"llm.fuse" in ok(cached(*command, tiny, "--stop-after", "fuse")).stdout
    assert not cached.cache.exists()
    shown = ok(cached("run", tiny, *ASK, "--timing", "--dump-dir", tmp_path / "dump"))
    assert b"emit" in shown.stderr
    assert (tmp_path / "dump" / "00-import.mlir").exists()
    # Compiled for another list of passes: another artifact.
    ok(cached("run", tiny, *ASK, "--disable-pass", "cse"))
    assert len(artifacts(cached.cache)) == 2


def test_passes_are_verified_where_asked(cached, tiny, tmp_path):
    verified = ok(cached("compile", tiny, "--verify"))
    assert re.search(rb"remark: verified \d+ passes that changed the model: \d+ comparisons on \d+ inputs, the same bits; "
                     rb"the compiled code's logits differ by ",
                     verified.stderr)
    # It is asked for what it says: what the cache holds is no answer.
    assert b"remark: verified" in ok(cached("run", tiny, *ASK, "--verify", "--verify-seed", "7")).stderr
    wrong = error_of(cached("compile", tiny, "-o", tmp_path / "x", "--verify", "--verify-seed", "7", "--pass-plugin",
                            BUILD / "bin/test/wrong_rewrites.so", "--pass-pipeline-after", "cse:llm.model(wrong-eps)"))
    assert re.search(r"--verify: the pass wrong-eps changes what @\S+ computes for layer 0: the first new value is that of "
                     r"`.*llm.rms_norm.*the largest difference is .*of seed 7: ", wrong)
    assert not list(tmp_path.glob("x*"))


def test_code_for_another_machine_is_refused(cached, tiny, tmp_path):
    output = tmp_path / "tiny.llmir"
    foreign = "aarch64-dotprod" if os.uname().machine == "x86_64" else "x86-64-v3"
    ok(cached("compile", tiny, "-o", output, "--target", foreign))
    assert re.search(r"was compiled for a CPU with .*, which this one .* lacks", error_of(cached("run", output, *ASK)))


def test_damage_is_found_and_made_good(cached, tiny):
    first = ok(cached("run", tiny, *ASK))
    (path,) = artifacts(cached.cache)
    whole = path.read_bytes()
    for where in (0, 20, 120, 4096, 5000, whole.index(b"\x7fELF") + 100, -10):
        damaged = bytearray(whole)
        damaged[where] ^= 16
        path.write_bytes(damaged)
        again = ok(cached("run", tiny, *ASK))
        assert again.stdout == first.stdout, where
        (warning,) = warnings(again)
        assert str(path) in warning and warning.endswith("(done now)")
        assert path.read_bytes() == whole, where


def test_a_damaged_file_is_refused(cached, tiny, tmp_path):
    output = tmp_path / "tiny.llmir"
    ok(cached("compile", tiny, "-o", output))
    whole = output.read_bytes()
    for size in (0, 3, 100, 4096, len(whole) // 2, len(whole) - 1):
        output.write_bytes(whole[:size])
        message = error_of(cached("run", output, *ASK))
        assert str(output) in message


def test_others_must_not_be_able_to_write(cached, tiny):
    ok(cached("run", tiny, *ASK))
    (path,) = artifacts(cached.cache)
    path.chmod(0o666)
    assert "can be written by other users" in error_of(cached("run", tiny, *ASK))


def test_a_cache_that_cannot_be_made(cached, tiny):
    cached.cache.write_text("a file")
    (warning,) = warnings(cached("run", tiny, *ASK))
    assert "the model is compiled for this run only" in warning


@pytest.mark.parametrize("options, warned", [("ro", 1), ("size=16k", 1), ("noexec", 0)])
def test_places_that_cannot_be_used(cached, tiny, options, warned):
    cached.cache.mkdir()
    result = in_namespace(
        f"mount -t tmpfs -o {options} tmpfs {cached.cache} &&", PROGRAM, "run", tiny, *ASK, env=cached.env
    )
    assert len(warnings(result)) == warned
    assert result.stdout == ok(cached("run", tiny, *ASK)).stdout


def test_a_read_only_cache_is_read(cached, tiny):
    ok(cached("run", tiny, *ASK))
    mount = f"mount --bind {cached.cache} {cached.cache} && mount -o remount,ro,bind {cached.cache} &&"
    result = in_namespace(mount, PROGRAM, "run", tiny, *ASK, env=cached.env)
    assert warnings(result) == []
    message = error_of(in_namespace(mount, PROGRAM, "cache", "--clear", env=cached.env))
    assert message == f"error: {artifacts(cached.cache)[0]}: cannot be removed: Read-only file system"


def test_a_limit_on_files_is_one_line(cached, tiny):
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))  # noqa: E731
    message = error_of(subprocess.run([PROGRAM, "run", tiny, *ASK], env=cached.env | NO_PROFILE, capture_output=True, preexec_fn=limit))
    assert "File too large" in message
    assert artifacts(cached.cache) == []


def start_compilation(cached, model, on_interrupt, **variables):
    """A compilation that has begun. What SIGINT means is inherited: jobs in the background of a script ignore it."""
    process = subprocess.Popen([PROGRAM, "compile", model], env=cached.env | variables, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, on_interrupt))
    deadline = time.time() + 60
    while not list(cached.cache.glob("*.partial")) and time.time() < deadline:
        time.sleep(0.005)
    return process


def test_an_interrupt_that_is_ignored_changes_nothing(cached, model):
    process = start_compilation(cached, model, signal.SIG_IGN)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and b"warning" not in errors
    assert len(artifacts(cached.cache)) == len(list(cached.cache.iterdir())) == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_compilation_leaves_nothing(cached, model, how, tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = start_compilation(cached, model, signal.SIG_DFL, TMPDIR=str(temporary))
    time.sleep(0.1)
    # SIGKILL cannot be passed on to the compiler: it goes to both, as when a container ends.
    os.killpg(process.pid, how) if how == signal.SIGKILL else process.send_signal(how)
    process.wait(timeout=60)
    assert process.returncode != 0
    assert artifacts(cached.cache) == []
    if how != signal.SIGKILL:
        assert list(cached.cache.iterdir()) == []
        assert list(temporary.iterdir()) == []
        return
    # What nobody could clear away then goes with the next compilation.
    ok(cached("compile", model))
    assert [path.suffix for path in cached.cache.iterdir()] == [".llmir"]


def test_two_processes_compile_once(cached, tiny, tmp_path):
    children = [subprocess.Popen([PROGRAM, "run", tiny, *ASK], env=cached.env, stdout=subprocess.PIPE) for _ in range(3)]
    outputs = {child.communicate(timeout=120)[0] for child in children}
    assert all(child.returncode == 0 for child in children)
    assert len(outputs) == 1
    assert len(list(cached.cache.iterdir())) == 1


def test_the_cache_is_listed_and_cleared(cached, tmp_path):
    assert b"0 files" in ok(cached("cache")).stdout
    models = [tmp_path / "one.gguf", tmp_path / "two.gguf"]
    for seed, path in enumerate(models):
        tiny_models.write_tiny(path, seed)
        ok(cached("compile", path))
    listed = json.loads(ok(cached("cache", "--json")).stdout)
    assert {item["model"] for item in listed["artifacts"]} == {str(path) for path in models}
    assert listed["bytes"] == sum(path.stat().st_size for path in artifacts(cached.cache))
    assert all("problem" not in item for item in listed["artifacts"])
    assert b"2 files" in ok(cached("cache")).stdout

    models[0].unlink()
    assert b"the model is gone" in ok(cached("cache")).stdout
    assert b"removed 1 file," in ok(cached("cache", "--clean")).stdout
    (left,) = artifacts(cached.cache)
    data = bytearray(left.read_bytes())
    data[5000] ^= 1
    left.write_bytes(data)
    assert "is damaged" in error_of(cached("cache", "--verify"))
    assert json.loads(ok(cached("cache", "--clear", "--older-than", "1", "--json")).stdout)["removed"] == 0
    assert b"removed 1 file," in ok(cached("cache", "--clear")).stdout
    assert artifacts(cached.cache) == []
    assert "--older-than needs --clear" in error_of(cached("cache", "--older-than", "3"))
    assert "--clean and --clear exclude each other" in error_of(cached("cache", "--clean", "--clear"))
    nowhere = {name: value for name, value in cached.env.items() if name not in ("LLMIR_CACHE", "XDG_CACHE_HOME", "HOME")}
    assert "set LLMIR_CACHE or HOME" in error_of(subprocess.run([PROGRAM, "cache"], env=nowhere, capture_output=True))


def test_an_artifact_is_inspected_as_its_model(cached, tiny, tmp_path):
    output = tmp_path / "tiny.llmir"
    ok(cached("compile", tiny, "-o", output))
    of_model, of_artifact = (json.loads(ok(cached("inspect", path, "--json")).stdout) for path in (tiny, output))
    for key in ("architecture", "tokenizer", "layers", "vocabulary", "context", "target", "kv"):
        assert of_artifact[key] == of_model[key], key
    for key in ("weights_bytes", "kv_bytes", "scratch_bytes", "logits_bytes", "planned_bytes"):
        assert of_artifact["memory"][key] == of_model["memory"][key], key
    assert of_artifact["artifact"]["model_file"] == str(tiny) and of_model["artifact"] is None
    assert b"every byte is as it was written" in ok(cached("inspect", output, "--verify")).stdout
    assert "was compiled with --kv f16" in error_of(cached("inspect", output, "--kv", "f32"))
    data = bytearray(output.read_bytes())
    data[5000] ^= 1
    output.write_bytes(data)
    ok(cached("inspect", output))
    assert 'is damaged: the part "weights"' in error_of(cached("inspect", output, "--verify"))


def status_of(pid, field):
    return int(re.search(rf"{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def test_a_warm_run_maps_no_compiler_and_takes_little(cached, model):
    arguments = ["run", model, "--prompt", "Once upon a time", "--temperature", "0", "--raw"]
    ok(cached(*arguments, "--max-tokens", "1"))
    process = subprocess.Popen([PROGRAM, *arguments, "--max-tokens", "300", "--ignore-eos"], env=cached.env, stdout=subprocess.PIPE)
    assert process.stdout.read(200)
    maps = Path(f"/proc/{process.pid}/maps").read_text()
    peak = status_of(process.pid, "VmHWM")
    process.kill()
    process.communicate()
    assert "LLVM" not in maps and "MLIR" not in maps
    if "libclang_rt" in maps or "asan" in maps:
        pytest.skip("sanitizers take memory of their own")
    weights = artifacts(cached.cache)[0].stat().st_size
    kv = 304 * 30 * 2 * 192 * 2  # tokens, layers, K and V, numbers of a token, bytes
    assert peak <= weights + kv + 48 * 2**20
