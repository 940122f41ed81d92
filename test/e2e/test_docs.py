"""The docs are true: their IR is parsed, their before and after are what the pass does, their links lead somewhere.

A block of IR is a whole module, or ops in a function whose arguments a comment in front of it declares:
`<!-- given %x: TYPE, … -->`. `<!-- the same after PASSES -->` says that the block behind it is what the passes, run on the
model, make of the block before.
"""
import re
import subprocess

import pytest

from conftest import BUILD, ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
OPT = BUILD / "bin" / "llmir-opt"
BLOCK = re.compile(r"(?:^<!-- (given|the same after) (.*?) -->\n)?^```mlir\n(.*?)^```", re.MULTILINE | re.DOTALL)
MODEL = """!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
llm.model @m attributes {{vocabulary = 8 : i64, context_length = 8 : i64}} {{
  llm.weight @w : tensor<8x8xf32> from "w"
  func.func @snippet({given}) {results} {{
{body}
  }}
  func.func @step(%b: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {{
    %t = llm.batch.tokens %b : (!llm.batch<mixed>) -> tensor<?xi32>
    %w = llm.get_weight @w : tensor<8x8xf32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    return %x, %kv : tensor<?x8xf32>, !kv
  }}
}}
"""


def module(text, given):
    """A block as a module of its own."""
    if "llm.model" in text or "func.func" in text:
        return text
    returned = re.search(r"^return .*? : (.*)$", text, re.MULTILINE)
    body = text if returned else text + "return\n"
    return MODEL.format(given=given, body=body, results=f"-> ({returned[1]})" if returned else "")


def printed(text, passes=""):
    """What llmir-opt makes of a module; only the snippet, since passes change the rest too."""
    pipeline = [f"--pass-pipeline=builtin.module(llm.model({passes}))"] if passes else []
    result = subprocess.run([OPT, "-", *pipeline], input=text, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.split("func.func @step")[0]


def blocks():
    for page in PAGES:
        before, given = None, ""
        for number, (kind, argument, text) in enumerate(BLOCK.findall(page.read_text())):
            given = argument if kind == "given" else given if kind else ""
            passes = argument if kind == "the same after" else ""
            yield pytest.param(text, given, before, passes, id=f"{page.name}-{number}")
            before = text


@pytest.mark.skipif(not OPT.exists(), reason="llmir-opt is not built")
@pytest.mark.parametrize("text, given, before, passes", list(blocks()))
def test_ir(text, given, before, passes):
    after = printed(module(text, given))
    if passes:
        assert printed(module(before, given), passes) == after


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE))
    assert named <= targets


def test_there_are_few_pages():
    assert len(list((ROOT / "docs").glob("*.md"))) <= 10
