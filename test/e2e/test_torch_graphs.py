"""Graphs that torch exports are imported, raised and compiled: some spellings of attention and two models here, all of them
in test/heavy."""
import re
import subprocess

import numpy
import pytest
from conftest import BUILD

torch_graphs = pytest.importorskip("torch_graphs")

# Each has ops or shapes that the others lack; the name's second part asks for run_decompositions().
SPELLINGS = ["einsum_grouped", "window_by_triu", "sdpa_boolean", "table_mask", "heads_last", "bmm.core"]


def import_graph(path):
    result = subprocess.run([BUILD / "bin/llmir", "import", path], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def spellings():
    return torch_graphs.spellings()


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings(spellings, tmp_path, name):
    graph, _, core = name.partition(".")
    ir = import_graph(torch_graphs.save(spellings[graph], tmp_path / "m.pt2", decompose=bool(core)))
    assert 'llm.graph @forward_graph attributes {context_length = 64 : i64, source = "m.pt2"}' in ir
    assert re.search(r"func.func @forward\(%arg0: tensor<1x\?(x32xf32|xi64)>\) -> tensor<1x\?x(32|40)xf32>", ir)
    assert "math.exp" in ir and ir.count("llm.weight @") == ir.count("llm.get_weight @") > 1


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings_are_one_attention(spellings, tmp_path, name):
    graph, _, core = name.partition(".")
    path = torch_graphs.save(spellings[graph], tmp_path / "m.pt2", decompose=bool(core))
    result = subprocess.run([BUILD / "bin/llmirc", "compile", path, "--stop-after=fuse", "--verify"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("llm.attention") == 1 and "linalg" not in result.stdout
    assert "verified that raising keeps what the graph computes" in result.stderr


@pytest.mark.parametrize("name, attention", [("llama", "sdpa"), ("mistral", "eager")])
def test_a_hugging_face_model(llmir, tmp_path, name, attention):
    import torch
    module, inputs, shapes = torch_graphs.huggingface(name, attention)
    path = torch_graphs.save((module, inputs, shapes), tmp_path / "model.pt2")
    ir = import_graph(path)
    assert 'llm.weight @model.model.layers.1.mlp.up_proj.weight : tensor<64x32xf32> from "model.model.layers.1.mlp.up_proj.weight"' in ir
    assert "func.func @forward(%arg0: tensor<1x?xi64>) -> tensor<1x?x96xf32>" in ir
    fused = llmir("import", path, "--stop-after", "fuse").stdout
    assert fused.count(b"llm.attention") == fused.count(b"func.func private @layer") == 1
    ids = numpy.random.default_rng(0).integers(3, 96, size=23)
    (tmp_path / "ids").write_text(" ".join(map(str, ids)))
    with torch.no_grad():
        expected = module(torch.tensor(ids)[None])[0].numpy()
    for chunk in ("512", "1"):  # prefill and decode
        result = llmir("eval", path, "--tokens-file", tmp_path / "ids", "--logits", tmp_path / "o.npy", "--kv", "f32",
                       "--prefill-chunk", chunk)
        assert result.returncode == 0, result.stderr
        assert numpy.abs(numpy.load(tmp_path / "o.npy") - expected).max() < 1e-4
    inspected = llmir("inspect", path)
    assert inspected.returncode == 1 and b"is a graph of torch.export, which has no tokenizer" in inspected.stderr
