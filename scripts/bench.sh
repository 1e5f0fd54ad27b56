#!/usr/bin/env bash
# Times the demo's bundles on this machine (a few seconds; makes them first where they are missing).
# Usage: bench.sh FETTLE
set -euo pipefail
fettle=$1
for profile in demo-handheld demo-llama-cpp; do
    bundle=bundles/smollm2-135m-q4_1@$profile
    [ -f "$bundle/bundle.json" ] || scripts/demo.sh "$fettle"
    echo "$bundle"
    "$fettle" bench "$bundle"
done
