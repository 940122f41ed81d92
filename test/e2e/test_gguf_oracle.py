"""GGUF files and block codecs against the `gguf` package: every float, every byte, every metadata value."""
import json
import os
import subprocess
import time
from pathlib import Path

import gguf
import numpy as np
import pytest
from conftest import gguf_reader
from gguf import GGMLQuantizationType as T

BUILD = Path(os.environ.get("LLMIR_BUILD", Path(__file__).resolve().parents[2] / "build"))
TOOL = BUILD / "bin/test/gguf_dump"
MODEL = os.environ.get("LLMIR_MODEL")

QUANTISED = [T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K]
CODECS = [T.F32, T.F16, T.BF16] + QUANTISED
# The package encodes these; K-quants it only decodes.
ENCODED = [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0]


def run(*arguments):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True)


def listing(path):
    result = run(path)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def floats(path, tensor, out):
    result = run(path, tensor, out)
    assert result.returncode == 0, result.stderr
    return np.fromfile(out, np.float32)


def assert_same_bits(ours, theirs):
    """Bit for bit, except that one NaN is as good as another."""
    theirs = np.ascontiguousarray(theirs, np.float32).reshape(-1)
    assert ours.shape == theirs.shape
    same = (ours.view(np.uint32) == theirs.view(np.uint32)) | (np.isnan(ours) & np.isnan(theirs))
    assert same.all(), f"{(~same).sum()} of {same.size} differ, first at {np.argmin(same)}"


