"""What llmirc import says of graphs that it does not take: one line that names the op, its module and source line, and why."""
import json
import re
import subprocess

import pytest
from conftest import BUILD

F32, I64, BOOL, F16 = 7, 5, 12, 6
T = {"as_expr": {"expr_str": "Symbol('s0', integer=True)"}}
U = {"as_expr": {"expr_str": "Symbol('u0', integer=True)"}}


def meta(dtype, *sizes):
    return {"dtype": dtype, "sizes": [{"as_int": size} if isinstance(size, int) else size for size in sizes]}


def name(text):
    return {"as_tensor": {"name": text}}


def names(*texts):
    return {"as_tensors": [{"name": text} for text in texts]}


INPUTS = {"x": meta(F32, 1, T, 4), "i": meta(I64, T), "v": meta(F32, 4), "b": meta(BOOL, T), "h": meta(F16, 4), "s": meta(F32), "m": meta(F32, 5, 5),
          "u": meta(F32, 4, U)}


def program(target, arguments=None, result=meta(F32, 1, T, 4), results=None, outputs=("y",), **changes):
    """A graph of one node, whose result is y."""
    arguments = {"self": name("x")} if arguments is None else arguments
    node = {"target": target if "." in target.replace("aten.", "", 1) and target.startswith(("torch", "_")) else "torch.ops.aten." + target,
            "inputs": [{"name": key, "arg": value} for key, value in arguments.items()], "outputs": results or [name("y")],
            "metadata": {"stack_trace": 'File "/src/model.py", line 12, in forward\n    y', "nn_module_stack": "L__self__,blocks.0,m.B"}}
    graph = {"inputs": [], "outputs": [], "nodes": [node], "tensor_values": INPUTS | {"y": result, "w": meta(F32, 8, 4)},
             "sym_int_values": {"n": T, "bad": {"as_expr": {"expr_str": "?"}}, "four": {"as_int": 4}}}
    specs = [{"user_input": {"arg": name(key)}} for key in INPUTS if key != "u"]
    document = {"schema_version": {"major": 8, "minor": 20},
                "graph_module": {"graph": graph | changes.pop("graph", {}), "signature": {
                    "input_specs": specs + changes.pop("specs", []),
                    "output_specs": [{"user_output": {"arg": name(key)}} for key in outputs] + changes.pop("more_outputs", [])}}}
    return document | changes


def run(tmp_path, document):
    path = tmp_path / "m.json"
    path.write_text(json.dumps(document))
    return subprocess.run([BUILD / "bin/llmirc", "import", path], capture_output=True, text=True)


def integer(value):
    return {"as_int": value}


def integers(*values):
    return {"as_ints": list(values)}


def number(value):
    return {"as_float": value}


X, I, V, H = name("x"), name("i"), name("v"), name("h")
POSITIONS = {"as_optional_tensors": [{"as_none": True}, {"as_tensor": {"name": "b"}}]}
BIG = 2**62

