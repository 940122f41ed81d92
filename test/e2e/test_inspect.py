"""llmir inspect: its numbers against the runtime's own accounting and against what a process really took; its errors."""
import json
import re

import gguf
import numpy as np
import pytest
import tiny_models
from conftest import BUILD

pytestmark = pytest.mark.skipif(not (BUILD / "bin" / "llmirc").exists(), reason="llmirc is not built")
IS_SANITIZED = bool(re.search(r"^\w*SANITIZE\w*:\w+=\w", (BUILD / "CMakeCache.txt").read_text(), re.MULTILINE)
                    if (BUILD / "CMakeCache.txt").exists() else False)
PARTS = ("weights_bytes", "kv_bytes", "scratch_bytes", "logits_bytes", "planned_bytes")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("inspect") / "tiny.gguf"
    tiny_models.write_tiny(path, 41, types="Q4_0")
    return path


def error_of(result):
    lines = result.stderr.decode().splitlines()
    assert result.returncode == 1 and len(lines) == 1 and lines[0].startswith("error: "), lines
    return lines[0]


def inspect(llmir, *arguments):
    result = llmir("inspect", *arguments, "--json")
    assert result.returncode == 0 and not result.stderr, result.stderr.decode()
    return json.loads(result.stdout)


def run_full(llmir, model, context, batch, *others):
    """A process that fills the context of every sequence of the batch, and what it says of its memory."""
    result = llmir("bench", model, "--prefill", context - 8, "--decode", 8, "--batch", batch, "--first-token", 8,
                   "--repetitions", 1, *others, "--json", "-", timeout=600)
    assert result.returncode == 0, result.stderr.decode()
    return json.loads(result.stdout)


def check_agreement(llmir, model, context, batch, *others):
    said = inspect(llmir, model, "--context", context, "--batch", batch, *others)["memory"]
    run_full(llmir, model, 16, 1, *others)  # compiles: the process that is measured only loads
    got = run_full(llmir, model, context, batch, *others)
    assert {name: said[name] for name in PARTS} == {name: got["memory"][name] for name in PARTS}
    assert said["total_bytes"] == said["planned_bytes"] + said["program_bytes"]
    if not IS_SANITIZED:
        assert abs(said["total_bytes"] - got["peak_bytes"]) < 8e6 + 0.01 * said["total_bytes"]


@pytest.mark.parametrize("context, batch, others", [
    (16, 1, []), (100, 3, ["--kv", "f32"]), (256, 8, ["--activations", "int16"]), (256, 2, ["--prefill-chunk", 33]),
])
def test_memory_of_a_tiny_model(llmir, tiny, context, batch, others):
    check_agreement(llmir, tiny, context, batch, *others)


@pytest.mark.parametrize("context, batch, others", [(256, 1, []), (128, 8, ["--kv", "f32"])])
def test_memory_of_a_model(llmir, model, context, batch, others):
    check_agreement(llmir, model, context, batch, *others)


def test_what_the_file_holds(llmir, tiny):
    got, reader = inspect(llmir, tiny, "--tensors", "--metadata"), gguf.GGUFReader(tiny)
    fields = {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}
    assert got["file_bytes"] == tiny.stat().st_size and got["gguf_version"] == 3
    assert got["architecture"] == "llama" and got["tokenizer"] == "gpt2" and got["error"] is None
    assert got["parameters"] == sum(int(tensor.n_elements) for tensor in reader.tensors)
    assert got["layers"] == fields["llama.block_count"] and got["vocabulary"] == fields["llama.vocab_size"]
    assert got["context"] == got["context_length"] == 256 and got["batch"] == 1
    assert [(t["name"], t["type"].upper(), t["shape"][::-1], t["bytes"]) for t in got["tensors"]] == [
        (t.name, t.tensor_type.name, [int(n) for n in t.shape], int(t.n_bytes)) for t in reader.tensors]
    assert list(got["metadata"]) == list(fields)
    for key, value in fields.items():
        assert got["metadata"][key] == (pytest.approx(value) if isinstance(value, float) else value), key
    by_type = {}
    for tensor in got["tensors"]:
        by_type[tensor["type"]] = by_type.get(tensor["type"], 0) + tensor["bytes"]
    assert {share["type"]: share["bytes"] for share in got["formats"]} == by_type
    assert got["fits"] and got["verdict"] == "fits" and got["largest_context"] == 256
    assert got["available_bytes"] <= got["physical_bytes"]


