"""llm-roll-layers against the importer: IR whose layers are inlined is rolled into what the importer made."""
import subprocess

import pytest
import tiny_models
from conftest import BUILD
from same_ir import assert_same

MIXED = dict(seed=3, num_hidden_layers=4, types=lambda name: "Q4_0" if name == "blk.1.ffn_up.weight" else "F16")
LAYERS = 30


def run(*command, text=None):
    result = subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def optimize(text, passes):
    return run(BUILD / "bin/llmir-opt", f"--pass-pipeline=builtin.module(llm.model({passes}))", text=text)


@pytest.mark.parametrize("case", [
    dict(family="gemma3", seed=39),  # windows and rotations that differ
    dict(family="qwen2", seed=32, use_sliding_window=True, sliding_window=9, max_window_layers=1, num_hidden_layers=3),
    MIXED,  # two kinds of layers
    dict(seed=5, num_hidden_layers=LAYERS, hidden_size=32, intermediate_size=32, num_attention_heads=1, num_key_value_heads=1),
], ids=lambda case: f"{case.get('family', 'llama')}-{case['seed']}")
def test_inlined_layers_are_rolled_again(case, tmp_path):
    tiny_models.write_tiny(tmp_path / "m.gguf", **case)
    imported = run(BUILD / "bin/llmirc", "import", tmp_path / "m.gguf")
    inlined = optimize(imported, "inline{default-pipeline=},cse")
    assert "call @layer" not in inlined
    assert_same(optimize(inlined, "llm-roll-layers,cse"), optimize(imported, "cse"))


def test_import_prints_later_phases(tmp_path):
    tiny_models.write_tiny(tmp_path / "m.gguf", seed=5, num_hidden_layers=1)
    fused = run(BUILD / "bin/llmir", "import", tmp_path / "m.gguf", "--stop-after", "fuse")
    assert "llm.fuse" in fused
    result = subprocess.run([BUILD / "bin/llmir", "import", tmp_path / "m.gguf", "--stop-after", "fusion"], capture_output=True, text=True)
    assert result.returncode == 1 and "--stop-after=fusion: no such phase" in result.stderr
