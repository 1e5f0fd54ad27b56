#!/usr/bin/env python3
"""Holds `fettle solve` against HiGHS (scipy.optimize) on one instance that `fettle tune --problem` wrote, at many budgets.

Every budget limits all five costs. The storage limit is a row from small to large; from the best relaxed plan under it the
other limits are taken and tightened, so that at least two of them bind (their dual values in the linear relaxation are not
zero). For each, prints the gap of Fettle's value to the optimum after each time limit, whether the printed bound is one, and
what binds. The optimum is HiGHS's, or where its time ends unproven, the better of both values.

usage: solver-gap.py FETTLE PROBLEM.json [--budgets 20] [--limits 1,10] [--milp-seconds 60] [--json]   (needs scipy)
"""
import argparse
import json
import subprocess
import sys
import tempfile

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_matrix

COSTS = ["resident", "stored", "prefill", "decode", "energy"]

parser = argparse.ArgumentParser()
parser.add_argument("fettle")
parser.add_argument("problem")
parser.add_argument("--budgets", type=int, default=20)
parser.add_argument("--limits", default="1,10")
parser.add_argument("--milp-seconds", type=float, default=60)
parser.add_argument("--json", action="store_true")
arguments = parser.parse_args()
seconds = [float(part) for part in arguments.limits.split(",")]
problem = json.load(open(arguments.problem))
problem["objective"] = "sensitivity"
groups = problem["groups"]
owner = np.array([index for index, group in enumerate(groups) for _ in group["choices"]])
value = {key: np.array([choice[key] for group in groups for choice in group["choices"]])
         for key in COSTS + ["sensitivity"]}
one_each = csr_matrix((np.ones(len(owner)), (owner, np.arange(len(owner)))))


def relaxed(limits):
    """The linear relaxation: its sums, and the dual value of each limit in units of its range."""
    keys = list(limits)
    scales = np.array([max(np.ptp(value[key]), 1e-300) for key in keys])
    rows = np.array([value[key] for key in keys]) / scales[:, None]
    room = np.array([limits[key] - problem["fixed"][key] for key in keys]) / scales
    result = linprog(value["sensitivity"], A_ub=rows, b_ub=room, A_eq=one_each, b_eq=np.ones(len(groups)), bounds=(0, 1))
    if result.status != 0:
        return None, None
    sums = {key: float(value[key] @ result.x) + problem["fixed"][key] for key in COSTS}
    return sums, dict(zip(keys, -result.ineqlin.marginals))


def exact(limits):
    """HiGHS's value, proven bound and whether they are one."""
    scales = np.array([max(np.ptp(value[key]), 1e-300) for key in COSTS])
    rows = np.array([value[key] for key in COSTS]) / scales[:, None]
    room = np.array([limits[key] - problem["fixed"][key] for key in COSTS]) / scales
    # The objective in units of which one is worth the tolerance of the integers.
    unit = float(np.mean(value["sensitivity"]))
    result = milp(
        value["sensitivity"] / unit, constraints=[LinearConstraint(rows, -np.inf, room), LinearConstraint(one_each, 1, 1)],
        integrality=np.ones(len(owner)), bounds=Bounds(0, 1),
        options={"time_limit": arguments.milp_seconds, "mip_rel_gap": 0})
    if result.x is None:
        return np.inf, (result.mip_dual_bound or 0) * unit, False
    chosen = result.x > 0.5
    return float(value["sensitivity"][chosen].sum()), result.mip_dual_bound * unit, result.status == 0


def ours(limits, limit):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({**problem, "limits": {**limits, "sensitivity": None}}, file)
        file.flush()
        output = subprocess.run(
            [arguments.fettle, "solve", file.name, "--time-limit", f"{limit}s", "--json"], capture_output=True, text=True)
    if output.returncode != 0:
        sys.exit(f"fettle solve failed: {output.stderr}")
    answer = json.loads(output.stdout)
    sums = {key: problem["fixed"][key] for key in COSTS}
    for group, index in zip(groups, answer["solution"]):
        for key in COSTS:
            sums[key] += group["choices"][index][key]
    for key in COSTS:
        if sums[key] > limits[key]:
            sys.exit(f"the plan exceeds {key}: {sums[key]} over {limits[key]}")
    return answer


least = problem["fixed"]["stored"] + sum(min(choice["stored"] for choice in group["choices"]) for group in groups)
most = problem["fixed"]["stored"] + sum(
    min(group["choices"], key=lambda choice: (choice["sensitivity"], choice["stored"]))["stored"] for group in groups)
# How much of what the storage limit alone leaves each other limit allows: enough that two or three bind.
tighter = {"resident": 1.0, "prefill": 0.97, "decode": 0.985, "energy": 0.99}
rows = []
for index in range(arguments.budgets):
    share = 0.08 + 0.41 * index / max(1, arguments.budgets - 1)
    limits = {"stored": float(np.floor(least + share * (most - least)))}
    sums, _ = relaxed(limits)
    for step in range(40):
        for key, factor in tighter.items():
            low = problem["fixed"][key] + sum(min(choice[key] for choice in group["choices"]) for group in groups)
            ease = 1 - (1 - factor) * 0.85**step
            limits[key] = max(sums[key] * ease, low)
        if relaxed(limits)[0] is not None:
            break
    prices = relaxed(limits)[1]
    binding = [key for key in COSTS if prices[key] > 1e-7 * max(prices.values())]
    optimum, bound, proven = exact(limits)
    answers = [ours(limits, limit) for limit in seconds]
    best = min([optimum] + [answer["value"] for answer in answers])
    row = {
        "stored": limits["stored"], "binding": binding, "optimum": best, "highs_proven": proven,
        "highs_behind": optimum / best - 1,
        "gaps": [answer["value"] / best - 1 for answer in answers],
        "own_gaps": [1 - answer["bound"] / answer["value"] for answer in answers],
        "seconds": [answer["seconds"] for answer in answers],
        # To the tolerance with which HiGHS itself is exact.
        "bound_is_true": all(answer["bound"] <= best * (1 + 1e-9) for answer in answers),
    }
    rows.append(row)
    if not arguments.json:
        gaps = "  ".join(
            f"{limit:g} s: gap {gap:.1e}, proven {own:.1e} in {used:.2f} s"
            for limit, gap, own, used in zip(seconds, row["gaps"], row["own_gaps"], row["seconds"]))
        print(
            f"{limits['stored']:12.0f} B  {best:.6f} nats  {gaps}  HiGHS {'proven' if proven else 'not proven'}, "
            f"{row['highs_behind']:.1e} behind  binding: {', '.join(binding)}", flush=True)
summary = {
    "budgets": len(rows), "two_bind": sum(len(row["binding"]) >= 2 for row in rows),
    "worst_gaps": [max(row["gaps"][place] for row in rows) for place in range(len(seconds))],
    "worst_own_gaps": [max(row["own_gaps"][place] for row in rows) for place in range(len(seconds))],
    "longest_seconds": [max(row["seconds"][place] for row in rows) for place in range(len(seconds))],
    "false_bounds": sum(not row["bound_is_true"] for row in rows),
    "highs_proven": sum(row["highs_proven"] for row in rows),
}
print(json.dumps(summary))
