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


def write(path, architecture="llama", **changes):
    """A file of metadata and an embedding table only: what is wrong with the metadata is found first."""
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in (KEYS | changes).items():
        add = {float: writer.add_float32, list: writer.add_array}.get(type(value), writer.add_uint32)
        if value is not None:
            add(f"{architecture}.{key}", value)
    writer.add_tensor("token_embd.weight", np.zeros((40, 32), np.float32))
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
], ids=lambda value: None)
def test_bad_files(tmp_path, changes, words):
    path = tmp_path / "bad.gguf"
    write(path, **changes)
    result = print_ir(path)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.count("\n") == 1 and str(path) in result.stderr
    for word in words:
        assert word in result.stderr


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
