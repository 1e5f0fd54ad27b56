#!/usr/bin/env bash
# Prints predicted against measured over 12 profiles from 2.5 to 8 bits on SmolLM2-135M (float16): about 10 minutes on 2 cores.
# Usage: trust.sh FETTLE DIR [options of trust.py]   (DIR has wikitext2-valid.txt; what is made is kept in DIR/work)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/work.sh"
shift 2
"$here/source-model.sh" "$work"
"$here/trust.py" "$fettle" "$work/smollm2-135m-f16.gguf" --calibration "$data/wikitext2-valid.txt" \
    --work "$work/search/trust" --store "$work/search/store" "$@"
