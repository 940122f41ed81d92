"""Models for tests: tiny random ones of each family written as GGUF beside their Hugging Face twin, and twins of files.

The twin holds, in f32, exactly the numbers that the file's tensors dequantise to. Shared by all end-to-end tests.
"""
import math
import random

import gguf
import numpy as np
import torch
import transformers
from conftest import gguf_reader
from gguf.quants import dequantize, quantize
from transformers import LlamaConfig, LlamaForCausalLM

F32 = gguf.GGMLQuantizationType.F32
CHAT_TEMPLATE = ("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
                 "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")
LAYER_NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}
POST_NORMS = {"post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
              "post_feedforward_layernorm": "post_ffw_norm"}
# The family's name in GGUF -> the classes of transformers.
FAMILIES = {"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3", "gemma": "Gemma", "gemma2": "Gemma2", "gemma3": "Gemma3"}


# Configurations that between them have all that tells the families apart.
FAMILY_CASES = [
    dict(family="qwen2", seed=31),
    dict(family="qwen2", seed=32, use_sliding_window=True, sliding_window=9, max_window_layers=1, num_hidden_layers=3),
    dict(family="qwen2", seed=33, rope="yarn", tie_word_embeddings=False),
    dict(family="qwen3", seed=34, attention_bias=False),
    dict(family="qwen3", seed=35, attention_bias=True, tie_word_embeddings=False),
    dict(family="gemma", seed=36),
    dict(family="gemma2", seed=37),
    dict(family="gemma2", seed=38, num_hidden_layers=3, layer_types=["full_attention"] * 2 + ["sliding_attention"],
         query_pre_attn_scalar=7, attn_logit_softcapping=None),
    dict(family="gemma3", seed=39),
    dict(family="gemma3", seed=40, num_hidden_layers=3, sliding_window=11, tie_word_embeddings=False,
         layer_types=["sliding_attention", "full_attention", "sliding_attention"], final_logit_softcapping=4.0,
         rope_parameters=dict(full_attention=dict(rope_type="linear", rope_theta=1e6, factor=8.0),
                              sliding_attention=dict(rope_type="default", rope_theta=2e3))),
]


def case_name(case):
    return f"{case.get('family', 'llama')}-{case['seed']}"


def family_of(config):
    return {"gemma3_text": "gemma3"}.get(config.model_type, config.model_type)


def gguf_name(name, family="llama"):
    """The GGUF name of a Hugging Face parameter."""
    layer_names = LAYER_NAMES | (POST_NORMS if family in ("gemma2", "gemma3") else {})
    fixed = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
             "lm_head.weight": "output.weight"}
    if name in fixed:
        return fixed[name]
    _, _, layer, rest = name.split(".", 3)
    module, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{layer_names[module]}.{kind}"


def heads_of(name, config):
    """Heads whose rows GGUF interleaves, 0 for tensors that stay as they are."""
    if family_of(config) != "llama":
        return 0
    part = name.split(".")[-2]
    return {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}.get(part, 0)


def interleave(x, heads):
    """Rows of a head from halves (i, i + d/2) to neighbours (2i, 2i + 1)."""
    return x.reshape(heads, 2, -1, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape) if heads else x


def deinterleave(x, heads):
    return x.reshape(heads, -1, 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape) if heads else x


