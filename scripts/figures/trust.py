#!/usr/bin/env python3
"""Predicted against measured over 12 profiles spread from 2.5 to 8 bits a weight: `make trust`.

Tunes the model for 12 storage limits and prints, for each bundle, what was predicted and what was measured: stored bytes of
the file, resident bytes of a process of its own, KL on the evaluation text, and with --kernels (a profile that `fettle profile
measure` wrote on this machine) the times of decode and prefill by `fettle bench`. Without --refine the plans are measured as
the search made them: refinement lowers KL below what scores promise.

usage: trust.py FETTLE MODEL --calibration TEXT --work DIR [--store DIR] [--profiles 12] [--kernels PROFILE] [--refine] [--json]
"""
import argparse
import json
import os
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("fettle")
parser.add_argument("model")
parser.add_argument("--calibration", required=True)
parser.add_argument("--work", required=True)
parser.add_argument("--store")
parser.add_argument("--profiles", type=int, default=12)
parser.add_argument("--kernels")
parser.add_argument("--refine", action="store_true")
parser.add_argument("--json", action="store_true")
arguments = parser.parse_args()
os.makedirs(arguments.work, exist_ok=True)
inspected = json.loads(subprocess.check_output([arguments.fettle, "inspect", arguments.model, "--json"]))
parameters = inspected["parameters"]

names = []
command = [arguments.fettle, "tune", arguments.model, "--calibration", arguments.calibration, "--json", "--nearest",
           "--out", arguments.work, "--store", arguments.store or f"{arguments.work}/store"]
for index in range(arguments.profiles):
    bits = 2.5 + 5.5 * index / max(1, arguments.profiles - 1)
    name = f"trust-{bits:.1f}-bits"
    lines = ["fettle: 1", f"name: {name}", "runtime: fettle"]
    if arguments.kernels:
        lines.append(f"extends: {os.path.abspath(arguments.kernels)}")
    lines.append(f"memory: {{storage: {int(bits * parameters / 8)} B, budget: 4 GB, context: 512}}")
    lines.append("latency: {prefill: {tokens: 512, goal: 100 s}, decode: {goal: 10 s, at: 32}}" if arguments.kernels else "")
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
    if arguments.kernels:
        bench = json.loads(subprocess.check_output(
            [arguments.fettle, "bench", bundle, "--prefill", "512", "--decode", "64", "--json"]))
        row["decode_ratio"] = 1 / bench["decode_tokens_per_second"] / verdicts["latency.decode"]["predicted"]
        row["prefill_ratio"] = 512 / bench["prefill_tokens_per_second"] / verdicts["latency.prefill"]["predicted"]
    rows.append(row)


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
    if arguments.kernels:
        summary[f"worst_{what}"] = max(abs(row[f"{what}_ratio"] - 1) for row in rows)
if arguments.json:
    print(json.dumps({"rows": rows, **summary}))
    sys.exit()
print(f"{'profile':18} {'stored off':>10} {'resident':>9} {'KL predicted':>13} {'measured':>9} {'ratio':>6}"
      + ("  decode prefill" if arguments.kernels else ""))
for row in rows:
    print(f"{row['name']:18} {row['stored_off']:8.0f} B {row['resident_ratio']:9.4f} {row['predicted_kl']:13.5f} "
          f"{row['kl']:9.5f} {row['kl'] / row['predicted_kl']:6.3f}"
          + (f"  {row['decode_ratio']:6.3f} {row['prefill_ratio']:7.3f}" if arguments.kernels else "")
          + ("" if row["stored_met"] else "  out of reach: the nearest plan"))
print(", ".join(f"{key} {value:.4g}" for key, value in summary.items()))
