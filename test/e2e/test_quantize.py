"""--quantize: a file of floats gives the very logits of a file whose matrices PyPI's gguf has quantised."""
import json
import subprocess

import gguf
import numpy as np
import pytest
import tiny_models
from conftest import BUILD
from gguf.quants import dequantize, quantize
from test_cli import error_of, needs_compiler
from test_eval import logits, random_tokens
from test_experts import write_mixture
from test_inspect import check_agreement
from test_reference_oracle import reference

pytestmark = needs_compiler
FLOATS = ("F32", "F16", "BF16")


def expected_type(tensor, precision):
    """What the option makes of a tensor."""
    vector, router = len(tensor.shape) == 1, "ffn_gate_inp" in tensor.name
    if tensor.tensor_type.name not in FLOATS or vector or router or tensor.shape[0] % 32:
        return tensor.tensor_type
    sensitive = tensor.name in ("token_embd.weight", "output.weight")
    return gguf.GGMLQuantizationType["Q8_0" if sensitive or precision == "int8" else "Q4_0"]


def quantised_twin(source, path, precision):
    """Writes the model file `source` again, its matrices quantised by PyPI's gguf."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(path, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            writer.add_key_value(name, field.contents(), field.types[0], field.types[-1] if len(field.types) > 1 else None)
    for tensor in reader.tensors:
        data, kind = tensor.data, expected_type(tensor, precision)
        if kind != tensor.tensor_type:
            numbers = np.asarray(dequantize(data, tensor.tensor_type), np.float32)
            data = quantize(np.ascontiguousarray(numbers.reshape([int(n) for n in tensor.shape[::-1]])), kind)
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def warnings(result):
    assert result.returncode == 0, result.stderr.decode()
    return [line for line in result.stderr.decode().splitlines() if line.startswith("warning: ")]


def mixed(name):
    """Every type of floats, and what is quantised already."""
    return {"attn_q": "F16", "attn_k": "F32", "attn_v": "BF16", "attn_output": "Q5_1"}.get(name.split(".")[-2], "F16")


# One has an embedding so large that it is packed in two pieces, the second of which ends in part of a panel.
LARGE = dict(hidden_size=576, vocab_size=2500, num_hidden_layers=1)
CASES = [("int8", dict(seed=51, types="F32")), ("int4", dict(seed=52, types="F16", tie_word_embeddings=False)),
         ("int8", dict(seed=53, types="BF16", tie_word_embeddings=True, **LARGE)),
         ("int4", dict(seed=54, types=mixed, num_hidden_layers=2, head_dim=32))]


@pytest.mark.parametrize("precision, case", CASES)
def test_same_bits_as_a_quantised_file(llmir, case, precision, tmp_path):
    path = tmp_path / "tiny.gguf"
    twin = tiny_models.write_tiny(path, **case)
    tokens = random_tokens(case["seed"], twin.config.vocab_size, 40)
    other = quantised_twin(path, tmp_path / "quantised.gguf", precision)
    got = logits(llmir, path, tokens, tmp_path, "--quantize", precision)
    assert np.array_equal(got, logits(llmir, other, tokens, tmp_path))


@pytest.mark.parametrize("family, types, precision", [("llama", "BF16", "int8"), ("qwen3moe", "F16", "int4")])
def test_mixtures_of_experts(llmir, family, types, precision, tmp_path):
    path = tmp_path / "tiny.gguf"
    twin = write_mixture(path, 56, family=family, types=types)
    tokens = random_tokens(56, twin.config.vocab_size, 40)
    other = quantised_twin(path, tmp_path / "quantised.gguf", precision)
    got = logits(llmir, path, tokens, tmp_path, "--quantize", precision)
    assert np.array_equal(got, logits(llmir, other, tokens, tmp_path))


def test_the_interpreter_quantises_too(tmp_path):
    path = tmp_path / "tiny.gguf"
    twin = write_mixture(path, 55, family="qwen3moe", types="F16")
    tokens = random_tokens(55, twin.config.vocab_size, 20)
    other = quantised_twin(path, tmp_path / "quantised.gguf", "int4")
    asked = ["--activations", "int8"]
    assert np.array_equal(reference(path, tokens, tmp_path, *asked, "--quantize", "int4"),
                          reference(other, tokens, tmp_path, *asked))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A model whose attn_output has rows of 24 columns, its head size."""
    path = tmp_path_factory.mktemp("quantize") / "tiny.gguf"
    twin = tiny_models.write_tiny(path, 57, types="F16", head_dim=24, num_key_value_heads=1, num_attention_heads=1,
                                  num_hidden_layers=2, tie_word_embeddings=False)
    return path, twin


def test_how_far_it_is_from_the_floats(llmir, tiny, tmp_path):
    path, twin = tiny
    ids = tmp_path / "ids.txt"
    ids.write_text(" ".join(map(str, random_tokens(57, twin.config.vocab_size, 100))))
    found = {}
    for precision in ("int8", "int4"):
        result = llmir("eval", path, "--tokens-file", ids, "--quantize", precision, "--against-quantize", "none",
                       "--activations", "int16", "--json", "-")
        assert result.returncode == 0, result.stderr.decode()
        found[precision] = json.loads(result.stdout)["against"]["kl_mean"]
    assert 0 < found["int8"] < 2e-3 and 10 * found["int8"] < found["int4"] < 1


