#!/usr/bin/env python3
"""Predicted against measured over 12 profiles spread from 2.5 to 8 bits a weight: `make trust`.

Tunes the model for 12 storage limits and prints, for each bundle, what was predicted and what was measured: stored bytes of
the file, resident bytes of a process of its own, and KL on the evaluation text, which no prediction has seen. Without --refine
the plans are measured as the search made them, which takes a fifth of the time.

With --machine the device is this machine, as `fettle profile measure` writes it, and the times of decode and prefill by
`fettle bench` are there too. A virtual machine's memory may be twice as fast in one minute as in the next: therefore the
machine is measured again in every round, between the benches of all bundles, and medians over the rounds are compared; the
spread of the machine's own read bandwidth is printed beside them.

usage: trust.py FETTLE MODEL --calibration TEXT --work DIR [--store DIR] [--profiles 12] [--machine] [--rounds 4] [--refine] [--json]
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("fettle")
parser.add_argument("model")
parser.add_argument("--calibration", required=True)
parser.add_argument("--work", required=True)
parser.add_argument("--store")
parser.add_argument("--profiles", type=int, default=12)
parser.add_argument("--machine", action="store_true")
parser.add_argument("--rounds", type=int, default=4)
parser.add_argument("--refine", action="store_true")
parser.add_argument("--json", action="store_true")
arguments = parser.parse_args()
os.makedirs(arguments.work, exist_ok=True)
inspected = json.loads(subprocess.check_output([arguments.fettle, "inspect", arguments.model, "--json"]))
parameters = inspected["parameters"]


def measure_machine(index):
    """The machine's profile as it is in this minute: the rate of each kernel by format and activation; the profile is machine-INDEX.yaml."""
    path = f"{arguments.work}/machine-{index}.yaml"
    subprocess.check_call([arguments.fettle, "profile", "measure", "--out", path])
    with open(path) as file:
        text = file.read()
    rates = {(format, activation): (float(decode), float(prefill)) for format, activation, decode, prefill in re.findall(
        r"format: (\S+), activation: (\S+), decode: (\S+) GB/s, prefill: (\S+) GOPS", text)}
    return rates


names = []
machine = measure_machine(0) if arguments.machine else None
command = [arguments.fettle, "tune", arguments.model, "--calibration", arguments.calibration, "--json", "--nearest",
           "--out", arguments.work, "--store", arguments.store or f"{arguments.work}/store"]
for index in range(arguments.profiles):
    bits = 2.5 + 5.5 * index / max(1, arguments.profiles - 1)
    name = f"trust-{bits:.1f}-bits"
    lines = ["fettle: 1", f"name: {name}", "runtime: fettle"]
    if machine:
        lines.append("extends: machine-0")  # looked up beside the profile
    lines.append(f"memory: {{storage: {int(bits * parameters / 8)} B, budget: 4 GB, context: 512}}")
    lines.append("latency: {prefill: {tokens: 512, goal: 100 s}, decode: {goal: 10 s, at: 32}}" if machine else "")
    path = f"{arguments.work}/{name}.yaml"
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    names.append(name)
    command += ["--profile", path]
if not arguments.refine:
    command.append("--no-refine")
run = subprocess.run(command, stdout=subprocess.PIPE, stderr=open(f"{arguments.work}/tune.log", "w"), text=True)
if run.returncode not in (0, 3):
    sys.exit(f"fettle tune ended with {run.returncode}; see {arguments.work}/tune.log")

rows = []
model_name = os.path.basename(arguments.model).removesuffix(".gguf")
for name in names:
    bundle = f"{arguments.work}/{model_name}@{name}"
    manifest = json.load(open(f"{bundle}/bundle.json"))
    verdicts = {verdict["constraint"]: verdict for verdict in manifest["verdicts"]}
    stored, resident = verdicts["memory.storage"], verdicts["memory.budget"]
    row = {
        "name": name, "stored_met": stored["met"], "stored_off": stored["measured"] - stored["predicted"],
        "resident_ratio": resident["measured"] / resident["predicted"],
        "predicted_kl": manifest["quality"]["predicted_kl"], "kl": manifest["quality"]["kl"],
        "uniform": (manifest["baselines"].get("uniform") or {}).get("kl"),
    }
    rows.append(row)


