#!/usr/bin/env bash
# Scores a model in shards under a real Slurm of one node, started here (Debian: slurm-wlm, munge; needs root), and holds the
# merged store and the plan against those of a single run: contents equal bit for bit, CPU seconds of all shards at most 1.15
# times one run's.
# Usage: slurm.sh FETTLE MODEL CALIBRATION WORK [SHARDS]
set -euo pipefail
fettle=$(realpath "$1")
model=$(realpath "$2")
text=$(realpath "$3")
work=$(mkdir -p "$4" && cd "$4" && pwd)
shards=${5:-8}
for tool in slurmctld slurmd sbatch munged; do
    command -v $tool >/dev/null || PATH=$PATH:/usr/sbin command -v $tool >/dev/null || missing=1
done
if [ -n "${missing:-}" ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends slurm-wlm munge >/dev/null
fi
export PATH=$PATH:/usr/sbin

# One node, one partition, no accounting: everything in a directory of its own.
host=$(hostname -s)
cluster=$work/cluster
rm -rf "$cluster"
mkdir -p "$cluster/state" "$cluster/spool"
export SLURM_CONF=$cluster/slurm.conf
cat >"$SLURM_CONF" <<CONF
ClusterName=fettle
SlurmctldHost=$host
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd.pid
SlurmctldLogFile=$cluster/slurmctld.log
SlurmdLogFile=$cluster/slurmd.log
SlurmctldPort=16817
SlurmdPort=16818
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
MpiDefault=none
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
munge_key=/etc/munge/munge.key
[ -f "$munge_key" ] || { install -d -o munge -g munge -m 700 /etc/munge; head -c 1024 /dev/urandom >"$munge_key"; }
chown munge:munge "$munge_key" && chmod 400 "$munge_key"
install -d -o munge -g munge -m 755 /run/munge
pids=("$cluster/slurmd.pid" "$cluster/slurmctld.pid")
trap 'for pid in "${pids[@]}"; do [ -f "$pid" ] && kill "$(cat "$pid")" || true; done' EXIT
if ! munge -n >/dev/null 2>&1; then
    runuser -u munge -- munged --pid-file=/run/munge/fettle.pid
    pids+=(/run/munge/fettle.pid)
fi
slurmctld
slurmd
for _ in $(seq 50); do sinfo -h -o %T 2>/dev/null | grep -q idle && break; sleep 0.2; done
sinfo

cat >"$work/shards.yaml" <<'YAML'
fettle: 1
name: shards
runtime: fettle
memory: {storage: 90000000 B, context: 512}
YAML
arguments=("$model" --profile "$work/shards.yaml" --calibration "$text")

echo "One run."
rm -rf "$work/one" "$work/many" "$work/cpu" && mkdir -p "$work/cpu"
TIMEFORMAT='%U %S'
{ time "$fettle" score "${arguments[@]}" --store "$work/one" --threads 1 >/dev/null 2>"$work/one.log"; } 2>"$work/one.cpu"

echo "$shards shards as a job array."
cat >"$work/array.sh" <<SBATCH
#!/bin/bash
#SBATCH --job-name=fettle-score
#SBATCH --array=1-$shards
#SBATCH --cpus-per-task=1
#SBATCH --output=$work/shard-%a.log
TIMEFORMAT='%U %S'
{ time "$fettle" score "$model" --profile "$work/shards.yaml" --calibration "$text" --threads 1 \\
    --shard "\$SLURM_ARRAY_TASK_ID/$shards" --store "$work/many" 2>"$work/shard-\$SLURM_ARRAY_TASK_ID.err"; } 2>"$work/cpu/\$SLURM_ARRAY_TASK_ID"
SBATCH
sbatch --wait "$work/array.sh"
"$fettle" store merge --store "$work/many"

digest() { "$fettle" store info --store "$1" --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["digest"])'; }
one=$(digest "$work/one")
many=$(digest "$work/many")
echo "contents of the single run's store: $one"
echo "contents of the merged store:       $many"
failed=0
[ "$one" = "$many" ] || { echo "FELL SHORT: the stores differ"; failed=1; }
cpu() { awk '{ sum += $1 + $2 } END { print sum }' "$@"; }
share=$(awk -v many="$(cpu "$work"/cpu/*)" -v one="$(cpu "$work/one.cpu")" 'BEGIN { print many / one }')
echo "CPU seconds: one run $(cpu "$work/one.cpu"), all shards $(cpu "$work"/cpu/*), ratio $share (<= 1.15)"
awk -v share="$share" 'BEGIN { exit !(share <= 1.15) }' || { echo "FELL SHORT"; failed=1; }

for store in one many; do
    "$fettle" tune "${arguments[@]}" --store "$work/$store" --out "$work/bundles-$store" --time-limit 1s --json >/dev/null 2>"$work/tune-$store.log"
done
plan() { python3 -c 'import glob,json,sys; print(json.dumps(json.load(open(glob.glob(sys.argv[1] + "/*/bundle.json")[0]))["plan"], sort_keys=True))' "$1"; }
[ "$(plan "$work/bundles-one")" = "$(plan "$work/bundles-many")" ] && echo "The plans are the same." || { echo "FELL SHORT: the plans differ"; failed=1; }
exit $failed
