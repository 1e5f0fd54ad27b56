#!/usr/bin/env bash
# The free search against searches that are held to one grid and one activation, at 2.8, 3.5 and 4.5 bits a weight on
# SmolLM2-135M (float16), of the weights file and of memory: three hours on 2 cores. Writes the tables in docs/techniques.md. Exits 1
# where the free one is not 5 % better than the best of them.
# Usage: hybrid.sh FETTLE DIR [options of hybrid.py]   (DIR has wikitext2-valid.txt and wikitext2-test.txt; what is made is kept in DIR/work)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/work.sh"
shift 2
"$here/source-model.sh" "$work"
failed=0
for limit in storage memory; do
    "$here/hybrid.py" "$fettle" "$work/smollm2-135m-f16.gguf" --calibration "$data/wikitext2-valid.txt" \
        --test "$data/wikitext2-test.txt" --limit "$limit" --work "$work/hybrid" --docs "$here/../../docs/techniques.md" "$@" || failed=1
done
exit $failed
