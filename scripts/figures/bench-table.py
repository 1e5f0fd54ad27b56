"""Prints the side-by-side table of scripts/bench.sh from its rounds: medians, ratios, fractions of the machine's limits.

Usage: bench-table.py RESULTS   (RESULTS has NAME.ROUND.json from llama-bench and from `fettle bench`)
"""
import json
import statistics
import sys
from pathlib import Path

results = Path(sys.argv[1])


def rounds(name):
    files = sorted(results.glob(f"{name}.*.json"))
    return [json.loads(file.read_text()) for file in files]


def peer(name):
    """Medians of tokens per second: (prefill, decode)."""
    runs = rounds(name)
    return tuple(
        statistics.median(row["avg_ts"] for run in runs for row in run if bool(row["n_prompt"]) == prompt)
        for prompt in (True, False)
    )


def ours(name, key):
    return statistics.median(run[key] for run in rounds(name))


def line(what, value, other, least, fraction=None, least_fraction=None):
    ratio = value / other
    text = f"{what:44} {value:9.1f} {other:9.1f} {ratio:6.2f}x (at least {least}x)"
    met = ratio >= least
    if fraction is not None:
        text += f"  {100 * fraction:4.0f} %"
        if least_fraction:
            text += f" (at least {100 * least_fraction:.0f} %)"
            met = met and fraction >= least_fraction
    print(text + ("" if met else "  FELL SHORT"))


four, eight, narrow = peer("Q4_0"), peer("Q8_0"), peer("Q4_0-avx2")
PREFILL, DECODE = "prefill_tokens_per_second", "decode_tokens_per_second"
BANDWIDTH, PEAK = "decode_bandwidth_fraction", "prefill_peak_fraction"
print(f"{'tokens/s, median of ' + str(len(rounds('u4g32'))) + ' rounds':44} {'fettle':>9} {'other':>9}")
line("decode u4g32 / llama.cpp Q4_0", ours("u4g32", DECODE), four[1], 2.0, ours("u4g32", BANDWIDTH), 0.70)
line("decode u8g32 / llama.cpp Q8_0", ours("u8g32", DECODE), eight[1], 2.0, ours("u8g32", BANDWIDTH), 0.80)
line("prefill 512 u4g32 / Q4_0", ours("u4g32", PREFILL), four[0], 2.3, ours("u4g32", PEAK), 0.45)
line("prefill 512 u8g32 / Q8_0", ours("u8g32", PREFILL), eight[0], 2.3, ours("u8g32", PEAK))
line("prefill 512 u8c/int8 / Q8_0", ours("u8c", PREFILL), eight[0], 2.7, ours("u8c", PEAK))
line("decode k4g32 / own u4g32", ours("k4g32", DECODE), ours("u4g32", DECODE), 0.9, ours("k4g32", BANDWIDTH))
line("decode u4g32 AVX2 / llama.cpp Q4_0 without AVX-512", ours("u4g32-avx2", DECODE), narrow[1], 1.2)
print(
    f"\nlimits in the same processes: read {ours('u4g32', 'read_bandwidth') / 1e9:.1f} GB/s, "
    f"int8 {ours('u4g32', 'int8_peak') / 1e9:.0f} GOPS; % is of the first for decode, of the second for prefill"
)