def random_rows(kind, rng, rows=24, blocks=3):
    """Bytes of `rows` rows: anything for the quants, so that also infinite and subnormal scales occur."""
    size, width = gguf.GGML_QUANT_SIZES[kind]
    return rng.integers(0, 256, (rows, blocks * width * (64 // size if size == 1 else 1)), dtype=np.uint8)


def write(path, tensors, metadata=None):
    writer = gguf.GGUFWriter(path, "llama")
    for add in metadata or []:
        add(writer)
    for name, (kind, data) in tensors.items():
        if kind == T.F32 or kind == T.F16:
            data = data.view(np.float32 if kind == T.F32 else np.float16)
            writer.add_tensor(name, data)
        else:
            writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("kind", CODECS, ids=lambda kind: kind.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_dequantise_random_bytes(kind, tmp_path):
    data = random_rows(kind, np.random.default_rng(int(kind)))
    write(tmp_path / "x.gguf", {"x": (kind, data)})
    assert_same_bits(floats(tmp_path / "x.gguf", "x", tmp_path / "x.f32"), gguf.quants.dequantize(data, kind))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_half_and_bfloat(tmp_path):
    bits = np.arange(65536, dtype=np.uint16).reshape(256, 256).view(np.uint8)
    write(tmp_path / "x.gguf", {"half": (T.F16, bits), "bfloat": (T.BF16, bits)})
    for name, kind in ("half", T.F16), ("bfloat", T.BF16):
        assert_same_bits(floats(tmp_path / "x.gguf", name, tmp_path / "x.f32"), gguf.quants.dequantize(bits, kind))


def weights(rng):
    """Rows that look like weights, and rows at the edges: zero, constant, tiny, huge, one outlier, one sign."""
    x = rng.normal(0, 0.05, (16, 512)).astype(np.float32)
    x[1] = 0
    x[2] = 0.75
    x[3] *= 1e-9
    x[4] *= 1e4
    x[5, 7] = -30
    x[6] = np.abs(x[6])
    x[7] = -np.abs(x[7])
    x[8] = np.round(x[8] * 100)  # many ties
    x[9, ::2] = 0
    return x


@pytest.mark.parametrize("kind", ENCODED, ids=lambda kind: kind.name)
def test_encoders_give_the_same_bytes(kind, tmp_path):
    x = weights(np.random.default_rng(1))
    write(tmp_path / "in.gguf", {"x": (T.F32, x)})
    result = run("--rewrite", tmp_path / "in.gguf", kind.name.lower(), tmp_path / "out.gguf")
    assert result.returncode == 0, result.stderr
    tensor = gguf.GGUFReader(tmp_path / "out.gguf").tensors[0]
    assert tensor.tensor_type == kind
    expected = gguf.quants.quantize(x, kind)
    assert np.array_equal(np.ascontiguousarray(tensor.data).view(np.uint8).reshape(-1), expected.view(np.uint8).reshape(-1))


@pytest.mark.parametrize("kind,limit", [(T.Q2_K, 0.35), (T.Q3_K, 0.2), (T.Q4_K, 0.09), (T.Q5_K, 0.045), (T.Q6_K, 0.025)],
                         ids=lambda value: getattr(value, "name", None))
def test_encoders_of_k_quants_are_close(kind, limit, tmp_path):
    x = weights(np.random.default_rng(2))
    write(tmp_path / "in.gguf", {"x": (T.F32, x)})
    assert run("--rewrite", tmp_path / "in.gguf", kind.name.lower(), tmp_path / "out.gguf").returncode == 0
    tensor = gguf.GGUFReader(tmp_path / "out.gguf").tensors[0]
    y = gguf.quants.dequantize(tensor.data, kind).reshape(x.shape)
    assert np.isfinite(y).all()
    assert (y[1] == 0).all()
    for row in (0, 2, 4, 6, 7):
        assert np.linalg.norm(y[row] - x[row]) <= limit * np.linalg.norm(x[row]), row


METADATA = [
    lambda w: w.add_uint8("a.u8", 255), lambda w: w.add_int8("a.i8", -128), lambda w: w.add_uint16("a.u16", 65535),
    lambda w: w.add_int16("a.i16", -32768), lambda w: w.add_uint32("a.u32", 2**32 - 1), lambda w: w.add_int32("a.i32", -2**31),
    lambda w: w.add_uint64("a.u64", 2**64 - 1), lambda w: w.add_int64("a.i64", -2**63), lambda w: w.add_float32("a.f32", 0.1),
    lambda w: w.add_float64("a.f64", 0.5), lambda w: w.add_bool("a.yes", True), lambda w: w.add_bool("a.no", False),
    lambda w: w.add_string("a.text", "grüße 🙂\nline"), lambda w: w.add_array("a.texts", ["", "a", "ü" * 300]),
    lambda w: w.add_array("a.ints", [-1, 0, 2**31 - 1]), lambda w: w.add_array("a.floats", [0.25, -1.5]),
]


def python_metadata(reader):
    return {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}


def assert_same_metadata(ours, theirs):
    assert list(sorted(ours)) == list(sorted(theirs))
    for key, value in theirs.items():
        assert ours[key] == pytest.approx(value, rel=1e-7) if isinstance(value, float) else ours[key] == value, key


def test_metadata_and_shapes(tmp_path):
    data = np.arange(2 * 3 * 4 * 32, dtype=np.float32)
    tensors = {"d1": (T.F32, data), "d2": (T.F32, data.reshape(24, 32)), "d3": (T.F32, data.reshape(6, 4, 32)),
               "d4": (T.F32, data.reshape(2, 3, 4, 32))}
    write(tmp_path / "x.gguf", tensors, METADATA)
    ours = listing(tmp_path / "x.gguf")
    assert_same_metadata(ours["metadata"], python_metadata(gguf.GGUFReader(tmp_path / "x.gguf")))
    for name, (_, array) in tensors.items():
        assert ours["tensors"][name]["shape"] == list(array.shape)
        assert np.array_equal(floats(tmp_path / "x.gguf", name, tmp_path / "x.f32"), data)


def test_rewriting_keeps_metadata_and_shapes(tmp_path):
    x = np.random.default_rng(3).normal(size=(2, 3, 64)).astype(np.float32)
    write(tmp_path / "in.gguf", {"x": (T.F32, x), "y": (T.F32, x[0])}, METADATA)
    assert run("--rewrite", tmp_path / "in.gguf", "q8_0", tmp_path / "out.gguf").returncode == 0
    before, after = gguf.GGUFReader(tmp_path / "in.gguf"), gguf.GGUFReader(tmp_path / "out.gguf")
    assert python_metadata(before) == python_metadata(after)
    for old, new in zip(before.tensors, after.tensors):
        assert (old.name, list(old.shape)) == (new.name, list(new.shape)) and new.tensor_type == T.Q8_0


def test_table_knows_every_type(tmp_path):
    for kind, (size, width) in gguf.GGML_QUANT_SIZES.items():
        writer = gguf.GGUFWriter(tmp_path / "x.gguf", "llama")
        writer.add_tensor_info("x", [3, 2 * width], np.dtype(np.uint8), 6 * width, raw_dtype=kind)
        if kind == T.Q8_1:
            width = 36  # ggml's block has two halves; the package still counts two floats
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        writer.close()
        path = tmp_path / "x.gguf"
        head = path.read_bytes()
        path.write_bytes(head + bytes(-len(head) % 32 + 6 * width))
        assert listing(path)["tensors"]["x"] == {"format": kind.name.lower(), "shape": [3, 2 * size], "bytes": 6 * width,
                                                 "offset": len(head) + -len(head) % 32}


@pytest.mark.skipif(not MODEL, reason="LLMIR_MODEL names no model file")
def test_real_model(tmp_path):
    reader = gguf_reader(MODEL)
    start = time.monotonic()
    ours = listing(MODEL)
    assert time.monotonic() - start < 2
    assert_same_metadata(ours["metadata"], python_metadata(reader))
    assert list(sorted(ours["tensors"])) == sorted(tensor.name for tensor in reader.tensors)
    kinds = {}
    for tensor in reader.tensors:
        row = ours["tensors"][tensor.name]
        assert row["shape"] == list(reversed(tensor.shape.tolist())) and row["offset"] == tensor.data_offset
        assert row["bytes"] == tensor.n_bytes
        kinds.setdefault(tensor.tensor_type, tensor)
    for kind, tensor in kinds.items():
        assert_same_bits(floats(MODEL, tensor.name, tmp_path / "x.f32"), gguf.quants.dequantize(tensor.data, kind))