OPS = [
    (("topk.default",), "is not supported; docs/torch_graphs.md lists the ops that are"),
    (("torch.ops.mine.op.default",), "is not supported"),
    (("add.Tensor",), "the argument other is missing"),
    (("add.Tensor", {"self": X, "other": {"as_string": "a"}}), "the argument other is no tensor or number"),
    (("add.Tensor", {"self": X, "other": name("z")}), "the tensor z is used before it is made"),
    (("add.Tensor", {"self": X, "other": {"as_sym_int": {"as_name": "m"}}}), "the integer m is not known"),
    (("add.Tensor", {"self": X, "other": {"as_sym_int": {"as_name": "bad"}}}), "the size ? is no expression"),
    (("add.Tensor", {"self": V, "other": name("m")}), "the sizes [4] and [5, 5] do not go together"),
    (("mul.Tensor", {"self": V, "other": X}, meta(F32, 4)), "the graph says that the result y is float32 [4], it is tensor<1x?x4xf32>"),
    (("neg.default", {"self": X}, meta(F32, 1, T, 5)), "the result y is float32 [1, s0, 5], it is tensor<1x?x4xf32>"),
    (("neg.default", {"self": X}, meta(1, 1, T, 4), None, ("i",)), "tensors of uint8 are not supported"),
    (("neg.default", {"self": X}, meta(10, 1, T, 4), None, ("i",)), "tensors of type 10 are not supported"),
    (("neg.default", {"self": X}, meta(F32), None, ("y", "z")), "the graph does not say what z is"),
    (("div.Tensor", {"self": X, "other": X, "rounding_mode": {"as_string": "trunc"}}), "the rounding mode trunc is not supported"),
    (("bitwise_and.Tensor", {"self": X, "other": X}), "bits of floats are not supported"),
    (("bitwise_not.default", {"self": X}), "bits of floats are not supported"),
    (("pow.Tensor_Scalar", {"self": I, "exponent": number(2.5)}, meta(I64, T)), "the power 2.5 of integers is not supported"),
    (("pow.Tensor_Scalar", {"self": X, "exponent": X}), "the argument exponent is no number"),
    (("pow.Tensor_Tensor", {"self": I, "exponent": I}, meta(I64, T)), "powers of integers are not supported"),
    (("exp.default", {"self": I}, meta(I64, T)), "is supported for floats, the result is int64"),
    (("softmax.int", {"self": I, "dim": integer(0)}, meta(I64, T)), "is supported for floats, the result is int64"),
    (("log_softmax.int", {"self": I, "dim": integer(0)}, meta(I64, T)), "is supported for floats, the result is int64"),
    (("gelu.default", {"self": X, "approximate": {"as_string": "best"}}), "approximate is best, it must be none or tanh"),
    (("gelu.default", {"self": X, "approximate": integer(1)}), "the argument approximate is no string"),
    (("dropout.default", {"input": X, "p": number(0.1), "train": {"as_bool": True}}), "is in training mode: call .eval()"),
    (("arange.default", {"start": V, "end": integer(4)}, meta(I64, 4)), "a range that depends on values is not supported"),
    (("arange.default", {"end": integer(4)}, meta(I64)), "the graph says that the result has the sizes []"),
    (("triu.default", {"self": V}, meta(F32, 4)), "needs a matrix, the tensor has the sizes [4]"),
    (("triu.default", {"self": X, "diagonal": {"as_sym_int": {"as_name": "n"}}}), "the argument diagonal is s0, it must be a number"),
    (("full.default", {"fill_value": integer(1)}, meta(F32, U)), "the size u0 is not known from the sizes of the inputs"),
    (("full.default", {"fill_value": integer(1)}, meta(F32, 2**40, 2**40), None, ("i",)), "a product of sizes has more than 63 bits"),
    (("mean.dim", {"self": I, "dim": integers(0)}, meta(I64)), "means of int64 are not supported"),
    (("mean.dim", {"self": X, "dim": integers(3)}), "the argument dim is 3, of a tensor of 3 dimensions"),
    (("amax.default", {"self": X, "dim": {"as_sym_ints": [{"as_name": "n"}]}}), "the argument dim has s0, it must be a number"),
    (("var.correction", {"self": X, "dim": integers(1)}), "the variance over a size that is no number is not supported"),
    (("cumsum.default", {"self": X, "dim": integer(-4)}), "the argument dim is -4, of a tensor of 3 dimensions"),
    (("view.default", {"self": X}, meta(F32, T, 5)), "cannot see [1, s0, 4] as [s0, 5]"),
    (("view.default", {"self": V}, meta(F32, 4, 2)), "cannot see [4] as [4, 2]"),
    (("expand.default", {"self": V}, meta(F32, 5)), "the sizes [4] do not go into [5]"),
    (("expand.default", {"self": X}, meta(F32, 4)), "the sizes [1, s0, 4] do not go into [4]"),
    (("permute.default", {"self": X, "dims": integers(0, 0, 1)}), "the argument dims is no permutation of 3 dimensions"),
    (("permute.default", {"self": X, "dims": {"as_bool": True}}), "the argument dims is no list of integers"),
    (("movedim.intlist", {"self": X, "source": integers(0, 1), "destination": integers(1, 0)}), "several dimensions at once"),
    (("repeat_interleave.self_int", {"self": X, "repeats": integer(0), "dim": integer(0)}), "the argument repeats is 0, it must be positive"),
    (("repeat_interleave.self_int", {"self": X, "repeats": integer(2)}), "needs a dimension"),
    (("repeat_interleave.self_int", {"self": X, "repeats": integer(BIG), "dim": integer(2)}), "a product of sizes has more than 63 bits"),
    (("repeat.default", {"self": X, "repeats": integers(2)}), "the argument repeats has 1 numbers for 3 dimensions"),
    (("repeat.default", {"self": X, "repeats": integers(1, -1, 1)}), "the argument repeats has -1, it must be positive"),
    (("cat.default", {"tensors": names()}), "the argument tensors is an empty list"),
    (("cat.default", {"tensors": names("x", "v")}), "the sizes [1, s0, 4] and [4] do not go together"),
    (("cat.default", {"tensors": names("v", "h")}), "the graph says that the result has the sizes [1, s0, 4]"),
    (("stack.default", {"tensors": names("x", "v")}), "the sizes [1, s0, 4] and [4] do not go together"),
    (("slice.Tensor", {"self": X, "dim": integer(2), "step": integer(0)}), "the argument step is 0, it must be positive"),
    (("slice.Tensor", {"self": X, "dim": integer(2), "start": integer(3)}, meta(F32, 1, T, 2)),
     "2 elements from 3 on by steps of 1 are not within 4"),
    (("slice.Tensor", {"self": X, "dim": integer(2)}, meta(F32, 1)), "the graph says that a result has the sizes [1]"),
    (("slice.Tensor", {"self": X, "dim": integer(0), "start": integer(-2**63)}, meta(F32, 3, T, 4)), "are not within 1"),
    (("diff.default", {"self": X, "n": integer(2)}), "differences of differences are not supported"),
    (("diff.default", {"self": X, "prepend": V}), "the sizes [1, s0, 4] and [4] do not go together"),
    (("embedding.default", {"weight": V, "indices": I}), "the table has the sizes [4], it must be a matrix"),
    (("embedding.default", {"weight": X, "indices": X}), "positions must be integers"),
    (("index.Tensor", {"self": X, "indices": POSITIONS}), "positions must be integers; masks in their place are not supported"),
    (("index.Tensor", {"self": V, "indices": POSITIONS}), "has 2 positions for 1 dimensions"),
    (("index.Tensor", {"self": V, "indices": X}), "the argument indices is no list of tensors"),
    (("index_select.default", {"self": X, "dim": integer(0), "index": name("j")}), "the tensor j is used before it is made"),
    (("matmul.default", {"self": V, "other": H}), "operands of different types are not supported"),
    (("matmul.default", {"self": V, "other": name("s")}), "the sizes [4] and [] have no product"),
    (("matmul.default", {"self": V, "other": V}), "the result y is float32 [1, s0, 4], it is tensor<f32>"),
    (("matmul.default", {"self": V, "other": name("m")}), "the sizes [4] and [5, 5] do not go together"),
    (("linear.default", {"input": X, "weight": V}), "the weight has the sizes [4], it must be a matrix"),
    (("einsum.default", {"equation": {"as_string": "i...,i->i"}, "tensors": names("v", "v")}), "the equation i...,i->i is not supported"),
    (("einsum.default", {"equation": {"as_string": "i,i->j"}, "tensors": names("v", "v")}), "has a result that its operands do not give"),
    (("einsum.default", {"equation": {"as_string": "i,j"}, "tensors": names("v")}), "the equation i,j does not fit its operands"),
    (("layer_norm.default", {"input": V, "normalized_shape": integers(4, 4)}), "the argument normalized_shape has 2 sizes for 1 dimensions"),
    (("layer_norm.default", {"input": V, "normalized_shape": integers(4)}, meta(F32, 4), [name("y"), name("z"), name("q")]),
     "the graph does not say what z is"),
    (("linalg_vector_norm.default", {"self": X, "ord": number(1.0)}), "the order 1 is not supported, only 2"),
    (("scaled_dot_product_attention.default", {"query": V, "key": V, "value": V}), "need two dimensions at least"),
    (("scaled_dot_product_attention.default", {"query": X, "key": X, "value": X, "dropout_p": number(0.1)}), "has dropout"),
    (("torch.ops.higher_order.wrap_with_set_grad_enabled",), "calls no graph"),
]


