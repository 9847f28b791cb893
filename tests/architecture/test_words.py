"""What belongs to one task stays in its own rooms: no other file names translation, its metrics or a language."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2] / "s2s_lit"
ROOMS = ("tasks", "metrics", "corpora")
"""Rooms that may name them."""
NAMED = ("cli/translate.py", "cli/generate.py", "cli/arguments.py", "cli/evaluate.py", "__main__.py")
"""Files of the command line that name verbs."""
FORMATS = ("data/sources/readers/tmx.py", "data/sources/headers.py", "tracking/records/provenance.py")
"""Where a file format is the translators' own, and columns or packages are called so."""
WORDS = re.compile(
    r"\b(translat\w*|bleu|chrf|\bter\b|english|german|french|deutsch|multi30k|sacrebleu)\b", re.IGNORECASE
)
LIBRARY = re.compile(r"str\.translate|\.translate\(|sacrebleu\.|SACREBLEU_SEED")
"""Python's own method, and the library by its name."""


def test_only_tasks_metrics_and_corpora_name_translation() -> None:
    found = []
    for file in sorted([*ROOT.rglob("*.py"), *ROOT.rglob("*.j2")]):
        name = file.relative_to(ROOT).as_posix()
        if name.startswith(ROOMS) or name in NAMED + FORMATS:
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if word := WORDS.search(LIBRARY.sub("", line)):
                found.append(f"{name}:{number}: {word[0]}: {line.strip()}")
    assert not found, "\n".join(found)
