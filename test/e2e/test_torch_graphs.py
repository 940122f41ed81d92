"""Graphs that torch exports are imported: some spellings of attention and one model here, all of them in test/heavy."""
import re
import subprocess

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
    assert 'llm.graph @forward_graph attributes {source = "m.pt2"}' in ir
    assert re.search(r"func.func @forward\(%arg0: tensor<1x\?(x32xf32|xi64)>\) -> tensor<1x\?x(32|40)xf32>", ir)
    assert "math.exp" in ir and ir.count("llm.weight @") == ir.count("llm.get_weight @") > 1


def test_a_hugging_face_model(tmp_path):
    ir = import_graph(torch_graphs.save(torch_graphs.huggingface("llama", "sdpa"), tmp_path / "llama.pt2"))
    assert 'llm.weight @model.model.layers.1.mlp.up_proj.weight : tensor<64x32xf32> from "model.model.layers.1.mlp.up_proj.weight"' in ir
    assert "func.func @forward(%arg0: tensor<1x?xi64>) -> tensor<1x?x96xf32>" in ir