def benched(bundle):
    """Seconds of a decoded token and of a prompt, and the machine's read bandwidth meanwhile."""
    bench = json.loads(subprocess.check_output(
        [arguments.fettle, "bench", bundle, "--prefill", "512", "--decode", "64", "--repeat", "3", "--json"]))
    return 1 / bench["decode_tokens_per_second"], 512 / bench["prefill_tokens_per_second"], bench["read_bandwidth"]


def predicted(manifest, what, first, rates):
    """The manifest's predicted seconds with the rates `rates` in place of those that they were predicted with, `first`."""
    column = ("decode", "prefill").index(what)
    total = next(verdict["predicted"] for verdict in manifest["verdicts"] if verdict["constraint"] == f"latency.{what}")
    for group in manifest["plan"]["groups"]:
        key = (group["format"], group["activation"])
        if key in first:
            total += group[f"{what}_seconds"] * (first[key][column] / rates[key][column] - 1)
    return total


spread = None
if machine:
    rounds = [machine]
    seconds = {name: [] for name in names}
    for index in range(arguments.rounds):
        for name in names:
            seconds[name].append(benched(f"{arguments.work}/{model_name}@{name}"))
        rounds.append(measure_machine(index + 1))
    rates = {key: tuple(statistics.median(rates[key][column] for rates in rounds) for column in (0, 1))
             for key in machine}
    for row in rows:
        manifest = json.load(open(f"{arguments.work}/{model_name}@{row['name']}/bundle.json"))
        for column, what in enumerate(("decode", "prefill")):
            median = statistics.median(run[column] for run in seconds[row["name"]])
            row[f"{what}_ratio"] = median / predicted(manifest, what, machine, rates)
    read = sorted(run[2] for runs in seconds.values() for run in runs)
    spread = {"least": read[0] / 1e9, "median": statistics.median(read) / 1e9, "most": read[-1] / 1e9}


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0] * len(values)
    for rank, index in enumerate(order):
        result[index] = rank
    return result


first, second = ranks([row["predicted_kl"] for row in rows]), ranks([row["kl"] for row in rows])
count = len(rows)
correlation = 1 - 6 * sum((a - b) ** 2 for a, b in zip(first, second)) / (count * (count**2 - 1))
summary = {
    "rank_correlation": correlation,
    "worst_kl": max(abs(row["kl"] / row["predicted_kl"] - 1) for row in rows),
    "worst_resident": max(abs(row["resident_ratio"] - 1) for row in rows),
    "stored_off": max(abs(row["stored_off"]) for row in rows),
    "over_budget": sum(not row["stored_met"] for row in rows),
    "worse_than_uniform": sum(row["uniform"] is not None and row["kl"] > row["uniform"] for row in rows),
}
for what in ("decode", "prefill"):
    if machine:
        summary[f"worst_{what}"] = max(abs(row[f"{what}_ratio"] - 1) for row in rows)
if arguments.json:
    print(json.dumps({"rows": rows, **summary, "read_bandwidth": spread}))
    sys.exit()
print(f"{'profile':18} {'stored off':>10} {'resident':>9} {'KL predicted':>13} {'measured':>9} {'ratio':>6}"
      + ("  decode prefill" if machine else ""))
for row in rows:
    print(f"{row['name']:18} {row['stored_off']:8.0f} B {row['resident_ratio']:9.4f} {row['predicted_kl']:13.5f} "
          f"{row['kl']:9.5f} {row['kl'] / row['predicted_kl']:6.3f}"
          + (f"  {row['decode_ratio']:6.3f} {row['prefill_ratio']:7.3f}" if machine else "")
          + ("" if row["stored_met"] else "  out of reach: the nearest plan"))
print(", ".join(f"{key} {value:.4g}" for key, value in summary.items()))
if spread:
    print("read bandwidth meanwhile: {least:.1f} to {most:.1f} GB/s, median {median:.1f}".format(**spread))
