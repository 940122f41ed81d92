"""llmir explain: that its facts agree with each other, with the model and with inspect; never how fast anything is."""
import json
from html.parser import HTMLParser

import pytest
import tiny_models
from conftest import BUILD
from test_experts import write_mixture

pytestmark = pytest.mark.skipif(not (BUILD / "bin" / "llmirc").exists(), reason="llmirc is not built")
QUICK = ("--repetitions", 2, "--roof-buffer", 4, "--threads", 2)
LAYERS = 3


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("explain") / "tiny.gguf"
    tiny_models.write_tiny(path, 41, types="Q4_0", num_hidden_layers=LAYERS)
    return path


@pytest.fixture(scope="module")
def compiled(llmir, tiny):
    output = tiny.with_suffix(".llmir")
    result = llmir("compile", tiny, "-o", output)
    assert result.returncode == 0, result.stderr.decode()
    return output


def explain(llmir, model, *arguments):
    result = llmir("explain", model, *QUICK, *arguments, "--json", "-")
    assert result.returncode == 0, result.stderr.decode()
    got = json.loads(result.stdout)
    check_sums(got)
    return got, result.stderr.decode()


def kernels(got):
    return [kernel for phase in got["phases"] for kernel in phase["kernels"]]


def total(items, field):
    return pytest.approx(sum(item[field] for item in items))


def check_sums(got):
    phases = got["phases"]
    for part in [*phases, *kernels(got)]:
        assert part["bytes"] == sum(part[name] for name in ("weights_read_bytes", "cache_bytes", "activation_bytes"))
        assert part["predicted_s"] > 0 and part["limit"] in ("memory", "arithmetic")
    for phase in phases:
        assert phase["measured_s"] > 0 and phase["barriers_s"] >= 0
        assert phase["bytes"] == total(phase["kernels"], "bytes") and phase["operations"] == total(phase["kernels"], "operations")
        assert phase["share_of_roof"] == pytest.approx(phase["predicted_s"] / phase["measured_s"])
        assert all(kernel["names"] and kernel["why"] for kernel in phase["kernels"])
    assert got["measured_s"] == total(phases, "measured_s") and got["predicted_s"] == total(phases, "predicted_s")
    assert 0 <= got["foreign_cpu"] <= 1
    assert got["barriers"] == sum(phase["barriers"] for phase in phases)
    roofs = got["roofs"]
    assert roofs["memory"]["bytes_per_s"] > 0 and roofs["memory"]["buffer_bytes"] <= 4e6
    assert all(roofs[name]["operations_per_s"] > 0 and roofs[name]["instructions"] for name in ("f32", "int8", "int16"))


def weights_bytes(got):
    """Of all weights that kernels name, each once for every run of its function."""
    return sum({(phase["function"], weight["name"]): weight["bytes"] * phase["count"]
                for phase in got["phases"] for kernel in phase["kernels"] for weight in kernel["weights"]}.values())


def inspected_weights(llmir, model, *arguments):
    return json.loads(llmir("inspect", model, *arguments, "--json").stdout)["memory"]["weights_bytes"]


def test_decode(llmir, tiny):
    got, text = explain(llmir, tiny)
    assert got["step"] == {"kind": "decode", "tokens": 1, "sequences": 1, "behind": 255}
    assert {phase["count"] for phase in got["phases"]} == {1, LAYERS}
    assert weights_bytes(got) == got["weights_bytes"] == inspected_weights(llmir, tiny)
    products = [kernel for kernel in kernels(got) if kernel["op"] == "llm.linear"]
    assert len(products) == 8 and all(kernel["activations"] in ("a8", "f32") for kernel in products)
    assert all("1 row: the weights stream by once" in kernel["why"] for kernel in products)
    for phase in got["phases"]:
        for kernel in phase["kernels"]:
            if kernel["op"] == "llm.linear":
                assert kernel["operations"] == 2 * kernel["rows"] * kernel["columns"] * phase["count"]
                assert kernel["weights_read_bytes"] == sum(w["bytes"] for w in kernel["weights"]) * phase["count"]
    for phase in got["phases"]:
        assert phase["name"] in text
    for title in ("measured now", "of roof", "predicted ms", "barriers"):
        assert title in text


def test_attention_counts_the_positions_it_sees(llmir, tiny):
    def cache_bytes(*arguments):
        got, _ = explain(llmir, tiny, *arguments)
        attention, = (kernel for kernel in kernels(got) if kernel["op"] == "llm.attention")
        return attention["cache_bytes"]
    one = cache_bytes("--behind", 9) / 10
    assert cache_bytes("--behind", 99) == 100 * one
    assert cache_bytes("--behind", 99, "--batch", 3) == 300 * one
    assert cache_bytes("--prefill", 40) == 40 * one


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("arguments", [("--behind", 1), ("--behind", 200), ("--batch", 3), ("--batch", 6, "--behind", 140),
                                       ("--prefill", 1), ("--prefill", 3), ("--prefill", 200)])
