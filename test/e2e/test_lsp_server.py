"""llmir-lsp-server as an editor sees it: JSON-RPC over stdin and stdout."""
import json
import subprocess

import pytest

from conftest import BUILD

SERVER = BUILD / "bin" / "llmir-lsp-server"
URI = "file:///model.mlir"
TEXT = """!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
llm.model @m attributes {vocabulary = 8 : i64, context_length = 8 : i64} {
  llm.weight @w : tensor<8x32xf32> from "w"
  func.func @step(%b: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %t = llm.batch.tokens %b : (!llm.batch<mixed>) -> tensor<?xi32>
    %w = llm.get_weight @w : tensor<8x32xf32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<8x32xf32>) -> tensor<?x32xf32>
    %l = llm.linear %x, %w : (tensor<?x32xf32>, tensor<8x32xf32>) -> tensor<?x8xf32>
    return %l, %kv : tensor<?x8xf32>, !kv
  }
}
"""


class Editor:
    """The client's side of the protocol."""

    def __init__(self):
        self.process = subprocess.Popen([SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.last_id = 0

    def send(self, method, **message):
        body = json.dumps({"jsonrpc": "2.0", "method": method, **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self, wanted):
        """The next message that `wanted` holds for; others in between are dropped."""
        while True:
            length = 0
            while (line := self.process.stdout.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            assert line, "the server closed its output"
            message = json.loads(self.process.stdout.read(length))
            if wanted(message):
                return message

    def request(self, method, **params):
        self.last_id += 1
        self.send(method, id=self.last_id, params=params)
        return self.receive(lambda message: message.get("id") == self.last_id)["result"]

    def open(self, text):
        """Opens a document; returns its diagnostics."""
        self.send("textDocument/didOpen", params={"textDocument": {"uri": URI, "languageId": "mlir", "version": 1, "text": text}})
        published = self.receive(lambda message: message.get("method") == "textDocument/publishDiagnostics")
        return published["params"]["diagnostics"]


@pytest.fixture
def editor():
    if not SERVER.exists():
        pytest.skip(f"{SERVER} is not built")
    editor = Editor()
    capabilities = editor.request("initialize", processId=None, rootUri=None, capabilities={})["capabilities"]
    assert capabilities["hoverProvider"]
    editor.send("initialized", params={})
    yield editor
    editor.request("shutdown")
    editor.send("exit")
    assert editor.process.wait(timeout=60) == 0


def test_hover_knows_the_llm_dialect(editor):
    assert editor.open(TEXT) == []
    line = next(i for i, text in enumerate(TEXT.splitlines()) if "llm.linear" in text)
    hover = editor.request("textDocument/hover", textDocument={"uri": URI}, position={"line": line, "character": 12})
    assert "llm.linear" in hover["contents"]["value"]


def test_a_verifier_error_is_a_diagnostic_at_its_line(editor):
    wrong = TEXT.replace("tensor<?x32xf32>", "tensor<?x16xf32>")  # the table's rows have 32 columns
    diagnostics = editor.open(wrong)
    line = next(i for i, text in enumerate(TEXT.splitlines()) if "llm.embed" in text)
    diagnostic = next(d for d in diagnostics if d["range"]["start"]["line"] == line)
    assert "'llm.embed' op C" in diagnostic["message"]
