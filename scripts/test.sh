#!/usr/bin/env bash
# Runs the tests by the command given. Where one fails, what failed is told once more at the end, above the summary.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
if [ "$status" != 0 ]; then
    echo "What failed:"
    grep -A 8 -E '^✘.* recorded an issue|^error:|Fatal error' "$log" | cut -c 1-400 | head -60
    grep -E '^[✔✘] Test run' "$log"
fi
exit "$status"
