"""What the import of GGUF files says: the IR of layers that differ, and one line for each kind of bad file."""
import subprocess

import gguf
import numpy as np
import pytest
import tiny_models
from test_reference_oracle import TOOL

KEYS = {"block_count": 2, "embedding_length": 32, "feed_forward_length": 64, "context_length": 128,
        "attention.head_count": 4, "attention.head_count_kv": 2, "attention.layer_norm_rms_epsilon": 1e-5}


def print_ir(path):
    if not TOOL.exists():
        pytest.skip(f"{TOOL} is not built: build the target llmir-reference")
    return subprocess.run([TOOL, path, "--print-ir"], capture_output=True, text=True)


def tensor(*shape, kind="F32"):
    """Zeros, and of which type they are; a shape is that of bytes where the type is quantised."""
    return np.zeros(shape, np.float32 if kind == "F32" else np.uint8), gguf.GGMLQuantizationType[kind]


EMBEDDING = {"token_embd.weight": tensor(40, 32)}


def write(path, architecture="llama", tensors=EMBEDDING, **changes):
    """A file of metadata and few tensors: what is wrong with the metadata is found first."""
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in (KEYS | changes).items():
        add = {float: writer.add_float32, list: writer.add_array, str: writer.add_string}.get(type(value), writer.add_uint32)
        if value is not None:
            add(key if key.startswith("tokenizer.") else f"{architecture}.{key}", value)
    for name, (data, kind) in tensors.items():
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("changes, words", [
    (dict(architecture="foo"), ["general.architecture", "foo", "known: llama"]),
    (dict(expert_count=8), ["llama.expert_used_count"]),
    (dict(expert_count=10**6), ["llama.expert_count is 1000000"]),
    (dict(expert_count=8, expert_used_count=9), ["llama.expert_used_count is 9, 1 to 8"]),
    (dict(expert_count=8, expert_used_count=2, expert_gating_func=7), ["llama.expert_gating_func is 7"]),
    (dict(expert_count=8, expert_used_count=2, expert_weights_scale=-1.0), ["llama.expert_weights_scale is -1"]),
    (dict(expert_count=8, expert_used_count=2, expert_group_count=4), ["llama.expert_group_count is 4"]),
    (dict(expert_count=8, expert_used_count=2), ["blk.0.attn_norm.weight is missing"]),
    ({"block_count": None}, ["llama.block_count"]),
    ({"block_count": 10**9}, ["llama.block_count is 1000000000"]),
    ({"attention.head_count": 0}, ["llama.attention.head_count is 0"]),
    ({"attention.head_count_kv": 3}, ["llama.attention.head_count is 4", "head_count_kv = 3"]),
    ({"attention.layer_norm_rms_epsilon": 0.0}, ["layer_norm_rms_epsilon is 0"]),
    ({"attention.key_length": 7}, ["llama.rope.dimension_count is 7"]),
    ({"rope.freq_base": float("nan")}, ["llama.rope.freq_base is nan"]),
    ({"vocab_size": 41}, ["llama.vocab_size is 41", "40 rows"]),
    ({"attention.sliding_window": 8, "attention.sliding_window_pattern": [True]},
     ["llama.attention.sliding_window_pattern has 1 entries", "2 layers"]),
    ({"attention.scale": -1.0}, ["llama.attention.scale is -1"]),
    (dict(architecture="gemma3", final_logit_softcapping=-1.0), ["gemma3.final_logit_softcapping is -1"]),
    ({"architecture": "gemma3", "rope.freq_base_swa": 0.5}, ["gemma3.rope.freq_base_swa is 0.5"]),
    (dict(architecture="qwen3"), ["blk.0.attn_norm.weight is missing"]),
    ({}, ["blk.0.attn_norm.weight is missing"]),
    ({"attention.head_count": 3, "attention.head_count_kv": 3},
     ["llama.embedding_length is 32, which is no multiple of llama.attention.head_count = 3", "no llama.attention.key_length"]),
    ({"tensors": {}}, ["tensor token_embd.weight is missing"]),
    ({"tensors": {"token_embd.weight": tensor(1, 40, 32)}}, ["token_embd.weight has the shape [1, 40, 32], it must be [vocabulary, 32]"]),
    ({"tokenizer.ggml.tokens": ["a", "b"]}, ["tokenizer.ggml.tokens has 2 tokens, but token_embd.weight has 40 rows"]),
    ({"tensors": EMBEDDING | {"blk.0.attn_norm.weight": tensor(16)}, "block_count": 1},
     ["blk.0.attn_norm.weight has the shape [16], the configuration asks for [32]"]),
    ({"tensors": EMBEDDING | {"blk.0.attn_norm.weight": tensor(34, kind="Q8_0")}, "block_count": 1},
     ["blk.0.attn_norm.weight has type Q8_0, a vector must be F32, F16 or BF16"]),
    ({"tensors": EMBEDDING | {"blk.0.attn_norm.weight": tensor(32), "blk.0.attn_q.weight": tensor(32, 18, kind="IQ4_NL")},
      "block_count": 1}, ["blk.0.attn_q.weight has type IQ4_NL, which has no code generation yet"]),
    ({"rope.freq_base": 0.5}, ["llama.rope.freq_base is 0.5, it must be more than 1"]),
    ({"rope.scaling.factor": -1.0}, ["llama.rope.scaling.factor is -1, it must be positive"]),
    ({"tensors": EMBEDDING | {"rope_freqs.weight": tensor(3)}}, ["rope_freqs.weight must be 4 numbers of type F32"]),
    ({"tensors": EMBEDDING | {"rope_freqs.weight": tensor(4)}}, ["rope_freqs.weight[0] is 0, it must be positive and finite"]),
    ({"rope.scaling.type": "yarn", "rope.scaling.original_context_length": 0},
     ["llama.rope.scaling.original_context_length is 0, 1 to 2^31"]),
    ({"rope.scaling.type": "spiral"}, ['llama.rope.scaling.type is "spiral"', "known: none, linear, yarn"]),
    ({"rope.scaling.factor": 1e30, "tensors": EMBEDDING | {"rope_freqs.weight": (np.full(4, 1e30, np.float32), None)}},
     ["llama.rope.scaling.factor", "gives a rotation of inf, which is no positive number"]),
    ({"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.yarn_log_multiplier": -10.0},
     ["llama.rope.scaling.* gives a magnitude of -", "which is no positive number"]),
], ids=lambda value: None)
def test_bad_files(tmp_path, changes, words):
    path = tmp_path / "bad.gguf"
    write(path, **changes)
    result = print_ir(path)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.count("\n") == 1 and str(path) in result.stderr
    for word in words:
        assert word in result.stderr


