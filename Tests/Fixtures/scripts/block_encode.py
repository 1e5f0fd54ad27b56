"""Writes Tests/Fixtures/blocks/encode: a small matrix and its plain rounding by gguf-py, for the types that it writes.

Run from the repository's root with gguf and numpy installed: python Tests/Fixtures/scripts/block_encode.py
weights.floats: 4 x 512, Gaussian with a few outliers. importance.floats: 512 positive numbers.
TYPE.bytes: gguf-py's blocks.
"""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf.quants import quantize

OUT = Path("Tests/Fixtures/blocks/encode")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20261124)
    weights = (rng.normal(size=(4, 512)) * 0.05).astype(np.float32)
    weights[rng.integers(0, 4, 40), rng.integers(0, 512, 40)] *= 5
    (OUT / "weights.floats").write_bytes(weights.tobytes())
    (OUT / "importance.floats").write_bytes(rng.lognormal(0, 1.5, 512).astype(np.float32).tobytes())
    for kind in (T.Q8_0, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1):
        (OUT / f"{kind.name.lower()}.bytes").write_bytes(quantize(weights, kind).tobytes())


main()
