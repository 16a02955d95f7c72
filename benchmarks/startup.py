"""Start-up time of `amodal --help` and `import amodal`.

python -m benchmarks.startup
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.provenance import write_figures

COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "amodal --help": [sys.executable, "-m", "amodal.cli", "--help"],
    "import amodal": [sys.executable, "-c", "import amodal"],
    "from amodal import TableModel": [sys.executable, "-c", "from amodal import TableModel"],
}


def seconds(command: list[str]) -> float:
    """Wall time of a command."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=5, help="runs after one warm-up run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    options = parser.parse_args()
    medians = {}
    for name, command in COMMANDS.items():
        seconds(command)
        medians[name] = round(statistics.median(seconds(command) for _ in range(options.times)), 3)
        print(f"{name}: {medians[name]:.2f} s (median of {options.times} after the first)")
    if options.json:
        write_figures(
            options.json, "Start-up time", {name: {"seconds": taken} for name, taken in medians.items()}
        )
    print(json.dumps(medians))


if __name__ == "__main__":
    main()