def random_config(seed, family="llama", **overrides):
    """A configuration of few thousand parameters; `rope` is one of default, linear, llama3, yarn."""
    rng = random.Random(seed)
    head_dim = rng.choice([8, 16, 32])
    kv_heads = rng.choice([1, 2, 3])
    heads = kv_heads * rng.choice([1, 2, 3])  # transformers wants a hidden size that they divide
    settings = dict(hidden_size=math.lcm(32, heads) * rng.randint(1, 2), intermediate_size=32 * rng.randint(2, 6),
                    head_dim=head_dim, num_key_value_heads=kv_heads, num_attention_heads=heads,
                    num_hidden_layers=rng.randint(1, 3), vocab_size=rng.randint(270, 700),
                    max_position_embeddings=256, rms_norm_eps=rng.choice([1e-5, 1e-6]),
                    tie_word_embeddings=rng.random() < 0.5, attention_bias=rng.random() < 0.3)
    if family.startswith("gemma") or family == "qwen2":
        del settings["attention_bias"]
    rope = overrides.pop("rope", rng.choice(["default", "linear", "llama3", "yarn"]) if family == "llama" else "default")
    parameters = dict(rope_type=rope, rope_theta=rng.choice([1e4, 5e5]))
    if rope != "default":
        parameters["factor"] = 4.0
    if rope in ("llama3", "yarn"):
        parameters["original_max_position_embeddings"] = 64
    if rope == "llama3":
        parameters |= dict(low_freq_factor=1.0, high_freq_factor=4.0)
    settings["rope_parameters"] = parameters
    if family == "gemma3":
        local = dict(rope_type="default", rope_theta=1e4)
        settings["rope_parameters"] = dict(full_attention=parameters | dict(rope_theta=1e6), sliding_attention=local)
    if family in ("gemma2", "gemma3"):
        settings |= dict(sliding_window=rng.choice([5, 16, 33]), query_pre_attn_scalar=head_dim)
        settings |= dict(num_hidden_layers=rng.randint(2, 3) if family == "gemma2" else rng.randint(7, 8))
    if family == "gemma2":
        settings |= dict(attn_logit_softcapping=rng.choice([5.0, 50.0]), final_logit_softcapping=rng.choice([3.0, 30.0]))
    if family.startswith("gemma"):
        settings |= dict(tie_word_embeddings=True)
    config = getattr(transformers, FAMILIES[family] + ("TextConfig" if family == "gemma3" else "Config"))
    return config(**(settings | overrides), attn_implementation="eager")


