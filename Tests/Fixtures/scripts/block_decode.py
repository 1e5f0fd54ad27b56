"""Writes Tests/Fixtures/blocks/decode/TYPE.{bytes,floats}: random blocks of every type, and what gguf-py makes of them.

Run from the repository's root with gguf and numpy installed: python Tests/Fixtures/scripts/block_decode.py
Every byte is random but for the fp16 scales, which are finite and take in zero, both signs, denormals and the extremes.
"""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import GGML_QUANT_SIZES
from gguf.quants import dequantize

OUT = Path("Tests/Fixtures/blocks/decode")

# Byte offsets of the fp16 fields of a block.
SCALES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
    T.IQ2_XXS: [0], T.IQ2_XS: [0], T.IQ2_S: [0], T.IQ3_XXS: [0], T.IQ3_S: [0], T.IQ1_S: [0], T.IQ1_M: [],
    T.IQ4_NL: [0], T.IQ4_XS: [0], T.TQ1_0: [52], T.TQ2_0: [64], T.MXFP4: [], T.NVFP4: [],
}
EXTREMES = [0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x7BFF, 0xFBFF, 0x3C00]


def finite_half(rng, index):
    if index < len(EXTREMES):
        return EXTREMES[index]
    return int(np.float16(rng.normal() * 2.0 ** rng.integers(-12, 4)).view(np.uint16))


def blocks(rng, kind, count):
    size = GGML_QUANT_SIZES[kind][1]
    data = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for index in range(count):
        for number, offset in enumerate(SCALES[kind]):
            half = finite_half(rng, (index + 3 * number) % (count if number else count + 1))
            data[index, offset : offset + 2] = (half & 255, half >> 8)
        if kind == T.IQ1_M:  # four bits of the scale in the top of each of four words
            half = finite_half(rng, index)
            for word in range(4):
                at = 49 + 2 * word
                data[index, at] = (data[index, at] & 0x0F) | ((half >> (4 * word)) & 0xF) << 4
    if kind == T.MXFP4:
        data[:4, 0] = (0, 1, 2, 254)
    if kind == T.NVFP4:
        data[0, :4] = (0, 0x7F, 1, 0x7E)
    return data


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for kind, fields in SCALES.items():
        rng = np.random.default_rng(int(kind))
        count = 12 if GGML_QUANT_SIZES[kind][0] < 256 else 10
        data = blocks(rng, kind, count)
        with np.errstate(over="ignore"):
            values = dequantize(data, kind)
        assert not np.isnan(values).any()
        (OUT / f"{kind.name.lower()}.bytes").write_bytes(data.tobytes())
        (OUT / f"{kind.name.lower()}.floats").write_bytes(values.astype("<f4").tobytes())
    rng = np.random.default_rng(0)
    numbers = (rng.normal(size=64) * 2.0 ** rng.integers(-30, 16, 64)).astype(np.float32)
    bfloat = (numbers.view(np.uint32) >> 16).astype(np.uint16)
    for name, data, kind in [
        ("f32", numbers, T.F32), ("f16", numbers.astype(np.float16), T.F16), ("bf16", bfloat.view(np.uint8), T.BF16)
    ]:
        (OUT / f"{name}.bytes").write_bytes(data.tobytes())
        (OUT / f"{name}.floats").write_bytes(dequantize(data, kind).astype("<f4").tobytes())


main()