def test_barriers_are_where_the_description_has_them(llmir, compiled, threads, arguments):
    result = llmir("explain", compiled, "--repetitions", 1, "--roof-buffer", 1, "--threads", threads, *arguments)
    assert result.returncode == 0, result.stderr.decode()


def test_many_rows_share_decoded_panels(llmir, compiled):
    got, _ = explain(llmir, compiled, "--prefill", 64)
    assert got["step"] == {"kind": "prefill", "tokens": 64, "sequences": 1, "behind": 0}
    inner = [kernel for kernel in kernels(got) if kernel["op"] == "llm.linear" and kernel["activations"] == "a8"]
    assert inner and any("64 rows, 16 or more" in kernel["why"] for kernel in inner)
    few, _ = explain(llmir, compiled, "--prefill", 12)
    assert any("12 rows in tiles of 4" in kernel["why"] for kernel in kernels(few))
    few, _ = explain(llmir, compiled, "--batch", 3)
    assert any("3 rows, fewer than a tile of 4" in kernel["why"] for kernel in kernels(few))


def test_mixture_of_experts(llmir, tmp_path):
    path = tmp_path / "tiny.gguf"
    write_mixture(path, 32, num_local_experts=8, num_experts_per_tok=3)
    got, _ = explain(llmir, path)
    assert weights_bytes(got) == inspected_weights(llmir, path)
    experts = [kernel for kernel in kernels(got) if kernel["op"] == "llm.experts.linear"]
    assert len(experts) == 3 * len({phase["function"] for phase in got["phases"] if phase["function"] != "step"})
    for kernel in experts:
        assert (kernel["experts"], kernel["experts_per_token"]) == (8, 3)
        assert "3 of 8 experts" in kernel["why"] and "at most 3 matrices" in kernel["why"]


@pytest.mark.parametrize("case", [dict(family="gemma3", seed=39), dict(family="qwen2", seed=32, use_sliding_window=True,
                                                                       sliding_window=9, max_window_layers=1, num_hidden_layers=3)])
def test_windows_and_other_families(llmir, case, tmp_path):
    path = tmp_path / "tiny.gguf"
    tiny_models.write_tiny(path, **case)
    near, _ = explain(llmir, path, "--behind", 3)
    far, _ = explain(llmir, path, "--behind", 103)
    assert weights_bytes(near) == near["weights_bytes"]
    seen = [sum(kernel["cache_bytes"] for kernel in kernels(got)) for got in (near, far)]
    assert seen[0] < seen[1] < 26 * seen[0]  # some layers see a window only


class Tags(HTMLParser):
    """Fails unless every element is closed, and collects what a page holds."""
    EMPTY = {"meta", "br", "line", "polyline"}

    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        self.open += [tag] if tag not in self.EMPTY else []

    def handle_endtag(self, tag):
        assert tag in self.EMPTY or self.open.pop() == tag

    def of(self, name):
        return [attributes for tag, attributes in self.seen if tag == name]


def test_page_with_the_roofline(llmir, compiled, tmp_path):
    page = tmp_path / "step.html"
    (tmp_path / "<b>&.llmir").symlink_to(compiled)
    got, _ = explain(llmir, tmp_path / "<b>&.llmir", "--html", page)
    text = page.read_text()
    tags = Tags(text)
    assert "&lt;b&gt;&amp;.llmir" in text and "<b>&" not in text
    assert len(tags.of("circle")) == len([phase for phase in got["phases"] if phase["operations"]])
    assert len(tags.of("polyline")) == 2 and len(tags.of("li")) == len(kernels(got))
    assert all(0 <= float(dot["cx"]) <= 860 and 0 <= float(dot["cy"]) <= 420 for dot in tags.of("circle"))
    assert not any(name in attributes for _, attributes in tags.seen for name in ("src", "href"))


@pytest.mark.parametrize("arguments, expected", [
    (["--prefill", 8, "--batch", 2], "--prefill and --batch"),
    (["--prefill", 8, "--behind", 2], "--prefill and --behind"),
    (["--prefill", 300], "--prefill 300 does not fit into the model's context of 256"),
    (["--prefill", 100, "--prefill-chunk", 32], "--prefill 100 is more than a step holds, --prefill-chunk 32"),
    (["--behind", 256], "--behind 256 leaves no room for a token in the model's context of 256"),
    (["--batch", 0], "--batch"),
    (["--roof-buffer", 0], "--roof-buffer"),
    (["--roof-buffer", 1 << 20], "--roof-buffer 1048576 is more than half of the memory that is available"),
    (["--activations", "int16"], "was compiled with --activations int8"),
    ([*QUICK, "--json", "/nowhere/x.json"], "/nowhere/x.json: cannot be written"),
    ([*QUICK, "--html", "/nowhere/x.html"], "/nowhere/x.html: cannot be written"),
])
def test_errors(llmir, compiled, arguments, expected):
    result = llmir("explain", compiled, *arguments)
    assert result.returncode == 1 and expected in result.stderr.decode().splitlines()[-1], result.stderr.decode()
