#!/usr/bin/env python3
"""One run of `fettle tune --uniform` for each technique, and the table of all of them in docs/techniques.md: `make techniques`.

Each row is one SPEC for every matrix but the head, which is 8 bits in all of them. KL is the bundle's own measurement: of the
16 chunks of --evaluate, or of text that the model wrote. A row that is known from an earlier run (--work) is not run again.

usage: techniques.py FETTLE --model MODEL --work DIR [--calibration TEXT] [--evaluate TEXT] [--docs FILE] [--rows SPEC,...]
"""
import argparse
import hashlib
import json
import os
import subprocess
import sys

import figures_page

parser = argparse.ArgumentParser()
parser.add_argument("fettle")
parser.add_argument("--model", required=True)
parser.add_argument("--work", required=True)
parser.add_argument("--calibration")
parser.add_argument("--evaluate")
parser.add_argument("--chunks", type=int, default=16)
parser.add_argument("--docs", default=os.path.join(os.path.dirname(__file__), "../../docs/techniques.md"))
parser.add_argument("--rows", help="only these SPECs")
arguments = parser.parse_args()
os.makedirs(arguments.work, exist_ok=True)
name = os.path.basename(os.path.normpath(arguments.model)).removesuffix(".gguf")

DYNAMIC = {"name": "techniques", "lines": ["runtime: fettle"]}
INTEGER = {"name": "techniques-integer", "lines": ["runtime: fettle", "compute: {float: none}"]}


def grids(bits):
    rows = [("uniform", "tensor", f"u{bits}t"), ("uniform", "channel", f"u{bits}c"),
            ("uniform", "group of 64", f"u{bits}g64"), ("uniform", "group of 32", f"u{bits}g32"),
            ("affine", "channel", f"a{bits}c"), ("affine", "group of 64", f"a{bits}g64"),
            ("affine", "group of 32", f"a{bits}g32"),
            ("k-means", "tensor", f"k{bits}t"), ("k-means", "channel", f"k{bits}c"),
            ("k-means", "group of 64", f"k{bits}g64"),
            *(("weight sharing", place, f"k{bits + 1}{suffix}e{10 * bits - less}")
              for place, suffix in (("tensor", "t"), ("channel", "c")) for less in (0, 4)),
            ("log2", "channel", f"l{bits}c"), ("log2", "group of 64", f"l{bits}g64"),
            *(("sums of two powers", place, f"p{bits}{suffix}")
              for place, suffix in (("channel", "c"), ("group of 64", "g64")) if bits > 3)]
    return [(*row, "clip", DYNAMIC) for row in rows]


def refinements(bits):
    rows = [("uniform", f"u{bits}g64", "awq"), ("uniform", f"u{bits}g64", "clip+awq"),
            ("uniform", f"u{bits}g64", "clip+gptq"), ("uniform", f"u{bits}g64", "clip+awq+gptq"),
            ("affine", f"a{bits}g64", "clip+awq"), ("affine", f"a{bits}g64", "clip+awq+gptq"),
            ("k-means", f"k{bits}g64", "clip+awq"), ("k-means", f"k{bits}g64", "clip+awq+gptq"),
            ("k-means", f"k{bits}c", "clip+awq"), ("k-means", f"k{bits}c", "clip+awq+gptq"),
            *(("weight sharing", f"k{bits + 1}ce{10 * bits - less}", refinement)
              for less in (0, 4) for refinement in ("clip+awq", "clip+awq+gptq"))]
    return [(*row, DYNAMIC) for row in rows]


ACTIVATIONS = [("static", "u8c/static", DYNAMIC), ("static, smoothed", "u8c/static+clip+smooth", DYNAMIC),
               ("dynamic, per token", "u8g32/int8", DYNAMIC),
               ("dynamic, per group of 64", "u8g32/int8g64", DYNAMIC),
               ("dynamic, per group of 32", "u8g32/int8g32", DYNAMIC),
               ("integer-only, per token", "u8g32/int8", INTEGER),
               ("integer-only, per group of 32", "u8g32/int8g32", INTEGER)]


def measure(spec, profile):
    """What `fettle tune --uniform` measured: kl, its interval, bits of a weight in the file outside the head."""
    head = "u8g32"
    key = json.dumps([spec, head, profile, arguments.model, arguments.calibration, arguments.evaluate, arguments.chunks])
    known = f"{arguments.work}/{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    if os.path.exists(known):
        return json.load(open(known))
    path = f"{arguments.work}/{profile['name']}.yaml"
    with open(path, "w") as file:
        file.write("\n".join(["fettle: 1", f"name: {profile['name']}", *profile["lines"], "memory: {context: 512}"]) + "\n")
    command = [arguments.fettle, "tune", arguments.model, "--profile", path, "--uniform", spec, "--head", head, "--json",
               "--chunks", str(arguments.chunks), "--out", arguments.work, "--store", f"{arguments.work}/store"]
    for option in ("calibration", "evaluate"):
        if getattr(arguments, option):
            command += [f"--{option}", getattr(arguments, option)]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode not in (0, 3):
        last = run.stderr.strip().splitlines()[-1:]
        print(f"{spec}: fettle tune ended with {run.returncode}: {last}", file=sys.stderr)
        return None
    manifest = json.load(open(f"{arguments.work}/{name}@{profile['name']}/bundle.json"))
    layers = [group for group in manifest["plan"]["groups"] if group["name"] not in ("token_embd", "output")]
    inspected = json.loads(subprocess.check_output([arguments.fettle, "inspect", arguments.model, "--json"]))
    matrices = sum(tensor["rows"] * tensor["columns"] for tensor in inspected["tensors"]
                   if tensor["name"].startswith("blk.") and tensor["rows"] > 1)
    quality = manifest["quality"]
    result = {"kl": quality["kl"], "interval": quality["kl_interval"], "mode": quality["mode"], "text": quality["text"],
              "bits": 8 * sum(group["stored_bytes"] for group in layers) / matrices}
    json.dump(result, open(known, "w"))
    return result


def line(cells):
    return "| " + " | ".join(cells) + " |"


def row(labels, spec, profile):
    if arguments.rows and spec not in arguments.rows.split(","):
        return None
    result = measure(spec, profile)
    if result is None:
        return None
    print(f"{name} {spec} {result['kl']:.4f}", file=sys.stderr)
    low, high = result["interval"]
    return line([*labels, f"`{spec}`", f"{result['bits']:.2f}", f"{result['kl']:.5f}", f"{low:.5f} to {high:.5f}"])


def table(heads, rows, before):
    """The lines of a table under `before`; none where no row was asked for."""
    heads = [*heads, "SPEC", "bits", "KL", "95 %"]
    rows = [*filter(None, rows)]
    return [before, "", line(heads), line(["---"] * len(heads)), *rows, ""] if rows else []


text = []
for bits in (4, 3):
    text += table(["grid", "granularity"], [row((grid, granularity), f"{spec}+{refinement}", profile)
                                            for grid, granularity, spec, refinement, profile in grids(bits)],
                  f"### {bits} bits")
    text += table(["grid", "refinement"], [row((grid, refinement), f"{spec}+{refinement}", profile)
                                           for grid, spec, refinement, profile in refinements(bits)],
                  f"### {bits} bits, refined")
text += table(["inputs"], [row((label,), spec if "+" in spec else f"{spec}+clip", profile)
                           for label, spec, profile in ACTIVATIONS], "### Activations and execution, 8-bit weights")

figures_page.replace(arguments.docs, name, text)