@pytest.mark.parametrize("case, message", OPS, ids=lambda value: None)
def test_ops_that_are_refused(tmp_path, case, message):
    result = run(tmp_path, program(*case))
    assert result.returncode == 1 and result.stdout == "" and result.stderr.count("\n") == 1, result.stderr
    assert message in result.stderr
    if "does not say what z" not in message:
        assert re.search(r"m\.json: \S+ in blocks\.0 \(model\.py:12\): ", result.stderr), result.stderr


CALLED = {"inputs": [name("a")], "outputs": [name("a")], "nodes": [], "tensor_values": {"y": meta(F32, 1, T, 4)}}


def calls(graph, *arguments):
    given = {"enter": {"as_bool": False}, "graph": {"as_graph": {"name": "g", "graph": graph}}}
    return program("torch.ops.higher_order.wrap_with_set_grad_enabled",
                   given | {f"a{i}": name(argument) for i, argument in enumerate(arguments)})


def nested(depth):
    graph = CALLED
    for _ in range(depth):
        graph = dict(CALLED, nodes=calls(graph, "a")["graph_module"]["graph"]["nodes"])
    return graph


PROGRAMS = [
    (calls(CALLED), "calls a graph with other inputs than it is given"),
    (calls(dict(CALLED, outputs=[integer(1)]), "x"), "calls a graph with an output that is no tensor"),
    (calls(nested(9), "x"), "is nested more than 64 deep"),
    (program("neg.default", specs=[{"token": {"arg": {"name": "t"}}}]), "the graph has an input that is no tensor (token)"),
    (program("neg.default", more_outputs=[{"buffer_mutation": {"arg": {"name": "y"}, "buffer_name": "b"}}]),
     "the graph gives back buffer_mutation: export a model that changes no buffers"),
    (program("neg.default", outputs=()), "the graph gives no tensor back"),
    (program("neg.default", outputs=("w",)), "the output w is not made"),
    (program("neg.default", outputs=("z",)), "the graph does not say what z is"),
    (program("neg.default", specs=[{"buffer": {"arg": {"name": "w"}, "buffer_name": "mask"}}]),
     "mask needs values, and a graph without its archive has none: give the .pt2 file"),
    (program("neg.default", specs=[{"parameter": {"arg": {"name": "u"}, "parameter_name": "p"}}]), "p has the sizes [4, u0], they must be numbers"),
    (program("neg.default", schema_version={"major": 7, "minor": 1}), "schema_version.major is 7, 8 is read"),
]


