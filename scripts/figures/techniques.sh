#!/usr/bin/env bash
# Runs every technique by itself, on SmolLM2-135M (float16) and on the fixture model, and writes the tables of docs/techniques.md:
# more than an hour on 2 cores; rows that are known are not run again.
# Usage: techniques.sh FETTLE DIR [options of techniques.py]   (DIR has the WikiText-2 texts; what is made is kept in DIR/work)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/work.sh"
shift 2
"$here/source-model.sh" "$work"
"$here/techniques.py" "$fettle" --model "$work/smollm2-135m-f16.gguf" --calibration "$data/wikitext2-valid.txt" \
    --evaluate "$data/wikitext2-test.txt" --work "$work/techniques" "$@"
"$here/techniques.py" "$fettle" --model "$here/../../Tests/Fixtures/bard" --work "$work/techniques" "$@"
