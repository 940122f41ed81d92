"""Token ids of vocabularies with scores against sentencepiece: vocabularies trained here, as GGUF stores them."""
import io
import random

import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from test_tokenizer_oracle import CORPUS, random_texts, tool  # noqa: F401 (a fixture)

USER_DEFINED = ["\n", "\n\n", "\t", "<b>", "</b>", *("▁" * n for n in range(2, 9))]
CONTROL = ["<turn>", "<end>"]
KINDS = {
    "gemma": dict(byte_fallback=True, add_dummy_prefix=False, user_defined_symbols=USER_DEFINED),
    "llama": dict(byte_fallback=True, add_dummy_prefix=True),
    "prefix and user-defined": dict(byte_fallback=True, add_dummy_prefix=True, user_defined_symbols=USER_DEFINED),
    "unknown": dict(byte_fallback=False, add_dummy_prefix=True),
}


def train(**settings):
    """A model of sentencepiece, serialised."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 9 + random_texts(7, 20)), model_writer=model, model_type="bpe", vocab_size=2000,
        character_coverage=0.98, hard_vocab_limit=False, normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True,
        allow_whitespace_only_pieces=True, control_symbols=CONTROL, minloglevel=2, **settings)
    return model.getvalue()


def data_of(model):
    """What GGUF says of a model; it writes user-defined tokens with spaces."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    types = {proto.SentencePiece.UNKNOWN: 2, proto.SentencePiece.CONTROL: 3, proto.SentencePiece.USER_DEFINED: 4,
             proto.SentencePiece.UNUSED: 5, proto.SentencePiece.BYTE: 6}
    kinds = [types.get(piece.type, 1) for piece in proto.pieces]
    return dict(model="llama", tokens=[p.piece.replace("▁", " ") if kind == 4 else p.piece for p, kind in zip(proto.pieces, kinds)],
                types=kinds, scores=[p.score for p in proto.pieces], unknown=0, bos=1, eos=2, add_bos=False,
                add_space_prefix=proto.normalizer_spec.add_dummy_prefix)


def with_unused(model, seed):
    """The same model with some of its longer pieces never to come out of text."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    rng = random.Random(seed)
    for piece in proto.pieces:
        if piece.type == proto.SentencePiece.NORMAL and len(piece.piece) > 1 and rng.random() < 0.2:
            piece.type = proto.SentencePiece.UNUSED
    return proto.SerializeToString()


def spaced(rng):
    """A text with leading, trailing and runs of spaces."""
    words = ["a", "the", "été", "日本", "<b>", "\n", "▁", "x1"]
    return "".join(" " * rng.randint(0, 5) + rng.choice(words) for _ in range(rng.randint(0, 6))) + " " * rng.randint(0, 3)


def compare(tool, model, texts):  # noqa: F811
    data = data_of(model)
    assert "error" not in tool(op="create", data=data)
    oracle = sentencepiece.SentencePieceProcessor(model_proto=model)
    for text in texts:
        ids = tool.encode(text)
        assert ids == oracle.encode(text), repr(text)
        if 6 in data["types"]:
            expected = text.replace("▁", " ").encode()
            prefix = b" " if data["add_space_prefix"] and text else b""
            assert tool.decode(ids) == prefix + expected
    return oracle


@pytest.mark.parametrize("kind", KINDS)
def test_trained_vocabulary(tool, kind):  # noqa: F811
    rng = random.Random(5)
    texts = CORPUS + random_texts(11, 300) + [spaced(rng) for _ in range(200)]
    model = train(**KINDS[kind])
    compare(tool, model, texts)
    compare(tool, with_unused(model, 3), texts)


def test_control_tokens(tool):  # noqa: F811
    model = train(**KINDS["gemma"])
    oracle = compare(tool, model, ["<turn>user\nhi<end>"])
    turn, end = oracle.piece_to_id("<turn>"), oracle.piece_to_id("<end>")
    ids = tool.encode("<turn>user\n hi<end>", parse_special=True)
    assert ids == [turn, *oracle.encode("user\n hi"), end]
    assert tool.decode(ids, skip_special=True) == b"user\n hi"
    assert not {turn, end} & set(tool.encode("<turn>user<end>"))


def test_broken_utf8_round_trips(tool):  # noqa: F811
    rng = random.Random(4)
    tool(op="create", data=data_of(train(**KINDS["gemma"])))
    for _ in range(300):
        data = bytearray("".join(random_texts(rng.random(), 2)).replace("▁", "").encode())
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(data) + 1)
            data[at:at + rng.randint(0, 2)] = rng.randbytes(rng.randint(0, 3))
        assert tool.decode(tool.encode(bytes(data))) == bytes(data).replace("▁".encode(), b" ")
    everything = bytes(range(256)) * 2 + bytes(reversed(range(256)))
    assert tool.decode(tool.encode(everything)) == everything


def test_a_long_text_without_a_break(tool):  # noqa: F811
    tool(op="create", data=data_of(train(**KINDS["llama"])))
    for unit in ("a", "é", "\xff"):
        data = unit.encode("latin-1" if unit == "\xff" else "utf-8")
        data *= (1 << 18) // len(data)
        answer = tool(op="encode", hex=data.hex())
        assert bytes.fromhex(tool(op="decode", ids=answer["ids"])["hex"]) == b" " + data
