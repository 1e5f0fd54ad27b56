#!/usr/bin/env bash
# The free search against searches that are held to one grid and one activation, at 2.8, 3.5 and 4.5 bits a weight on
# SmolLM2-135M (float16): about half an hour on 2 cores. Exits 1 where the free one is not 5 % better than the best of them.
# Usage: hybrid.sh FETTLE DIR [options of hybrid.py]   (DIR has wikitext2-valid.txt; what is made is kept in DIR/work)
set -euo pipefail
fettle=$(realpath "$1")
data=$(realpath "$2")
shift 2
here=$(cd "$(dirname "$0")" && pwd)
work=${FETTLE_CHECK_WORK:-$data/work}
if ! mkdir -p "$work" 2>/dev/null; then work=$(pwd)/.build/check; mkdir -p "$work"; fi
"$here/source-model.sh" "$work"
"$here/hybrid.py" "$fettle" "$work/smollm2-135m-f16.gguf" --calibration "$data/wikitext2-valid.txt" \
    --work "$work/hybrid" "$@"
