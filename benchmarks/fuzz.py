"""How readers bear damaged files: ``python -m benchmarks.fuzz [INPUTS [READER ...]]``, 100 000 by default."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests import fuzzing
from tests.conftest import SHARED


def main():
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    names = sys.argv[2:] or list(fuzzing.READERS)
    shares = {name: 1 if name in fuzzing.SLOW else 10 for name in names}
    each = {name: max(round(count * share / sum(shares.values())), 1) for name, share in shares.items()}
    with tempfile.TemporaryDirectory() as place:
        seeds = Path(place) / "seeds"
        seeds.mkdir()
        fuzzing.make_seeds(seeds, SHARED)
        print("| reader | inputs | read | refused | no memory | faults | crashes | hangs | s |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
        for name, inputs in each.items():
            folder = Path(place) / name
            folder.mkdir()
            begun = time.perf_counter()
            found = fuzzing.fuzz(name, inputs, folder)
            bad = f"{len(found.faults)} | {len(found.crashes)} | {len(found.hangs)}"
            took = time.perf_counter() - begun
            well = f"{found.read} | {found.refused} | {found.starved}"
            print(f"| {name} | {inputs} | {well} | {bad} | {took:.0f} |", flush=True)
            for fault, times in fuzzing.summary(found).items():
                print(f"    {times} x {fault}", file=sys.stderr)
            for number in (*found.crashes[:5], *found.hangs[:5]):
                print(f"    input {number} of {name!r}", file=sys.stderr)


if __name__ == "__main__":
    main()
