"""Writes Tests/Fixtures/tuning/recipes.json: the type that llama-quantize gives each matrix of SmolLM2-135M.

usage: recipes.py SMOLLM2-F16.GGUF LLAMA-QUANTIZE (needs gguf-py; llama.cpp b11434 was used)
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import gguf

model, quantize = sys.argv[1:3]
recipes = {}
for preset in ["Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M"]:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/model.gguf"
        subprocess.run([quantize, model, path, preset], check=True, capture_output=True)
        recipes[preset] = {
            tensor.name: tensor.tensor_type.name.lower()
            for tensor in gguf.GGUFReader(path).tensors
            if len(tensor.shape) == 2
        }
target = pathlib.Path(__file__).parent.parent / "tuning" / "recipes.json"
target.write_text(json.dumps(recipes, indent=0, sort_keys=True) + "\n")
