#!/usr/bin/env bash
# The figures of formats, refinements and executions on SmolLM2: GGUF plans judged by llama-perplexity at the sizes of four
# presets, q4_0 refined, 8-bit weights under dynamic, static and integer-only execution, an int4 cache, codebooks against uniform
# grids, coded indices against packed ones, integer-only bundles for two microcontrollers, and the seconds of refining. Prints each
# beside its bound and exits 1 if one falls short. About 25 minutes; STEPS="gguf preset eight grids devices" are the steps, and
# fewer may be given.
# Usage: formats.sh FETTLE DIR   (DIR has wikitext2-valid.txt and wikitext2-test.txt; what is made is kept in DIR/work)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/work.sh"
source "$here/bounds.sh"
"$here/source-model.sh" "$work"
"$here/llama-cpp.sh" "$work/llama" >"$work/llama.log"
model=$work/smollm2-135m-f16.gguf
out=$work/formats
store=$out/store
judge=$work/llama/bin/llama-perplexity
base=$work/smollm2-f16-16x512.logits
mkdir -p "$out"
[ -f "$base" ] || "$judge" -m "$model" -f "$data/wikitext2-test.txt" -c 512 --chunks 16 \
    --kl-divergence-base "$base" >"$work/base.log" 2>&1
steps=" ${STEPS:-gguf preset eight grids devices} "
wanted() { [[ $steps == *" $1 "* ]] && echo && echo "== $2"; }

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.5f", a / b }'; }

# profile NAME LINE...: writes NAME.yaml
profile() {
    local name=$1
    shift
    printf '%s\n' "fettle: 1" "name: $name" "$@" >"$out/$name.yaml"
}
# tune LOG OPTION...: a plan that is out of reach is written all the same
tune() {
    local log=$1 code=0
    shift
    "$fettle" tune "$model" --calibration "$data/wikitext2-valid.txt" --out "$out" --store "$store" --json "$@" \
        >"$out/$log.json" 2>"$out/$log.log" || code=$?
    [ "$code" = 0 ] || [ "$code" = 3 ] || { echo "fettle tune ended with $code; see $out/$log.log" >&2; exit 1; }
}
# uniform NAME SPEC [LINE-OR-OPTION]: one SPEC for every matrix, the head at u8g32, measured on the test text; prints its KL
uniform() {
    local name=$1 spec=$2 line=${3:-} options=()
    if [[ $line == --* ]]; then read -ra options <<<"$line"; line=""; fi
    profile "$name" "runtime: fettle" "memory: {context: 512}" ${line:+"$line"}
    tune "$name" --profile "$out/$name.yaml" --uniform "$spec" --head u8g32 --evaluate "$data/wikitext2-test.txt" --chunks 16 \
        "${options[@]}"
    field 'x["quality"]["kl"]' <"$out/$(bundle "$name")/bundle.json"
}
bundle() { echo "$(basename "$model" .gguf)@$1"; }
# judged BUNDLE: mean KL by llama-perplexity
judged() {
    "$judge" -m "$out/$1/model.gguf" -f "$data/wikitext2-test.txt" -c 512 --chunks 16 \
        --kl-divergence --kl-divergence-base "$base" 2>&1 | tee "$out/judge.log" | sed -n 's/^Mean *KLD: *\([0-9.]*\).*/\1/p'
}
# benched NAME FIELD: what the bench of this round says
benched() { field "x['$2']" <"$out/bench-$1-$round.json"; }
# within FIELD SHARE: whether both benches of this round found the machine alike in it
within() {
    awk -v a="$(benched dynamic "$1")" -v b="$(benched integer "$1")" -v share="$2" \
        'BEGIN { exit !(a < b * (1 + share) && b < a * (1 + share)) }'
}
layers='sum(group["stored_bytes"] for group in x["plan"]["groups"] if group["name"] not in ("token_embd", "output"))'
refining='x["provenance"]["stages"].get("refine", 0)'

if wanted gguf "GGUF plans at the sizes of four presets, judged by llama-perplexity"; then
    for size in 91730000:0.055 98360000:0.036 105450000:0.026 112100000:0.015; do
        bytes=${size%:*}
        profile "gguf-$bytes" "runtime: llama.cpp" "memory: {storage: $bytes B, context: 512}"
        tune "gguf-$bytes" --profile "$out/gguf-$bytes.yaml"
        made=$(bundle "gguf-$bytes")
        bound "bytes of model.gguf" "$(stat -c %s "$out/$made/model.gguf")" "<=" "$bytes"
        bound "  its mean KL" "$(judged "$made")" "<=" "${size#*:}"
    done