def test_a_file_without_its_last_norm(tmp_path):
    path = tmp_path / "no-norm.gguf"
    tiny_models.write_tiny(path, seed=1)
    path.write_bytes(path.read_bytes().replace(b"output_norm.weight", b"output_form.weight"))
    assert "tensor output_norm.weight is missing: convert the model again" in print_ir(path).stderr


def test_layers_that_differ_in_their_window_are_one_function(tmp_path):
    path = tmp_path / "gemma3.gguf"
    tiny_models.write_tiny(path, family="gemma3", seed=1, num_hidden_layers=7, sliding_window=16)
    ir = print_ir(path).stdout
    assert ir.count("func.func private @layer") == 1
    assert "windows = array<i64: 16, 16, 16, 16, 16, 0, 16>" in ir and "ropes = [" in ir


def test_layers_that_differ_are_functions_of_their_own(tmp_path):
    path = tmp_path / "mixed.gguf"
    tiny_models.write_tiny(path, seed=8, types=lambda name: "Q5_1" if "blk.0" in name else "F16", num_hidden_layers=3)
    ir = print_ir(path).stdout
    assert "@layer.0(" in ir and "@layer.1(" in ir and "@layer.2(" not in ir
    assert 'llm.weight @attn_q.f16' in ir and "layers [1, 2]" in ir
