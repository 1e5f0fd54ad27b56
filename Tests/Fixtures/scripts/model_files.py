"""Makes Tests/Fixtures/model-files with gguf-py, safetensors and llama.cpp's own converter.

    python model_files.py LLAMA_CPP_DIRECTORY

Writes beside this script's folder:
    types.gguf        every metadata type and some tensor types, by gguf-py's GGUFWriter
    tiny/             a random Llama as transformers writes it: sharded, grouped-query, untied, Llama 3's rotary scaling,
                      head_dim unlike hidden_size / heads, more embedding rows than tokens
    tiny.gguf         the same, by LLAMA_CPP_DIRECTORY/convert_hf_to_gguf.py
    bard.json         the converter's metadata of Tests/Fixtures/bard, and CRC-32 of each tensor as float32
    rotary.json       divisors of Llama 3's rotary scaling, from transformers

Packages: numpy, torch, transformers, tokenizers, safetensors. Seeds are fixed: a second run gives the same files.
"""

import json
import pathlib
import shutil
import sys
import tempfile
import zlib

import numpy as np
import torch

LLAMA_CPP = pathlib.Path(sys.argv[1])
# The gguf-py that belongs to the converter, before one that may be installed.
sys.path[:0] = [str(LLAMA_CPP / "gguf-py"), str(LLAMA_CPP)]
import gguf  # noqa: E402

FIXTURES = pathlib.Path(__file__).resolve().parent.parent
OUT = FIXTURES / "model-files"


def types():
    writer = gguf.GGUFWriter(OUT / "types.gguf", "llama")
    writer.add_uint8("a.uint8", 200)
    writer.add_int8("a.int8", -100)
    writer.add_uint16("a.uint16", 60000)
    writer.add_int16("a.int16", -30000)
    writer.add_uint32("a.uint32", 4000000000)
    writer.add_int32("a.int32", -2000000000)
    writer.add_float32("a.float32", 0.1)
    writer.add_bool("a.bool", True)
    writer.add_string("a.string", "caf\u00e9 \U0001F600")
    writer.add_uint64("a.uint64", 2**63 + 5)
    writer.add_int64("a.int64", -(2**62))
    writer.add_float64("a.float64", 0.1)
    writer.add_array("a.strings", ["x", "", "\u0120the"])
    writer.add_array("a.integers", [1, -2, 3])
    writer.add_array("a.floats", [0.5, -0.25])
    writer.add_array("a.bools", [True, False])
    writer.add_array("a.nested", [[1, 2], [3]])
    counting = np.arange(24, dtype=np.float32) / 4 - 3
    writer.add_tensor("f32", counting.reshape(2, 3, 4))
    writer.add_tensor("f16", counting[:10].astype(np.float16).reshape(5, 2))
    blocks = np.arange(64, dtype=np.float32).reshape(1, 64)
    quantized = gguf.quants.quantize(blocks, gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("q8_0", quantized, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    # A multiple of the alignment, so that no padding ends the file: cut anywhere, it lacks something.
    writer.add_tensor("last", counting[:8])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tiny():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("\u0120", "t"), ("h", "e"), ("\u0120t", "he"), ("i", "n")]
    vocabulary = ["<|endoftext|>"] + alphabet + [left + right for left, right in merges]
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(vocabulary)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|endoftext|>", eos_token="<|endoftext|>",
        chat_template="{% for m in messages %}{{ m['content'] }}{% endfor %}")

    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(vocabulary) + 3, hidden_size=12, intermediate_size=20, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, max_position_embeddings=256, rms_norm_eps=1e-5,
        tie_word_embeddings=False, bos_token_id=0, eos_token_id=0,
        rope_parameters={
            "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 64})
    model = LlamaForCausalLM(config).to(torch.float16)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if "norm" in name:
                tensor.add_(torch.randn_like(tensor) / 8)
    directory = OUT / "tiny"
    shutil.rmtree(directory, ignore_errors=True)
    model.save_pretrained(directory, max_shard_size="12KB")
    fast.save_pretrained(directory)
    convert(directory, OUT / "tiny.gguf")


def convert(directory, target):
    """Runs llama.cpp's converter, told what it finds by trial: byte-level BPE, and the name of the pre-tokenizer."""
    import conversion.base
    from conversion.llama import LlamaModel

    conversion.base.TextModel.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
    LlamaModel._set_vocab_sentencepiece = LlamaModel._set_vocab_gpt2
    with torch.inference_mode():
        LlamaModel(directory, gguf.LlamaFileType.MOSTLY_F16, target).write()


def bard():
    with tempfile.TemporaryDirectory() as temporary:
        target = pathlib.Path(temporary) / "bard.gguf"
        convert(FIXTURES / "bard", target)
        reader = gguf.GGUFReader(target)
        metadata = []
        for key, field in reader.fields.items():
            if key.startswith("GGUF."):
                continue
            value = field.contents()
            if isinstance(value, list):
                text = "\n".join(str(element) for element in value)
                value = {"count": len(value), "crc32": zlib.crc32(text.encode())}
            metadata.append({"key": key, "types": [int(t) for t in field.types], "value": value})
        tensors = {}
        for tensor in reader.tensors:
            values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
            tensors[tensor.name] = zlib.crc32(values.tobytes())
    write("bard.json", {"metadata": metadata, "tensors": tensors})


def rotary():
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    cases = []
    for head, theta, factor, low, high, context in [
        (64, 500000.0, 32.0, 1.0, 4.0, 8192), (128, 500000.0, 8.0, 1.0, 4.0, 8192), (8, 10000.0, 8.0, 1.0, 4.0, 64)]:
        parameters = {
            "rope_type": "llama3", "rope_theta": theta, "factor": factor, "low_freq_factor": low,
            "high_freq_factor": high, "original_max_position_embeddings": context}
        config = LlamaConfig(
            hidden_size=4 * head, num_attention_heads=4, head_dim=head, max_position_embeddings=131072,
            rope_parameters=parameters)
        scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
        plain = 1.0 / (theta ** (torch.arange(0, head, 2, dtype=torch.float32) / head))
        cases.append({"head_dim": head, "rope_parameters": parameters, "divisors": (plain / scaled).tolist()})
    write("rotary.json", cases)


def write(name, value):
    (OUT / name).write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    types()
    tiny()
    bard()
    rotary()
