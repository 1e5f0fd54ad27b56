#!/usr/bin/env python3
"""Profiles that no plan can meet, on a real model: `fettle tune` must end with exit code 3 and an explanation, and each of the
limits that it names must be enough when it is raised to the number that it names.

The device is search-kernels.yaml's, on which time does not follow bytes; limits come from the instance that `fettle tune
--problem` wrote for it. One limit out of reach, two out of reach (both are raised), and storage against prefill: each can be
met, both cannot (each is raised alone). Narrow limits bring choices in that wider ones leave out, and with these both may be
met: then the limits are taken from the instance with those choices, and so on.

usage: infeasible.py FETTLE MODEL PROBLEM.json --calibration TEXT --store DIR --work DIR
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("fettle")
parser.add_argument("model")
parser.add_argument("problem")
parser.add_argument("--calibration", required=True)
parser.add_argument("--store", required=True)
parser.add_argument("--work", required=True)
arguments = parser.parse_args()
# What a profile extends is looked up beside it.
os.makedirs(arguments.work, exist_ok=True)
shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "search-kernels.yaml"), arguments.work)
with open(arguments.problem) as file:
    problem = json.load(file)


def least(instance, cost):
    """The least that a plan can cost."""
    return instance["fixed"][cost] + sum(min(choice[cost] for choice in group["choices"]) for group in instance["groups"])


def tune(name, limits):
    """Exit code and last message of a run with these limits, in base units; its instance is in NAME.json."""
    lines = ["fettle: 1", f"name: {name}", "extends: search-kernels"]
    lines.append(f"memory: {{storage: {limits.get('memory.storage', 4e9):.0f} B, "
                 f"budget: {limits.get('memory.budget', 8e9):.0f} B}}")
    lines.append(f"latency: {{prefill: {{goal: {limits.get('latency.prefill', 1e3):.10g} s}}, "
                 f"decode: {{goal: {limits.get('latency.decode', 1e3):.10g} s}}}}")
    lines.append("energy: {goal: 1000 J}")
    path = f"{arguments.work}/{name}.yaml"
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    run = subprocess.run(
        [arguments.fettle, "tune", arguments.model, "--profile", path, "--calibration", arguments.calibration, "--store",
         arguments.store, "--out", arguments.work, "--time-limit", "1s", "--no-refine", "--json", "--problem",
         f"{arguments.work}/{name}.json"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return run.returncode, run.stderr.strip().split("\n")[-1]


failed = 0


def check(what, is_good, text=""):
    global failed
    failed += not is_good
    print(f"{what:68} {'ok' if is_good else 'FELL SHORT'}{'' if is_good else '  ' + text}")


def explained(name, factor, costs):
    """Limits at `factor` times the least of each of `costs`, and how the run explains that no plan meets them."""
    instance = problem
    for _ in range(4):
        limits = {limit: factor * least(instance, cost) for limit, cost in costs.items()}
        code, text = tune(name, limits)
        if code != 0:
            break
        with open(f"{arguments.work}/{name}.json") as file:
            instance = json.load(file)
    print(f"  {text}")
    check(f"{name}: exit code 3", code == 3, f"exit code {code}")
    return limits, text


both = {"memory.storage": "stored", "latency.decode": "decode"}
for name, factor, costs in [
    ("out-of-reach", 0.9, {"memory.storage": "stored"}),
    ("both-out-of-reach", 0.9, both),
    ("conflict", 1.02, {"memory.storage": "stored", "latency.prefill": "prefill"}),
]:
    limits, text = explained(name, factor, costs)
    unattainable = re.findall(r"(\S+) of [\d.e+-]+ \w+ is out of reach: the cheapest plan needs ([\d.e+-]+) ", text)
    remedies = re.findall(r"(\S+) to ([\d.e+-]+) \w+ \([^)]* more\)", text)
    if len(unattainable) > 1:
        # Each must give that much at least; what both need together is what the nearest plan misses.
        missed = re.search(r"the nearest plan misses (.*?) at a predicted", text)
        steps = [[(key, limits[key] + float(amount))
                  for key, amount in re.findall(r"(\S+) by ([\d.e+-]+)", missed.group(1))]] if missed else []
    else:
        steps = [[(key, float(amount))] for key, amount in remedies]
    check(f"{name}: names what would be enough", bool(steps), text)
    for index, step in enumerate(steps):
        code, text = tune(f"{name}-{index}", {**limits, **dict(step)})
        words = " and ".join(f"{key} to {amount:.10g}" for key, amount in step)
        check(f"{name}: {words} is enough", code == 0, f"exit code {code}: {text}")
sys.exit(1 if failed else 0)
