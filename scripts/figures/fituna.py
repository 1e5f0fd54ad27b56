#!/usr/bin/env python3
"""The task that trying presets cannot solve (FiTuna): at most 5 % more perplexity at twice the decode speed of Q6_K.

A profile says it: `quality: {metric: perplexity, goal: ...}` with `prefer: latency`. Its goal is half a percent tighter than the
task's, for the task is judged on another text. Speeds are medians over rounds in which llama-bench and `fettle bench` take
turns; perplexity is the bundle's over the float16 source's, by `fettle eval` on 16 chunks of a text that the tuner never saw.

usage: fituna.py FETTLE MODEL --llama BIN --calibration TEXT --text TEXT --store DIR --work DIR [--rounds 5]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("fettle")
parser.add_argument("model")
parser.add_argument("--llama", required=True, help="directory of llama-quantize and llama-bench")
parser.add_argument("--calibration", required=True)
parser.add_argument("--text", required=True)
parser.add_argument("--store", required=True)
parser.add_argument("--work", required=True)
parser.add_argument("--rounds", type=int, default=5)
arguments = parser.parse_args()
os.makedirs(arguments.work, exist_ok=True)
threads = str(os.cpu_count())
preset = f"{arguments.work}/q6_k.gguf"
if not os.path.exists(preset):
    subprocess.run([f"{arguments.llama}/llama-quantize", arguments.model, preset, "Q6_K"], check=True, capture_output=True)

profile = f"{arguments.work}/fituna.yaml"
with open(profile, "w") as file:
    # Time follows bytes: no rate but the bandwidth is given.
    file.write("fettle: 1\nname: fituna\nruntime: fettle\nmemory: {context: 512, bandwidth: 30 GB/s}\n"
               "quality: {metric: perplexity, goal: 0.045}\nprefer: latency\n")
tune = subprocess.run(
    [arguments.fettle, "tune", arguments.model, "--profile", profile, "--calibration", arguments.calibration, "--store",
     arguments.store, "--out", arguments.work, "--json"], capture_output=True, text=True)
if tune.returncode != 0:
    sys.exit(f"fettle tune ended with {tune.returncode}: {tune.stderr.strip().splitlines()[-1]}")
bundle = json.loads(tune.stdout)[0]["bundle"]
stored = json.load(open(f"{bundle}/bundle.json"))["totals"]["stored"]
quality = json.loads(subprocess.check_output(
    [arguments.fettle, "eval", bundle, "--reference", arguments.model, "--text", arguments.text, "--json"]))

theirs, ours = [], []
for _ in range(arguments.rounds):
    runs = json.loads(subprocess.check_output(
        [f"{arguments.llama}/llama-bench", "-m", preset, "-t", threads, "-p", "0", "-n", "64", "-r", "3", "-o", "json"],
        stderr=subprocess.DEVNULL))
    theirs.append(runs[0]["avg_ts"])
    run = json.loads(subprocess.check_output(
        [arguments.fettle, "bench", bundle, "--prefill", "8", "--decode", "64", "--repeat", "3", "--json"]))
    ours.append(run["decode_tokens_per_second"])
ratios = [own / other for own, other in zip(ours, theirs)]
print(json.dumps({
    "perplexity_loss": quality["perplexity"] / quality["reference_perplexity"] - 1,
    "speed_ratio": statistics.median(ratios), "least_ratio": min(ratios),
    "tokens_per_second": statistics.median(ours), "preset_tokens_per_second": statistics.median(theirs),
    "stored_bytes": stored, "preset_bytes": os.path.getsize(preset), "kl": quality["kl"]}))
