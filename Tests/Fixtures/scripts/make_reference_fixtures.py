"""Golden values for Tests/ReferenceTests from transformers' LlamaForCausalLM: a random model of 2 layers, logits and
gradients of L = sum of log p(label) at the output of every matrix, for a tied and an untied head, for Llama 3's
scaled rotary frequencies, and for MistralForCausalLM's sliding window.

    pip install torch transformers && python make_reference_fixtures.py    (writes ../reference)

Weights are written under GGUF's names and in GGUF's order: rows of q and k permuted as convert_hf_to_gguf.py does, so
that the rotary embedding pairs adjacent rows. Gradients at the outputs of q and k are permuted alike.
"""

import json
import pathlib

import torch
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

TARGET = pathlib.Path(__file__).parent.parent / "reference"
HEADS, KEY_VALUE_HEADS = 4, 2
SHAPE = dict(
    vocab_size=96, hidden_size=64, intermediate_size=72, num_hidden_layers=2, num_attention_heads=HEADS,
    num_key_value_heads=KEY_VALUE_HEADS, max_position_embeddings=128, rms_norm_eps=1e-5, rope_theta=10000.0,
    attn_implementation="eager",
)
SCALING = dict(
    rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
PARTS = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
}


def permute(rows, heads):
    """convert_hf_to_gguf.py, LlamaModel.permute, along the first axis."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def canonical(part, rows):
    heads = {"attn_q": HEADS, "attn_k": KEY_VALUE_HEADS}.get(part)
    return permute(rows, heads) if heads else rows


class Writer:
    def __init__(self, name):
        self.name, self.bytes, self.tensors = name, b"", {}

    def add(self, name, tensor):
        tensor = tensor.detach().float()
        rows = tensor.reshape(-1, tensor.shape[-1])
        self.tensors[name] = {"rows": rows.shape[0], "columns": rows.shape[1], "offset": len(self.bytes)}
        self.bytes += rows.contiguous().numpy().astype("<f4").tobytes()

    def write(self, **extra):
        (TARGET / f"{self.name}.bin").write_bytes(self.bytes)
        (TARGET / f"{self.name}.json").write_text(json.dumps({"tensors": self.tensors, **extra}, indent=1) + "\n")


def model(tied, weights, scaling=None):
    return filled(LlamaForCausalLM(LlamaConfig(**SHAPE, tie_word_embeddings=tied, rope_scaling=scaling)), weights)


def filled(net, weights):
    result = net.float().eval()
    with torch.no_grad():
        for name, parameter in result.named_parameters():
            parameter.copy_(weights[name])
    return result


def golden(name, net, sequences, labels):
    """Logits, gradients at the matrices' outputs and gradients of some weights, sequences stacked."""
    writer = Writer(name)
    outputs = {}

    def keep(key):
        def hook(module, inputs, output):
            output.retain_grad()
            outputs.setdefault(key, []).append(output)
        return hook

    for index, layer in enumerate(net.model.layers):
        for part, path in PARTS.items():
            if not part.endswith("norm"):
                layer.get_submodule(path).register_forward_hook(keep((index, part)))
    net.model.embed_tokens.register_forward_hook(keep("embedding"))
    logits = [net(torch.tensor([sequence])).logits[0] for sequence in sequences]
    total = sum(
        torch.log_softmax(rows, dim=-1)[torch.arange(len(wanted)), torch.tensor(wanted)].sum()
        for rows, wanted in zip(logits, labels))
    total.backward()
    writer.add("logits", torch.cat(logits))
    for key, kept in outputs.items():
        gradient = torch.cat([output.grad[0] for output in kept])
        if key == "embedding":
            writer.add("gradient.embedding", gradient)
        else:
            index, part = key
            writer.add(f"gradient.{index}.{part}", canonical(part, gradient.T).T)
    for index, part in [(0, "attn_q"), (1, "attn_k"), (0, "ffn_up"), (1, "ffn_down")]:
        weight = net.model.layers[index].get_submodule(PARTS[part]).weight
        writer.add(f"weight.{index}.{part}", canonical(part, weight.grad))
    writer.write()


def main():
    torch.manual_seed(20240917)
    TARGET.mkdir(exist_ok=True)
    untied = LlamaForCausalLM(LlamaConfig(**SHAPE, tie_word_embeddings=False))
    weights = {
        name: 1 + 0.2 * torch.randn(parameter.shape) if parameter.dim() == 1
        else torch.randn(parameter.shape) * parameter.shape[1] ** -0.5
        for name, parameter in untied.named_parameters()
    }
    sequences = [torch.randint(96, (length,)).tolist() for length in (13, 7)]
    labels = [torch.randint(96, (length,)).tolist() for length in (13, 7)]

    writer = Writer("weights")
    writer.add("token_embd.weight", weights["model.embed_tokens.weight"])
    writer.add("output.weight", weights["lm_head.weight"])
    writer.add("output_norm.weight", weights["model.norm.weight"])
    for index in range(SHAPE["num_hidden_layers"]):
        for part, path in PARTS.items():
            weight = weights[f"model.layers.{index}.{path}.weight"]
            writer.add(f"blk.{index}.{part}.weight", canonical(part, weight))
    scaled = model(True, weights, SCALING)
    plain = model(True, weights)
    divisors = plain.model.rotary_emb.inv_freq / scaled.model.rotary_emb.inv_freq
    writer.write(sequences=sequences, labels=labels, divisors=divisors.tolist())

    golden("tied", plain, sequences, labels)
    golden("untied", model(False, weights), sequences, labels)
    window = MistralConfig(**SHAPE, tie_word_embeddings=True, sliding_window=5)
    golden("windowed", filled(MistralForCausalLM(window), weights), sequences, labels)
    writer = Writer("scaled")
    writer.add("logits", torch.cat([scaled(torch.tensor([sequence])).logits[0] for sequence in sequences]))
    writer.write()


main()