def test_text(llmir, tiny):
    result = llmir("inspect", tiny, "--tensors", "--metadata", "--verify")
    assert result.returncode == 0 and not result.stderr
    text, said = result.stdout.decode(), inspect(llmir, tiny)
    for expected in ("architecture   llama", "Memory for 1 sequence of 256 tokens", "chat template",
                     f"{said['memory']['weights_bytes']:,}", f"{tiny.stat().st_size:,} bytes", "is finite",
                     "token_embd.weight", "tokenizer.ggml.tokens", "\n  fits\n",
                     "largest context 256 tokens (the model's own) for 1 sequence\n"):
        assert expected in text, text
    assert all(len(line) <= 100 for line in text.splitlines()[1:]), text


def test_what_does_not_fit_is_information(llmir, tiny):
    got = inspect(llmir, tiny, "--batch", 1 << 20)
    assert got["memory"]["kv_bytes"] == got["memory"]["kv_bytes_per_token"] * 256 << 20
    if got["memory"]["total_bytes"] > got["physical_bytes"]:
        assert not got["fits"] and got["verdict"] == "does_not_fit"
        assert 0 < got["largest_batch"] < 1 << 20 and f"--batch {got['largest_batch']}" in got["advice"]


def planted(tiny, path, tensor):
    """A copy of the model with a scale that is no number."""
    data = bytearray(tiny.read_bytes())
    found = next(t for t in gguf.GGUFReader(tiny).tensors if t.name == tensor)
    data[found.data_offset:found.data_offset + 2] = np.float16("nan").tobytes()
    path.write_bytes(data)
    return path


def test_verify_finds_a_number_that_is_none(llmir, tiny, tmp_path):
    bad = planted(tiny, tmp_path / "bad.gguf", "blk.0.attn_q.weight")
    assert inspect(llmir, tiny, "--verify")["verified"]["unchecked_types"] == []
    assert llmir("inspect", bad).returncode == 0  # nobody asked
    result = llmir("inspect", bad, "--verify")
    assert "tensor blk.0.attn_q.weight holds a number that is not finite, in row 0, column 0" in error_of(result)
    assert b"Memory for" in result.stdout and b"is finite" not in result.stdout
    result = llmir("inspect", bad, "--verify", "--json")
    assert error_of(result) == "error: " + json.loads(result.stdout)["error"]


def test_what_cannot_be_compiled_is_still_shown(llmir, tmp_path):
    path = tmp_path / "other.gguf"
    writer = gguf.GGUFWriter(path, "hovercraft")
    writer.add_block_count(3)
    writer.add_tensor("eels.weight", np.ones((4, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    result = llmir("inspect", path)
    assert "hovercraft" in error_of(result)
    assert b"architecture   hovercraft" in result.stdout and b"Memory for" not in result.stdout
    result = llmir("inspect", path, "--json")
    got = json.loads(result.stdout)
    assert got["layers"] == 3 and "memory" not in got and got["error"] == error_of(result).removeprefix("error: ")


def test_bad_files(llmir, tiny, tmp_path):
    empty, text, cut = tmp_path / "empty.gguf", tmp_path / "text.gguf", tmp_path / "cut.gguf"
    empty.touch()
    text.write_text("no model at all, but long enough for a header\n" * 4)
    cut.write_bytes(tiny.read_bytes()[:tiny.stat().st_size // 2])
    for path in ("/nowhere.gguf", tmp_path, empty, text, cut):
        result = llmir("inspect", path)
        assert str(path) in error_of(result) and not result.stdout


@pytest.mark.parametrize("arguments, expected", [
    (["--context", 0], "--context: '0' is not possible"),
    (["--context", 257], "a context of 257 tokens is more than the model's 256: give at most that with --context"),
    (["--batch", 0], "--batch: '0' is not possible: a whole number from 1 to 1048576"),
    (["--batch", 1 << 40], "--batch: "),
    (["--kv", "f8"], "--kv: 'f8' is not possible: one of f16, f32"),
])
def test_bad_sizes(llmir, tiny, arguments, expected):
    result = llmir("inspect", tiny, *arguments)
    assert expected in error_of(result) and not result.stdout


def test_a_cache_beyond_all_addresses(llmir, model):
    assert "--context 8192 --batch 1048576: a KV cache of" in error_of(llmir("inspect", model, "--batch", 1 << 20))
