#!/usr/bin/env bash
# The figures that need real text, the real model and llama.cpp as the outside judge. Prints each figure beside its bound and
# exits 1 if one falls short. What is fetched and built (PyPI, about 6 minutes) is kept in DIR/work.
# Usage: check.sh FETTLE DIR   (DIR has wikitext2-valid.txt and wikitext2-test.txt)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
for text in wikitext2-valid.txt wikitext2-test.txt; do
    [ -f "$2/$text" ] || { echo "check.sh: $2/$text is missing; DIR needs WikiText-2 as plain text" >&2; exit 4; }
done
source "$here/figures/work.sh"
source "$here/figures/bounds.sh"
echo "Working in $work: SmolLM2 and llama.cpp are fetched and built there once, then the figures take about half an hour."

"$here/figures/source-model.sh" "$work"
"$here/figures/llama-cpp.sh" "$work/llama" >"$work/llama.log"
source_model=$work/smollm2-135m-f16.gguf
judge=$work/llama/bin/llama-perplexity
base=$work/smollm2-f16-16x512.logits

[ -f "$base" ] || "$judge" -m "$source_model" -f "$data/wikitext2-test.txt" -c 512 --chunks 16 \
    --kl-divergence-base "$base" >"$work/base.log" 2>&1

echo; echo "== The reference: perplexity of the float16 source, 16 chunks of 512"
"$fettle" eval "$source_model" --reference "$source_model" --text "$data/wikitext2-test.txt" --json >"$work/reference.json"
perplexity=$(field 'x["reference_perplexity"]' <"$work/reference.json")
bound "reference perplexity over llama.cpp's 23.5369" "$(awk "BEGIN { printf \"%.6f\", $perplexity / 23.5369 }")" "<=" 1.001
bound "reference perplexity over llama.cpp's 23.5369" "$(awk "BEGIN { printf \"%.6f\", $perplexity / 23.5369 }")" ">=" 0.999

cat >"$work/check-gguf.yaml" <<'YAML'
fettle: 1
name: check-gguf
runtime: llama.cpp
memory: {storage: 98400000 B, context: 512}
YAML
echo; echo "== A GGUF plan of 98,400,000 bytes, judged by llama-perplexity"
"$fettle" tune "$source_model" --profile "$work/check-gguf.yaml" --calibration "$data/wikitext2-valid.txt" \
    --out "$work/bundles" --store "$work/store" --json >"$work/tune-gguf.json" 2>"$work/tune-gguf.log"
bundle=$work/bundles/smollm2-135m-f16@check-gguf
"$judge" -m "$bundle/model.gguf" -f "$data/wikitext2-test.txt" -c 512 --chunks 16 \
    --kl-divergence --kl-divergence-base "$base" >"$work/judge.log" 2>&1
judged=$(sed -n 's/^Mean *KLD: *\([0-9.]*\).*/\1/p' "$work/judge.log")
"$fettle" eval "$bundle" --reference "$source_model" --text "$data/wikitext2-test.txt" --json >"$work/eval-gguf.json"
ours=$(field 'x["kl"]' <"$work/eval-gguf.json")
bound "bytes of model.gguf" "$(stat -c %s "$bundle/model.gguf")" "<=" 98400000
bound "mean KL by llama-perplexity" "$judged" "<=" 0.048
bound "fettle eval's KL over llama-perplexity's" "$(awk "BEGIN { printf \"%.4f\", $ours / $judged }")" "<=" 1.05
bound "fettle eval's KL over llama-perplexity's" "$(awk "BEGIN { printf \"%.4f\", $ours / $judged }")" ">=" 0.95

tensor_bytes=$(python3 -c '
import json, sys
print(sum(group["stored_bytes"] for group in json.load(open(sys.argv[1]))["plan"]["groups"]))' "$bundle/bundle.json")
cat >"$work/check-fettle.yaml" <<YAML
fettle: 1
name: check-fettle
runtime: fettle
memory: {storage: $((tensor_bytes + 170000)) B, context: 512}
YAML
echo; echo "== A fettle bundle of at most the same tensor bytes ($tensor_bytes, and 170,000 for norms and header)"
"$fettle" tune "$source_model" --profile "$work/check-fettle.yaml" --calibration "$data/wikitext2-valid.txt" \
    --out "$work/bundles" --store "$work/store" --json >"$work/tune-fettle.json" 2>"$work/tune-fettle.log"
own=$work/bundles/smollm2-135m-f16@check-fettle
"$fettle" eval "$own" --reference "$source_model" --text "$data/wikitext2-test.txt" --json >"$work/eval-fettle.json"
own_tensors=$(python3 -c '
import json, sys
print(sum(group["stored_bytes"] for group in json.load(open(sys.argv[1]))["plan"]["groups"]))' "$own/bundle.json")
bound "tensor bytes of the fettle bundle" "$own_tensors" "<=" "$tensor_bytes"
bound "its KL over the GGUF plan's (fettle eval)" "$(awk "BEGIN { printf \"%.4f\", $(field 'x["kl"]' <"$work/eval-fettle.json") / $ours }")" "<=" 1.0
"$fettle" verify "$own" || failed=1

echo; echo "== One seed, one result: 1 thread and 2 threads"
for threads in 1 2; do
    "$fettle" tune "$source_model" --profile "$work/check-gguf.yaml" --profile "$work/check-fettle.yaml" \
        --calibration "$data/wikitext2-valid.txt" --out "$work/repeat-$threads" --store "$work/store-$threads" \
        --threads "$threads" --json >/dev/null 2>"$work/repeat-$threads.log"
done
differing=0
for file in $(cd "$work/repeat-1" && find . -type f ! -name bundle.json ! -name SHA256SUMS); do
    cmp -s "$work/repeat-1/$file" "$work/repeat-2/$file" || { echo "differs: $file"; differing=$((differing + 1)); }
done
bound "files that differ between 1 and 2 threads" "$differing" "<=" 0

echo; echo "== The daemon: killed 200 times, 500 models at once, 10,000 jobs"
"$here/figures/daemon-chaos.sh" || failed=1

echo; echo "== HTTP: 64 clients on events and 1,000 reads a second beside a running job"
"$here/figures/http-load.py" "$fettle" "$source_model" >"$work/http-load.json"
cat "$work/http-load.json"
bound "p99 of reads, ms" "$(field 'x["p99_ms"]' <"$work/http-load.json")" "<=" 20
bound "reads that failed or were not answered" \
    "$(($(field 'x["failed"]' <"$work/http-load.json") + $(field 'x["unanswered"]' <"$work/http-load.json")))" "<=" 0

echo; echo "== The dashboard in headless Chromium"
if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then
    "$here/dashboard.py" "$fettle" --screens "$work/screens" || failed=1
    echo "Pictures to look at: $work/screens"
else
    echo "not tested: Chromium is not installed (Debian: apt-get install chromium)"
fi

exit $failed
