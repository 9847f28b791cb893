"""What sacrebleu's command line says of the same texts."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def command_line(
    test: str, folder: Path, references: Sequence[str], outputs: Mapping[str, Sequence[str]], samples: int
) -> dict[str, list[list[float]]]:
    """For each system's outputs: of BLEU, chrF and TER the numbers in the order in which they are printed.

    These are the score, for `bs` mean and margin of its interval, and for all but the first system p. They are read
    from a LaTeX table: its JSON fails on NumPy's numbers.

    Args:
        test: `bs` (paired bootstrap) or `ar` (approximate randomization).
        folder: Where the texts are written for it.
    """
    for name, lines in {"ref": references, **outputs}.items():
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", "ref", "-i", *outputs, "-m", "bleu", "chrf", "ter", "-w", "10"]
    command += [f"--paired-{test}", f"--paired-{test}-n", str(samples), "-f", "latex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    cells = [line.split("&") for line in done.stdout.splitlines() if line.rstrip().endswith("\\\\")]
    rows = {row[0].replace("Baseline:", "").strip(): row[1:] for row in cells}
    return {name: [[float(n) for n in re.findall(r"\d+\.\d+", cell)] for cell in rows[name]] for name in outputs}