def test_memory(llmir, tmp_path):
    path = tmp_path / "tiny.gguf"
    tiny_models.write_tiny(path, 58, types="F16", head_dim=32)
    check_agreement(llmir, path, 64, 2, "--quantize", "int4")
    sizes = [json.loads(llmir("inspect", path, "--json", *flags).stdout) for flags in ([], ["--quantize", "int4"])]
    assert [size["quantize"] for size in sizes] == ["none", "int4"]
    assert sizes[1]["memory"]["weights_bytes"] < 0.6 * sizes[0]["memory"]["weights_bytes"]


def test_what_stays_is_named(llmir, tiny, tmp_path):
    path, _ = tiny
    (warning,) = warnings(llmir("compile", path, "--quantize", "int8"))
    assert warning.endswith("the weight blk.{}.attn_output.weight stays f16: its 24 columns are no multiple of 32"), warning
    done = tmp_path / "done.gguf"
    tiny_models.write_tiny(done, 59, types="Q4_0", head_dim=32)
    (warning,) = warnings(llmir("compile", done, "--quantize", "int4"))
    assert warning.endswith("no matrix of floats was found to quantise to int4: the weights stay as they are"), warning


def test_where_it_is_shown(llmir, tiny, tmp_path):
    path, _ = tiny
    env = llmir.env | {"LLMIR_CACHE": str(tmp_path / "cache")}
    made = llmir("compile", path, "--quantize", "int4", env=env).stdout.decode()
    assert ", --quantize int4, int8 activations," in made
    assert llmir("compile", path, env=env | {"LLMIR_QUANTIZE": "none"}).stdout.decode().count("--quantize") == 0
    listed = json.loads(llmir("cache", "--json", env=env).stdout)["artifacts"]
    assert sorted(item["quantize"] for item in listed) == ["int4", "none"]
    assert b" int4 " in llmir("cache", env=env).stdout
    assert b"--quantize int4, packed for" in llmir("inspect", path, "--quantize", "int4").stdout
    result = llmir("bench", path, "--prefill", 8, "--decode", 2, "--batch", 1, "--first-token", 4, "--repetitions", 1, env=env | {
        "LLMIR_QUANTIZE": "int4"})
    assert b", --quantize int4, int8 activations" in result.stdout


def test_an_artifact_has_one_precision(llmir, tiny, tmp_path):
    path, _ = tiny
    plain, quantised = tmp_path / "plain.llmir", tmp_path / "quantised.llmir"
    assert llmir("compile", path, "-o", plain).returncode == 0
    assert b'"quantize"' not in plain.read_bytes()  # what nobody asks for changes no artifact
    assert llmir("compile", path, "-o", quantised, "--quantize", "int8").returncode == 0
    assert quantised.stat().st_size < plain.stat().st_size
    ask = ["--tokens", "1,2", "--max-tokens", 1, "--raw"]
    assert llmir("run", quantised, *ask, "--quantize", "int8").returncode == 0
    assert "was compiled with --quantize int8: give the model file, or leave --quantize int4 away" in error_of(
        llmir("run", quantised, *ask, "--quantize", "int4"))
    assert "was compiled with --quantize none" in error_of(llmir("run", plain, *ask, "--quantize", "int4"))


@pytest.mark.parametrize("value, expected", [
    (np.inf, "holds a number that is not finite, in row 33, column 5"),
    (-np.nan, "holds a number that is not finite, in row 33, column 5"),
    (1e9, "holds 1e+09, in row 33, column 5, which is too large for q8_0"),
])
def test_numbers_that_cannot_be_quantised(llmir, tmp_path, value, expected):
    path = tmp_path / "bad.gguf"
    tiny_models.write_tiny(path, 60, types="F32", head_dim=32)
    tensor = next(t for t in gguf.GGUFReader(path, "r+").tensors if t.name == "blk.0.ffn_up.weight")
    tensor.data[33, 5] = value
    tensor.data[40, 1] = value  # the first one is named
    tensor.data.base.flush()
    message = error_of(llmir("compile", path, "--quantize", "int8"))
    assert f"bad.gguf: tensor blk.0.ffn_up.weight {expected}: leave --quantize away" in message
    (tmp_path / "ids.txt").write_text("1 2")
    result = subprocess.run([BUILD / "bin/llmir-reference", path, "--tokens-file", tmp_path / "ids.txt", "--logits", tmp_path / "x",
                             "--quantize", "int8"], capture_output=True, text=True)
    assert result.returncode == 1 and expected in result.stderr


def test_what_can_be_asked_for(llmir, tiny):
    for command in ("run", "chat", "eval", "bench", "inspect", "compile"):
        assert "--quantize: 'int3' is not possible: one of none, int8, int4" in error_of(llmir(command, tiny[0], "--quantize", "int3"))
    assert "--disable-pass=quantize-weights: cannot be switched off: --quantize none leaves the weights as they are" in error_of(
        llmir("compile", tiny[0], "--disable-pass", "quantize-weights"))