fi

if wanted preset "q4_0 with clip and gptq, head at q8_0, judged by llama-perplexity"; then
    profile q4_0 "runtime: llama.cpp" "memory: {context: 512}"
    tune q4_0 --profile "$out/q4_0.yaml" --uniform q4_0+clip+gptq --head q8_0
    bound "its mean KL" "$(judged "$(bundle q4_0)")" "<=" 0.16
    bound "seconds of refining" "$(field "$refining" <"$out/$(bundle q4_0)/bundle.json")" "<=" 90
fi

if wanted eight "8-bit weights: dynamic, static, integer-only, and an int4 cache"; then
    dynamic=$(uniform dynamic u8g32/int8g32+clip "--kv int8")
    bound "dynamic, groups of 32: KL" "$dynamic" "<=" 0.007
    bound "static, smoothed: KL" "$(uniform static u8c/static+clip+smooth)" "<=" 0.15
    bound "int4 cache: KL that it adds" "$(uniform int4 u8g32/int8g32+clip "--kv int4" | awk -v less="$dynamic" '{ print $1 - less }')" \
        "<=" 0.08
    bound "integer-only, int8 cache: KL" "$(uniform integer u8g32/int8g32+clip "compute: {float: none}")" "<=" 0.010
    for round in $(seq 12); do
        for made in dynamic integer; do
            "$fettle" bench "$out/$(bundle "$made")" --prefill 512 --decode 64 --repeat 5 --json >"$out/bench-$made-$round.json"
        done
    done
    for what in prefill decode; do
        # Of each round both, one after the other. The median counts of those in which the machine was the same for both.
        slower=$(for round in $(seq 12); do
            within read_bandwidth 0.05 && within int8_peak 0.1 || continue
            ratio "$(benched dynamic "${what}_tokens_per_second")" "$(benched integer "${what}_tokens_per_second")"
            echo
        done | sort -n | awk '{ of[NR] = $1 } END { print of[int((NR + 1) / 2)] }')
        bound "integer-only: seconds of $what over dynamic's" "$slower" "<=" 1.15
    done
fi

if wanted grids "4 bits: codebooks against uniform grids, coded indices against packed ones"; then
    plain=$(uniform u4g64 u4g64+clip)
    bound "k4g64+clip: KL over u4g64+clip's" "$(ratio "$(uniform k4g64 k4g64+clip)" "$plain")" "<=" 0.9
    bound "  its bytes over those" "$(ratio "$(field "$layers" <"$out/$(bundle k4g64)/bundle.json")" \
        "$(field "$layers" <"$out/$(bundle u4g64)/bundle.json")")" "<=" 1.005
    packed=$(uniform k4c k4c+clip+awq)
    bound "k5ce36+clip+awq: KL over k4c+clip+awq's" "$(ratio "$(uniform coded k5ce36+clip+awq)" "$packed")" "<=" 1.03
    bound "  its bytes over those" "$(ratio "$(field "$layers" <"$out/$(bundle coded)/bundle.json")" \
        "$(field "$layers" <"$out/$(bundle k4c)/bundle.json")")" "<=" 0.9
    uniform refined k5ce36+clip+awq+gptq >/dev/null
    bound "k5ce36+clip+awq+gptq: seconds of refining" "$(field "$refining" <"$out/$(bundle refined)/bundle.json")" "<=" 90
fi

if wanted devices "Integer-only bundles of the fixture model for microcontrollers"; then
    for device in esp32-s3-8mb cortex-m55; do
        "$fettle" tune "$here/../../Tests/Fixtures/bard" --profile "$device" --out "$out" --store "$store" --json \
            >"$out/$device.json" 2>"$out/$device.log"
        mode=$(field 'x["quality"]["mode"]' <"$out/bard@$device/bundle.json")
        [ "$mode" = integer-only ] || { echo "$device: its mode is $mode, not integer-only"; failed=1; }
        for set in scalar avx2 avx512; do
            if FETTLE_ISA=$set "$fettle" verify "$out/bard@$device" >"$out/verify-$device-$set.log" 2>&1; then
                echo "$device, $set: verify passes, mode $mode"
            else
                echo "$device, $set: verify FAILED; see $out/verify-$device-$set.log"
                failed=1
            fi
        done
    done
fi
exit $failed
