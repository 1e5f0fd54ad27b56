#!/usr/bin/env bash
# The search's figures on SmolLM2: the solver against HiGHS at 20 budgets, predicted against measured over 12 profiles, a second
# profile for a known model, and a kill in the middle. Prints each beside its bound and exits 1 if one falls short. About 15 minutes.
# Usage: search.sh FETTLE DIR   (DIR has wikitext2-valid.txt; what is made is kept in DIR/work)
set -euo pipefail
fettle=$(realpath "$1")
data=$(realpath "$2")
here=$(cd "$(dirname "$0")" && pwd)
work=${FETTLE_CHECK_WORK:-$data/work}
if ! mkdir -p "$work" 2>/dev/null; then work=$(pwd)/.build/check; mkdir -p "$work"; fi
"$here/source-model.sh" "$work"
model=$work/smollm2-135m-f16.gguf
text=$data/wikitext2-valid.txt
search=$work/search
store=$search/store
mkdir -p "$search"
python=$search/venv/bin/python
[ -x "$python" ] || { python3 -m venv "$search/venv"; "$search/venv/bin/pip" install --quiet scipy; }
failed=0

# bound NAME VALUE OPERATOR LIMIT
bound() {
    if awk -v value="$2" -v limit="$4" "BEGIN { exit !(value $3 limit) }"; then verdict=ok; else verdict="FELL SHORT"; failed=1; fi
    printf '%-58s %12s  (%s %s)  %s\n' "$1" "$2" "$3" "$4" "$verdict"
}
field() { "$python" -c 'import json,sys; print(eval(sys.argv[1], {}, {"x": json.load(sys.stdin)}))' "$1"; }
seconds() { local start; start=$(date +%s.%N); "$@" >/dev/null 2>"$search/last.log"; date +%s.%N | awk -v start="$start" '{ print $1 - start }'; }

echo "== The solver against HiGHS, 20 budgets with five limits"
"$fettle" tune "$model" --profile "$here/search-kernels.yaml" --calibration "$text" --out "$search/bundles" --store "$store" \
    --problem "$search/problem.json" --time-limit 1s --json >/dev/null 2>"$search/kernels.log"
"$python" "$here/solver-gap.py" "$fettle" "$search/problem.json" | tee "$search/solver.txt"
tail -n 1 "$search/solver.txt" >"$search/solver.json"
bound "budgets where at least two limits bind" "$(field 'x["two_bind"]' <"$search/solver.json")" ">=" 20
bound "worst gap after 1 s" "$(field 'x["worst_gaps"][0]' <"$search/solver.json")" "<=" 1e-4
bound "worst gap after 10 s" "$(field 'x["worst_gaps"][1]' <"$search/solver.json")" "<=" 1e-6
bound "printed bounds that are none" "$(field 'x["false_bounds"]' <"$search/solver.json")" "<=" 0

echo; echo "== Predicted against measured, 12 profiles"
"$python" "$here/trust.py" "$fettle" "$model" --calibration "$text" --work "$search/trust" --store "$store" --json >"$search/trust.json"
bound "worst KL, measured against predicted" "$(field 'x["worst_kl"]' <"$search/trust.json")" "<=" 0.15
bound "rank correlation of KL" "$(field 'x["rank_correlation"]' <"$search/trust.json")" ">=" 0.98
bound "worst resident bytes" "$(field 'x["worst_resident"]' <"$search/trust.json")" "<=" 0.01
bound "stored bytes off" "$(field 'x["stored_off"]' <"$search/trust.json")" "<=" 0
bound "plans worse than uniform" "$(field 'x["worse_than_uniform"]' <"$search/trust.json")" "<=" 0

cat >"$search/second.yaml" <<'YAML'
fettle: 1
name: second
runtime: fettle
memory: {storage: 81000000 B, context: 512}
YAML
echo; echo "== A second profile for a known model"
bound "seconds with --time-limit 20s" "$(seconds "$fettle" tune "$model" --profile "$search/second.yaml" --calibration "$text" \
    --out "$search/bundles" --store "$store" --time-limit 20s)" "<=" 25

echo; echo "== kill -9 in the middle"
once=$(seconds "$fettle" score "$model" --profile "$search/second.yaml" --calibration "$text" --store "$search/once-$$")
"$fettle" score "$model" --profile "$search/second.yaml" --calibration "$text" --store "$search/killed-$$" >/dev/null 2>&1 &
victim=$!
sleep "$(awk -v all="$once" 'BEGIN { print all / 2 }')"
kill -9 "$victim"; wait "$victim" 2>/dev/null || true
rest=$(seconds "$fettle" score "$model" --profile "$search/second.yaml" --calibration "$text" --store "$search/killed-$$")
bound "time spent twice, share of one run" "$(awk -v all="$once" -v rest="$rest" 'BEGIN { print (rest - all / 2) / all }')" "<=" 0.1
one=$("$fettle" store info --store "$search/once-$$" --json | field 'x["digest"]')
two=$("$fettle" store info --store "$search/killed-$$" --json | field 'x["digest"]')
[ "$one" = "$two" ] || { echo "the store of the killed run differs"; failed=1; }
rm -rf "$search/once-$$" "$search/killed-$$"
exit $failed
