"""llmir bench: the shape of its results and its errors. Never its speed: that is what `make bench` is for."""
import json

import pytest
import tiny_models
from conftest import BUILD

pytestmark = pytest.mark.skipif(not (BUILD / "bin" / "llmirc").exists(), reason="llmirc is not built")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "tiny.gguf"
    tiny_models.write_tiny(path, 41, types="Q4_0")
    return path


def check_spread(case):
    assert 0 < case["min"] <= case["tokens_per_s"] <= case["max"]
    assert 0 <= case["foreign_cpu"] <= 1


def test_results_as_json(llmir, tiny, tmp_path):
    out = tmp_path / "bench.json"
    result = llmir("bench", tiny, "--prefill", "16,40", "--decode", 8, "--batch", "1,3", "--threads", 2,
                   "--repetitions", 3, "--json", out)
    assert result.returncode == 0, result.stderr.decode()
    assert b"tokens/s" in result.stdout
    got = json.loads(out.read_text())
    assert [case["tokens"] for case in got["prefill"]] == [16, 40]
    assert [case["batch"] for case in got["decode"]] == [1, 3]
    for case in got["prefill"] + got["decode"]:
        check_spread(case)
    assert all((case["prompt_tokens"], case["tokens"]) == (16, 8) for case in got["decode"])
    assert got["ttft_ms_min"] <= got["ttft_ms"] <= got["ttft_ms_max"]
    assert got["threads"] == 2 and got["repetitions"] == 3
    assert got["load_s"] > 0
    memory = got["memory"]
    assert memory["planned_bytes"] == sum(value for name, value in memory.items() if name != "planned_bytes")
    assert got["peak_bytes"] > memory["weights_bytes"]


def test_json_on_stdout_is_alone_there(llmir, tiny):
    result = llmir("bench", tiny, "--prefill", 8, "--decode", 0, "--repetitions", 1, "--json", "-")
    assert result.returncode == 0, result.stderr.decode()
    got = json.loads(result.stdout)
    assert got["decode"] == [] and b"prefill" in result.stderr


@pytest.mark.parametrize("arguments, expected", [
    (["--prefill", 200, "--decode", 100], "--prefill 200 and --decode 100 do not fit into the model's context of 256"),
    (["--prefill", "8,300"], "context of 256"),
    (["--prefill", 0], "--prefill"),
    (["--batch", "1,0"], "--batch"),
    (["--prefill", 8, "--decode", 0, "--repetitions", 1, "--json", "/nowhere/x.json"], "/nowhere/x.json: cannot be written"),
])
def test_errors(llmir, tiny, arguments, expected):
    result = llmir("bench", tiny, *arguments)
    assert result.returncode == 1
    assert expected in result.stderr.decode().splitlines()[-1]