def llama3_factors(config):
    """What GGUF stores as rope_freqs.weight."""
    rope, dim = config.rope_parameters, config.head_dim
    wavelengths = 2 * math.pi * rope["rope_theta"] ** (np.arange(0, dim, 2) / dim)
    turns = rope["original_max_position_embeddings"] / wavelengths
    smooth = (turns - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"])
    smooth = np.clip(smooth, 0, 1)
    return (1 / ((1 - smooth) / rope["factor"] + smooth)).astype(np.float32)


def vocabulary(size):
    """Three control tokens, the byte alphabet, then merges of two letters."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + [chr(c) for c in range(ord("A"), ord("Z") + 1)]
    pairs = [(a, b) for a in letters for b in letters]
    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokens = control + [chr(b) for b in printable] + [chr(256 + i) for i in range(len(others))]
    merges = pairs[:max(0, size - len(tokens))]
    tokens = (tokens + [a + b for a, b in merges])[:size]
    assert len(tokens) == size, "at most 2963 tokens"
    return tokens, [3] * 3 + [1] * (size - 3), [f"{a} {b}" for a, b in merges]


def write_window(writer, config):
    """The sliding window and, where it is not the family's own, which layers it is of."""
    slides = [kind == "sliding_attention" for kind in getattr(config, "layer_types", None) or []]
    if not any(slides):
        return
    writer.add_sliding_window(config.sliding_window)
    period = {"gemma2": 2, "gemma3": 6}.get(family_of(config), 0)
    if slides != [(i + 1) % period != 0 if period else True for i in range(len(slides))]:
        writer.add_sliding_window_pattern(slides)


def write_metadata(writer, config):
    rope = config.rope_parameters
    local = rope.get("sliding_attention")
    rope = rope.get("full_attention", rope)
    if local and local["rope_theta"] != 1e4:
        writer.add_rope_freq_base_swa(local["rope_theta"])
    write_window(writer, config)
    if hasattr(config, "attn_logit_softcapping"):  # left out, Gemma 2's own would count
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping or 0)
        writer.add_final_logit_softcapping(config.final_logit_softcapping or 0)
    if getattr(config, "query_pre_attn_scalar", config.head_dim) != config.head_dim:
        writer.add_attention_scale(config.query_pre_attn_scalar**-0.5)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(rope["rope_type"]))
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if rope["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(config))
    tokens, types, merges = vocabulary(config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def write_tiny(path, seed, types=None, family="llama", **overrides):
    """Writes a random model of a family to `path` and gives its twin.

    `types` gives a matrix's type by GGUF name: a name such as "Q4_0", or a function of the tensor's name that
    gives one. A type whose blocks do not divide the rows becomes F32; so do vectors.
    """
    config = random_config(seed, family, **overrides)
    torch.manual_seed(seed)
    model = getattr(transformers, FAMILIES[family] + "ForCausalLM")(config).eval().float()
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, family)
    write_metadata(writer, config)
    for name, parameter in model.named_parameters():
        target, shape = gguf_name(name, family), tuple(parameter.shape)
        scale = 1.5 / math.sqrt(shape[-1]) if len(shape) == 2 else 0.1
        if target == "token_embd.weight":
            scale = 3 / math.sqrt(shape[-1]) if family.startswith("gemma") else 1  # Gemma multiplies it by the root
        data = rng.normal(scale=scale, size=shape).astype(np.float32)
        data += np.float32("norm" in target)
        wanted = types(target) if callable(types) else types or "F32"
        kind = gguf.GGMLQuantizationType[wanted if len(shape) == 2 else "F32"]
        if shape[-1] % gguf.GGML_QUANT_SIZES[kind][0]:
            kind = F32
        stored = quantize(data, kind)
        writer.add_tensor(target, stored, raw_dtype=kind)
        exact = deinterleave(np.asarray(dequantize(stored, kind)).reshape(shape), heads_of(target, config))
        if family.startswith("gemma") and "norm" in target:
            exact = exact - 1  # its norms multiply by 1 + weight; GGUF has the sum
        parameter.data = torch.from_numpy(np.array(exact))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


def twin_of(path):
    """The Hugging Face model of a Llama GGUF file without RoPE scaling, in f32, from its dequantised weights."""
    reader = gguf_reader(str(path))
    fields = {key: field.contents() for key, field in reader.fields.items() if key.startswith("llama.")}
    tensors = {t.name: t for t in reader.tensors}
    heads = fields["llama.attention.head_count"]
    config = LlamaConfig(
        hidden_size=fields["llama.embedding_length"], intermediate_size=fields["llama.feed_forward_length"],
        num_hidden_layers=fields["llama.block_count"], num_attention_heads=heads,
        num_key_value_heads=fields.get("llama.attention.head_count_kv", heads),
        head_dim=fields.get("llama.attention.key_length", fields["llama.embedding_length"] // heads),
        vocab_size=int(tensors["token_embd.weight"].shape[1]), max_position_embeddings=fields["llama.context_length"],
        rms_norm_eps=fields["llama.attention.layer_norm_rms_epsilon"],
        tie_word_embeddings="output.weight" not in tensors,
        rope_parameters=dict(rope_type="default", rope_theta=fields.get("llama.rope.freq_base", 1e4)))
    model = LlamaForCausalLM(config).eval().float()
    for name, parameter in model.named_parameters():
        tensor = tensors[gguf_name(name)]
        data = np.asarray(dequantize(tensor.data, tensor.tensor_type), np.float32).reshape(tuple(parameter.shape))
        parameter.data = torch.from_numpy(np.array(deinterleave(data, heads_of(tensor.name, config))))
    return model


def logits_of(model, tokens):
    """f32 logits [tokens, vocabulary]."""
    with torch.no_grad():
        return model(torch.tensor([list(tokens)])).logits[0].numpy()
