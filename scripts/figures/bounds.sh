# Sourced by scripts that print figures beside their bounds: what failed is 1 once a figure fell short, or is none.
failed=0

# bound NAME VALUE OPERATOR LIMIT
bound() {
    if awk -v value="$2" -v limit="$4" "BEGIN { exit !(value ~ /^[-+]?[0-9.]+(e[-+]?[0-9]+)?\$/ && value + 0 $3 limit + 0) }"; then
        verdict=ok
    else
        verdict="FELL SHORT"
        failed=1
    fi
    printf '%-58s %12s  (%s %s)  %s\n' "$1" "$2" "$3" "$4" "$verdict"
}
# field EXPRESSION: of a JSON document x on standard input
field() { python3 -c 'import json,sys; print(eval(sys.argv[1], {"x": json.load(sys.stdin)}))' "$1"; }
