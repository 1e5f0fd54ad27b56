"""Writes Tests/Fixtures/tuning/knapsacks.json: optima of random multiple-choice knapsacks by HiGHS (scipy.optimize.milp).

Instances have 20 groups of 6 choices and 3 limits; all numbers are whole, so that optima are exact. They are drawn with
SplitMix64, which the test repeats; each optimum stands beside a checksum of its instance. -1 where no selection keeps the
limits.

usage: knapsacks.py (needs scipy; 1.17.1 was used)
"""
import json
import pathlib

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

GROUPS, CHOICES, LIMITS, COUNT = 20, 6, 3, 200
MASK = (1 << 64) - 1


class Random:
    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return (z ^ (z >> 31)) % limit


def instance(seed):
    """Values fall as weights grow, roughly; limits are a share of what lies between the least and the most."""
    random = Random(seed)
    values = np.zeros((GROUPS, CHOICES), dtype=np.int64)
    weights = np.zeros((GROUPS, CHOICES, LIMITS), dtype=np.int64)
    for group in range(GROUPS):
        importance = 1 + random.below(1000)
        for choice in range(CHOICES):
            size = 1 + random.below(1000)
            values[group, choice] = importance * (1000 + random.below(500)) // size
            for limit in range(LIMITS):
                weights[group, choice, limit] = size * (50 + random.below(100)) // 100
    least, most = weights.min(axis=1).sum(axis=0), weights.max(axis=1).sum(axis=0)
    limits = [int(least[limit] + (most[limit] - least[limit]) * (1 + random.below(25)) // 100) for limit in range(LIMITS)]
    return values, weights, limits


def optimum(values, weights, limits):
    count = GROUPS * CHOICES
    one_each = np.kron(np.eye(GROUPS), np.ones(CHOICES))
    result = milp(
        values.reshape(count),
        constraints=[
            LinearConstraint(weights.reshape(count, LIMITS).T, -np.inf, limits), LinearConstraint(one_each, 1, 1)],
        integrality=np.ones(count), bounds=Bounds(0, 1), options={"mip_rel_gap": 0})
    if result.x is None:
        assert result.status == 2, result.message
        return -1
    assert result.status == 0, result.message
    chosen = result.x.reshape(GROUPS, CHOICES).argmax(axis=1)
    picked = np.arange(GROUPS)
    assert (weights[picked, chosen].sum(axis=0) <= limits).all()
    return int(values[picked, chosen].sum())


rows = []
for seed in range(COUNT):
    values, weights, limits = instance(seed)
    checksum = int(values.sum() + weights.sum() + sum(limits))
    rows.append([checksum, optimum(values, weights, limits)])
target = pathlib.Path(__file__).parent.parent / "tuning" / "knapsacks.json"
target.write_text(json.dumps(rows, separators=(",", ":")).replace("],[", "],\n[") + "\n")
print(f"{target}: {sum(row[1] < 0 for row in rows)} of {COUNT} without a selection")
