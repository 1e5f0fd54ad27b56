#!/usr/bin/env python3
"""Predicted against measured over 12 profiles spread from 2.5 to 8 bits a weight: `make trust`.

Tunes the model for 12 storage limits and prints, for each bundle, what was predicted and what was measured: stored bytes of
the file, resident bytes of a process of its own, and KL on the evaluation text, which no prediction has seen. Without --refine
the plans are measured as the search made them, which takes a fifth of the time.

With --machine the device is this machine, as `fettle profile measure` writes it, and the times of decode and prefill by
`fettle bench` are there too. A virtual machine's two processors may share one path to memory in one minute and have two in the
next, which changes its read bandwidth by half, and be the two threads of one core, which halves its int8 peak: therefore the
machine is measured again in every round, between the benches of all bundles. A bench is held against every measurement whose read
bandwidth is within a twentieth of its own and whose int8 peak is within a tenth, and not counted where there is none; the median of
those that count is compared, and the spread of the read bandwidth is printed.

usage: trust.py FETTLE MODEL --calibration TEXT --work DIR [--store DIR] [--profiles 12] [--machine] [--rounds 6] [--refine] [--json]
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
parser.add_argument("--rounds", type=int, default=6)
parser.add_argument("--refine", action="store_true")
parser.add_argument("--json", action="store_true")
arguments = parser.parse_args()
os.makedirs(arguments.work, exist_ok=True)
inspected = json.loads(subprocess.check_output([arguments.fettle, "inspect", arguments.model, "--json"]))
parameters = inspected["parameters"]


def measure_machine(index):
    """The machine as it is in this minute: machine-INDEX.yaml, and what a prediction takes from it."""
    path = f"{arguments.work}/machine-{index}.yaml"
    subprocess.run([arguments.fettle, "profile", "measure", "--out", path], check=True, stderr=subprocess.DEVNULL)
    with open(path) as file:
        text = file.read()
    overheads = re.search(r"overhead: {decode: (\S+) us, prefill: (\S+) us}", text).groups()
    return {
        "rates": {(format, activation): tuple(map(float, rates)) for format, activation, *rates in re.findall(
            r"format: (\S+), activation: (\S+), decode: (\S+) GB/s, cached-decode: (\S+) GB/s, prefill: (\S+) GOPS", text)},
        "overheads": [float(overhead) / 1e6 for overhead in overheads],
        "attention": {cache: float(rate) for cache, rate in re.findall(
            r"(\w+): (\S+) GOPS", re.search(r"attention: {(.*)}", text)[1])},
        "bandwidth": 1e9 * float(re.search(r"bandwidth: (\S+) GB/s", text)[1]),
        "peak": 1e9 * float(re.search(r"throughput: {int8: (\S+) GOPS", text)[1]),
    }


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
if machine:
    command += ["--time-limit", "60s"]  # times are those of any plan: it need not be the last word on quality
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
    """Seconds of a decoded token and of a prompt, and the machine's read bandwidth and int8 peak meanwhile."""
    bench = json.loads(subprocess.check_output(
        [arguments.fettle, "bench", bundle, "--prefill", "512", "--decode", "64", "--repeat", "7", "--json"]))
    return (1 / bench["decode_tokens_per_second"], 512 / bench["prefill_tokens_per_second"],
            bench["read_bandwidth"], bench["int8_peak"])


def rate(state, key, column, weights):
    """Of decode (column 0), which depends on the bytes of all weights as the profile's documentation says, or of prefill (1)."""
    decode, cached, prefill = state["rates"][key]
    if column:
        return prefill
    if cached <= decode:
        return decode
    weights = min(106e6, max(40e6, weights))
    share = (weights - 40e6) / 66e6
    return weights / (40e6 / cached * (1 - share) + 106e6 / decode * share)


def predicted(manifest, column, now):
    """The seconds that the manifest predicts, of decode (column 0) or prefill (1), with the machine `now` in place of the one
    that they were predicted with: products, what layers take beside them, and attention, each as its rate has changed."""
    what = ("decode", "prefill")[column]
    groups = manifest["plan"]["groups"]
    total = next(verdict["predicted"] for verdict in manifest["verdicts"] if verdict["constraint"] == f"latency.{what}")
    layers = inspected["layers"] * inspected["width"] / 1024 * (1, 512)[column]
    cache = manifest["plan"]["kv"]["format"]
    attention = total - sum(group[f"{what}_seconds"] for group in groups) - layers * machine["overheads"][column]
    storage = next(verdict["goal"] for verdict in manifest["verdicts"] if verdict["constraint"] == "memory.storage")
    products = 0
    for group in groups:
        key = (re.sub(r"e\d+$", "", group["format"]), group["activation"])  # indices that are coded in the file are not in memory
        most = storage * group["resident_bytes"] / group["stored_bytes"]
        ratio = rate(machine, key, column, most) / rate(now, key, column, most) if key in machine["rates"] else 1
        products += group[f"{what}_seconds"] * ratio
    return products + layers * now["overheads"][column] + attention * machine["attention"][cache] / now["attention"][cache]


# Of each bundle in a round: one bench of decoding is off by an eighth, however alike the machine reads.
BENCHES = 3

spread = None
if machine:
    measured = [machine]
    runs = []
    for index in range(arguments.rounds):
        runs += [(name, *benched(f"{arguments.work}/{model_name}@{name}")) for name in BENCHES * names]
        measured.append(measure_machine(index + 1))
    for row in rows:
        manifest = json.load(open(f"{arguments.work}/{model_name}@{row['name']}/bundle.json"))
        for column, what in enumerate(("decode", "prefill")):
            ratios = []
            for name, *seconds, bandwidth, peak in runs:
                if name == row["name"]:
                    ratios += [seconds[column] / predicted(manifest, column, now) for now in measured
                               if abs(now["bandwidth"] / bandwidth - 1) <= 0.05 and abs(now["peak"] / peak - 1) <= 0.1]
            if not ratios:
                sys.exit(f"{row['name']}: the machine was never measured as it was in its benches; give more --rounds")
            row[f"{what}_ratio"] = statistics.median(ratios)
            row[f"{what}_ratios"] = ratios
    read = sorted(run[3] for run in runs)
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
