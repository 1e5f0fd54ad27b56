#!/usr/bin/env bash
# The search's figures on SmolLM2: the solver against HiGHS at 20 budgets, predicted against measured over 12 profiles (KL and
# bytes before refinement, times with a profile of this machine), infeasible profiles, a second profile for a known model, a
# kill in the middle, FiTuna's task, and shards under Slurm. Prints each beside its bound and exits 1 if one falls short. About
# an hour; STEPS="solver trust machine infeasible second kill fituna slurm" are the steps, and fewer may be given.
# Usage: search.sh FETTLE DIR   (DIR has wikitext2-valid.txt and wikitext2-test.txt; what is made is kept in DIR/work)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/work.sh"
source "$here/bounds.sh"
"$here/source-model.sh" "$work"
model=$work/smollm2-135m-f16.gguf
text=$data/wikitext2-valid.txt
search=$work/search
store=$search/store
mkdir -p "$search"
python=$search/venv/bin/python
[ -x "$python" ] || { python3 -m venv "$search/venv"; "$search/venv/bin/pip" install --quiet scipy; }
steps=" ${STEPS:-solver trust machine infeasible second kill fituna slurm} "
wanted() { [[ $steps == *" $1 "* ]] && echo && echo "== $2"; }

seconds() { local start; start=$(date +%s.%N); "$@" >/dev/null 2>"$search/last.log"; date +%s.%N | awk -v start="$start" '{ print $1 - start }'; }

# The instance that the solver's budgets are taken from.
instance() {
    [ -f "$search/problem.json" ] && return
    "$fettle" tune "$model" --profile "$here/search-kernels.yaml" --calibration "$text" --out "$search/bundles" \
        --store "$store" --problem "$search/problem.json" --time-limit 1s --json >/dev/null 2>"$search/kernels.log"
}

if wanted solver "The solver against HiGHS, 20 budgets with five limits"; then
    rm -f "$search/problem.json"
    instance
    "$python" "$here/solver-gap.py" "$fettle" "$search/problem.json" | tee "$search/solver.txt"
    tail -n 1 "$search/solver.txt" >"$search/solver.json"
    bound "budgets where at least two limits bind" "$(field 'x["two_bind"]' <"$search/solver.json")" ">=" 20
    bound "worst gap after 1 s" "$(field 'x["worst_gaps"][0]' <"$search/solver.json")" "<=" 1e-4
    bound "worst gap after 10 s" "$(field 'x["worst_gaps"][1]' <"$search/solver.json")" "<=" 1e-6
    bound "printed bounds that are none" "$(field 'x["false_bounds"]' <"$search/solver.json")" "<=" 0
fi

if wanted trust "Predicted against measured, 12 profiles"; then
    "$python" "$here/trust.py" "$fettle" "$model" --calibration "$text" --work "$search/trust" --store "$store" \
        --json >"$search/trust.json"
    bound "worst KL, measured against predicted" "$(field 'x["worst_kl"]' <"$search/trust.json")" "<=" 0.15
    bound "rank correlation of KL" "$(field 'x["rank_correlation"]' <"$search/trust.json")" ">=" 0.98
    bound "worst resident bytes" "$(field 'x["worst_resident"]' <"$search/trust.json")" "<=" 0.01
    bound "stored bytes off" "$(field 'x["stored_off"]' <"$search/trust.json")" "<=" 0
    bound "profiles out of reach" "$(field 'x["over_budget"]' <"$search/trust.json")" "<=" 0
    bound "plans worse than uniform" "$(field 'x["worse_than_uniform"]' <"$search/trust.json")" "<=" 0
fi

if wanted machine "Predicted against measured times, 12 profiles of this machine"; then
    "$python" "$here/trust.py" "$fettle" "$model" --calibration "$text" --work "$search/machine" --store "$store" --machine \
        --json >"$search/machine.json"
    field '"read bandwidth {least:.1f} to {most:.1f} GB/s, median {median:.1f}".format(**x["read_bandwidth"])' <"$search/machine.json"
    bound "worst decode, measured against predicted" "$(field 'x["worst_decode"]' <"$search/machine.json")" "<=" 0.1
    bound "worst prefill, measured against predicted" "$(field 'x["worst_prefill"]' <"$search/machine.json")" "<=" 0.1
fi

if wanted infeasible "Infeasible profiles: explained, and feasible by the amounts that are named"; then
    # Limits at the edge of what is possible bring in formats that wider ones leave out: the instance is that of a narrow device.
    cp "$here/search-kernels.yaml" "$search/"
    printf 'fettle: 1\nname: narrow\nextends: search-kernels\nmemory: {storage: 50000000 B}\n' >"$search/narrow.yaml"
    "$fettle" tune "$model" --profile "$search/narrow.yaml" --calibration "$text" --out "$search/bundles" \
        --store "$store" --problem "$search/narrow.json" --time-limit 1s --json >/dev/null 2>"$search/narrow.log"
    "$python" "$here/infeasible.py" "$fettle" "$model" "$search/narrow.json" --calibration "$text" --store "$store" \
        --work "$search/infeasible" || failed=1
fi

cat >"$search/second.yaml" <<'YAML'
fettle: 1
name: second
runtime: fettle
memory: {storage: 81000000 B, context: 512}
YAML
if wanted second "A model that is not known, and second profiles for it"; then
    fresh=$search/second-store
    rm -rf "$fresh"
    # profile NAME BYTES LIMIT [OPTION...]: tunes for so many bytes, prints the stages, and bounds the seconds
    profile() {
        local name=$1 bytes=$2 limit=$3
        shift 3
        printf 'fettle: 1\nname: %s\nruntime: fettle\nmemory: {storage: %s B, context: 512}\n' "$name" "$bytes" >"$search/$name.yaml"
        bound "$name $*: seconds" "$(seconds "$fettle" tune "$model" --profile "$search/$name.yaml" --calibration "$text" \
            --out "$search/bundles" --store "$fresh" "$@")" "<=" "$limit"
        field '"  " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in x["provenance"]["stages"].items())' \
            <"$search/bundles/smollm2-135m-f16@$name/bundle.json"
    }
    profile cold 96600000 180
    profile second-limited 81000000 25 --time-limit 20s
    bound "seconds to its plan" "$(field 'sum(x["provenance"]["stages"].get(name, 0) for name in ("screen", "text", "scores", "solve"))' \
        <"$search/bundles/smollm2-135m-f16@second-limited/bundle.json")" "<=" 1
    profile second-whole 74000000 110
fi

if wanted kill "kill -9 in the middle"; then
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
fi

if wanted fituna "FiTuna's task: at most 5 % perplexity at twice Q6_K's speed"; then
    "$here/llama-cpp.sh" "$work/llama" >"$work/llama.log"
    "$python" "$here/fituna.py" "$fettle" "$model" --llama "$work/llama/bin" --calibration "$text" \
        --text "$data/wikitext2-test.txt" --store "$store" --work "$search/fituna" >"$search/fituna.json"
    cat "$search/fituna.json"
    bound "perplexity over the source's, less 1" "$(field 'x["perplexity_loss"]' <"$search/fituna.json")" "<=" 0.05
    bound "decode speed over Q6_K's" "$(field 'x["speed_ratio"]' <"$search/fituna.json")" ">=" 2
fi

if wanted slurm "Eight shards under Slurm"; then
    "$here/slurm.sh" "$fettle" "$model" "$text" "$search/slurm" || failed=1
fi
exit $failed
