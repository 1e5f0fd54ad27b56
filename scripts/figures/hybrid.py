#!/usr/bin/env python3
"""Whether mixing pays: the free search against `--only` one grid and one activation, at equal bytes: `make hybrid`.

Each run tunes for all profiles, refinements open in all of them. `fettle eval` judges the bundles on the test text: on 64 chunks,
since on 16 a third to a half of KL comes from some 400 tokens, and plans that are alike differ by a tenth.
The bytes are those of the weights file, or with `--limit memory` those that the model takes of a process: as many bits a weight, and
what uniform 8 bits take beside their matrices. Prints a table and what the free plans are made of, as Markdown, and writes them
into the page of --docs.

usage: hybrid.py FETTLE MODEL --calibration TEXT --test TEXT --work DIR [--limit storage|memory] [--bits 2.8,3.5,4.5] [--chunks 16]
                 [--judged 64] [--grids "uniform,weight sharing"] [--activations int8g32,int8] [--docs FILE]
"""
import argparse
import collections
import json
import os
import subprocess
import sys

import figures_page

parser = argparse.ArgumentParser()
parser.add_argument("fettle")
parser.add_argument("model")
parser.add_argument("--calibration", required=True)
parser.add_argument("--test", required=True)
parser.add_argument("--work", required=True)
parser.add_argument("--limit", choices=("storage", "memory"), default="storage")
parser.add_argument("--bits", default="2.8,3.5,4.5")
parser.add_argument("--chunks", type=int, default=16)
parser.add_argument("--judged", type=int, default=64)
parser.add_argument("--grids", help="those that runs are held to; all of them where it is not given")
parser.add_argument("--activations", default="int8g32,int8")
parser.add_argument("--docs")
parser.add_argument("--asked", type=float, default=0.95)
arguments = parser.parse_args()
os.makedirs(arguments.work, exist_ok=True)
inspected = json.loads(subprocess.check_output([arguments.fettle, "inspect", arguments.model, "--json"]))
name = os.path.basename(arguments.model).removesuffix(".gguf")

TUNE = [arguments.fettle, "tune", arguments.model, "--calibration", arguments.calibration, "--json",
        "--store", f"{arguments.work}/store"]
section = "hybrid" if arguments.limit == "storage" else "hybrid-memory"


def write_profile(profile, limit):
    with open(f"{arguments.work}/{profile}.yaml", "w") as file:
        file.write(f"fettle: 1\nname: {profile}\nruntime: fettle\nmemory: {{{limit}, context: 512}}\n")


def memory_beside_matrices():
    """Bytes of a process that no choice of formats changes, with an int8 cache."""
    write_profile("hybrid-beside", "budget: 4 GB")
    run = subprocess.run(
        [*TUNE, "--out", arguments.work, "--profile", f"{arguments.work}/hybrid-beside.yaml", "--uniform", "u8g32",
         "--kv", "int8", "--no-refine", "--chunks", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit(f"fettle tune ended with {run.returncode}: {run.stderr[-300:]}")
    manifest = json.load(open(f"{arguments.work}/{name}@hybrid-beside/bundle.json"))
    whole = next(verdict["predicted"] for verdict in manifest["verdicts"] if verdict["constraint"] == "memory.budget")
    return whole - sum(group["resident_bytes"] for group in manifest["plan"]["groups"])


beside = memory_beside_matrices() if arguments.limit == "memory" else 0
profiles = []
for bits in arguments.bits.split(","):
    weights = int(float(bits) * inspected["parameters"] / 8)
    write_profile(f"{section}-{bits}", f"storage: {weights} B" if arguments.limit == "storage" else f"budget: {weights + beside} B")
    profiles.append(f"{section}-{bits}")

BITS = {"uniform": "865432", "affine": "865432", "k-means": "5432", "log2": "432", "sums of two powers": "654"}
LETTERS = {"uniform": "u", "affine": "a", "k-means": "k", "log2": "l", "sums of two powers": "p"}
GRIDS = {grid: [f"{LETTERS[grid]}{bits}g{group}" for bits in widths for group in (32, 64)] for grid, widths in BITS.items()}
# One codebook for a tensor and scales for rows, with room for 8 bits: a head takes those at 4.5 bits a weight. Indices are
# entropy-coded where that saves bytes.
GRIDS["weight sharing"] = (["k8c", "k5ce40", "k5ce36", "k4ce30", "k4ce26", "k4ce22"] if arguments.limit == "storage" else
                           ["k8c", "k5c", "k4c", "k3c", "k2c"])
runs = {"free": None}
for grid in arguments.grids.split(",") if arguments.grids else GRIDS:
    formats = GRIDS.get(grid) or sys.exit(f"--grids: no '{grid}'; there are {', '.join(GRIDS)}")
    for activation in arguments.activations.split(","):
        runs[f"{grid}, {activation}"] = ",".join(f"{format}/{activation}" for format in formats)



def judge(bundle):
    """KL of a bundle to its source on the test text, kept beside the bundle's manifest."""
    kept = f"{bundle}/judged-{arguments.judged}.json"
    if not os.path.exists(kept):
        answer = subprocess.check_output(
            [arguments.fettle, "eval", bundle, "--reference", arguments.model, "--text", arguments.test,
             "--chunks", str(arguments.judged), "--json"], stderr=subprocess.DEVNULL)
        with open(kept, "wb") as file:
            file.write(answer)
    return json.load(open(kept))["kl"]


results, judged = {}, {}
for run, only in runs.items():
    out = f"{arguments.work}/{run.replace(', ', '-')}"
    for profile in profiles:
        manifest = f"{out}/{name}@{profile}/bundle.json"
        if not os.path.exists(manifest):
            # One profile at a time: one that is out of reach must not stop the others.
            command = [*TUNE, "--out", out, "--chunks", str(arguments.chunks), "--profile", f"{arguments.work}/{profile}.yaml"]
            if only:
                command += ["--only", only]
            log = open(f"{arguments.work}/tune.log", "w")
            code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=log).returncode
            if code == 3:
                continue
            if code:
                sys.exit(f"fettle tune ended with {code}; see {arguments.work}/tune.log")
        results[run, profile] = json.load(open(manifest))
        judged[run, profile] = judge(os.path.dirname(manifest))
        print(f"{run} {profile}: {judged[run, profile]:.4f}", file=sys.stderr)


def kl(run, profile):
    return judged.get((run, profile))


text = ["| search | " + " | ".join(f"{profile.removeprefix(section + '-')} bits" for profile in profiles) + " |",
        "| --- |" + " --- |" * len(profiles)]
for run in runs:
    cells = [kl(run, profile) for profile in profiles]
    text.append(f"| {run} | " + " | ".join("out of reach" if cell is None else f"{cell:.4f}" for cell in cells) + " |")
text += ["", "| profile | free over the best held one | what the free plan is made of |", "| --- | --- | --- |"]
failed = False
for profile in profiles:
    held = [kl(run, profile) for run in runs if run != "free" and kl(run, profile) is not None]
    ratio = kl("free", profile) / min(held)
    failed |= ratio > arguments.asked
    groups = results["free", profile]["plan"]["groups"]
    counts = [", ".join(f"{count} {value or 'none'}" for value, count in collections.Counter(
        group[key] for group in groups).most_common()) for key in ("format", "activation", "refinement")]
    text.append(f"| {profile.removeprefix(section + '-')} bits | {ratio:.3f} | {'; '.join(counts)} |")
print("\n".join(text))
if arguments.docs:
    figures_page.replace(arguments.docs, section, text)
sys.exit(1 if failed else 0)
