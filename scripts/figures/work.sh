# Sourced by scripts that are called with FETTLE and DIR: makes both absolute (fettle, data) and finds where what is made is kept
# (work): FETTLE_CHECK_WORK, else DIR/work, else .build/check where DIR cannot be written.
fettle=$(realpath "$1")
data=$(realpath "$2")
work=${FETTLE_CHECK_WORK:-$data/work}
if ! mkdir -p "$work" 2>/dev/null; then work=$(pwd)/.build/check; mkdir -p "$work"; fi
