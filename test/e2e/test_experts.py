"""Mixtures of experts: tiny random models of each family that has them, against transformers."""
import math

import gguf
import numpy as np
import pytest
import tiny_models
import torch
from gguf.quants import dequantize, quantize
from test_eval import logits, random_tokens
from test_reference_oracle import reference
from transformers import MixtralConfig, MixtralForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM

F32 = gguf.GGMLQuantizationType.F32


def config_of(seed, family, **overrides):
    dense = tiny_models.random_config(seed, rope="default", attention_bias=False)
    names = ("hidden_size intermediate_size head_dim num_key_value_heads num_attention_heads num_hidden_layers vocab_size "
             "max_position_embeddings rms_norm_eps tie_word_embeddings rope_parameters").split()
    settings = {name: getattr(dense, name) for name in names} | dict(num_experts_per_tok=2, attn_implementation="eager")
    if family == "llama":
        return MixtralConfig(**(settings | dict(num_local_experts=5) | overrides))
    settings |= dict(num_experts=5, moe_intermediate_size=32, norm_topk_prob=True)
    return Qwen3MoeConfig(**(settings | overrides))


def split(name, data, family="llama"):
    """The GGUF tensors of a Hugging Face parameter, as pairs of name and numbers."""
    layer = name.split(".")[2] if ".layers." in name else None
    if name.endswith("mlp.gate.weight"):
        return [(f"blk.{layer}.ffn_gate_inp.weight", data)]
    if name.endswith("experts.gate_up_proj"):
        half = data.shape[1] // 2
        return [(f"blk.{layer}.ffn_gate_exps.weight", data[:, :half]), (f"blk.{layer}.ffn_up_exps.weight", data[:, half:])]
    if name.endswith("experts.down_proj"):
        return [(f"blk.{layer}.ffn_down_exps.weight", data)]
    return [(tiny_models.gguf_name(name, family), data)]


def write_mixture(path, seed, family="llama", types="F32", **overrides):
    """Writes a random model to `path` and gives its twin; `types` is that of all matrices but the router."""
    config = config_of(seed, family, **overrides)
    model = (MixtralForCausalLM if family == "llama" else Qwen3MoeForCausalLM)(config).eval().float()
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, family)
    tiny_models.write_metadata(writer, config)
    writer.add_expert_count(config.num_local_experts)
    writer.add_expert_used_count(config.num_experts_per_tok)
    if family == "qwen3moe":
        writer.add_expert_feed_forward_length(config.moe_intermediate_size)
        writer.add_expert_weights_norm(config.norm_topk_prob)
    for name, parameter in model.named_parameters():
        shape = tuple(parameter.shape)
        scale = 1 if "embed_tokens" in name else 1.5 / math.sqrt(shape[-1]) if len(shape) > 1 else 0.1
        data = rng.normal(scale=scale, size=shape).astype(np.float32) + np.float32("norm" in name)
        exact = []
        for target, part in split(name, data):
            kind = gguf.GGMLQuantizationType[types if part.ndim > 1 and "inp" not in target else "F32"]
            if part.shape[-1] % gguf.GGML_QUANT_SIZES[kind][0]:
                kind = F32
            stored = quantize(np.ascontiguousarray(part), kind)
            writer.add_tensor(target, stored, raw_dtype=kind)
            numbers = np.asarray(dequantize(stored, kind)).reshape(part.shape)
            heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads} if family == "llama" else {}
            exact.append(tiny_models.deinterleave(numbers, heads.get(target.split(".")[-2], 0)))
        parameter.data = torch.from_numpy(np.concatenate(exact, axis=1 if len(exact) == 2 else 0).copy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


CASES = [dict(seed=31), dict(seed=32, num_local_experts=8, num_experts_per_tok=3),
         dict(seed=33, num_local_experts=2, num_experts_per_tok=1, tie_word_embeddings=False),
         dict(seed=36, family="qwen3moe"), dict(seed=37, family="qwen3moe", num_experts=16, num_experts_per_tok=4, norm_topk_prob=False)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["seed"]))
def test_float_models_agree_with_transformers(llmir, case, tmp_path):
    path = tmp_path / "tiny.gguf"
    twin = write_mixture(path, **case)
    tokens = random_tokens(case["seed"], twin.config.vocab_size, 90)
    expected = tiny_models.logits_of(twin, tokens)
    assert np.abs(reference(path, tokens, tmp_path) - expected).max() <= 1e-3
    got = logits(llmir, path, tokens, tmp_path, "--kv", "f32")
    assert np.abs(got - expected).max() <= 2e-3


@pytest.mark.parametrize("types", ["Q4_0", "Q8_0", "BF16"])
def test_quantised_models_stay_close(llmir, types, tmp_path):
    path = tmp_path / "tiny.gguf"
    twin = write_mixture(path, 34, types=types)
    tokens = random_tokens(34, twin.config.vocab_size, 60)
    expected = tiny_models.logits_of(twin, tokens)
    got = logits(llmir, path, tokens, tmp_path, "--activations", "int16", "--kv", "f32")
    assert np.abs(got - expected).max() <= 1e-2 * np.abs(expected).max()


def test_bits_do_not_depend_on_company(llmir, tmp_path):
    path = tmp_path / "tiny.gguf"
    twin = write_mixture(path, 35, types="Q4_0", num_local_experts=8)
    tokens = random_tokens(35, twin.config.vocab_size, 100)
    alone = logits(llmir, path, tokens, tmp_path, "--threads", 1)
    for flags in (["--threads", 2], ["--prefill-chunk", 7], ["--batch", 3, "--prefill-chunk", 64]):
        assert np.array_equal(alone, logits(llmir, path, tokens, tmp_path, *flags)), flags