@pytest.mark.parametrize("document, message", PROGRAMS, ids=lambda value: None)
def test_graphs_that_are_refused(tmp_path, document, message):
    result = run(tmp_path, document)
    assert result.returncode == 1 and result.stdout == "" and result.stderr.count("\n") == 1, result.stderr
    assert message in result.stderr and str(tmp_path / "m.json") in result.stderr


def test_a_graph_in_a_graph_and_a_node_that_makes_nothing(tmp_path):
    document = calls(CALLED, "x")
    nodes = document["graph_module"]["graph"]["nodes"]
    nodes.append({"target": "torch.ops.aten._assert_scalar.default", "inputs": [], "outputs": [], "metadata": {}})
    result = run(tmp_path, document)
    assert result.returncode == 0 and "return %arg0 : tensor<1x?x4xf32>" in result.stdout, result.stderr


def test_a_graph_without_tokens_is_not_compiled(tmp_path):
    path = tmp_path / "m.json"
    path.write_text(json.dumps(program("neg.default")))
    result = subprocess.run([BUILD / "bin/llmirc", "compile", path, "-o", tmp_path / "m.llmir"], capture_output=True, text=True)
    assert result.returncode == 1 and "only tensors of one batch and a dynamic number of tokens can be raised" in result.stderr
    result = subprocess.run([BUILD / "bin/llmirc", "compile", path, "--stop-after=import"], capture_output=True, text=True)
    assert result.returncode == 0 and "arith.negf" in result.stdout
