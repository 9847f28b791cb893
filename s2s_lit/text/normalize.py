"""What is done to every line of text before anything else sees it."""

from __future__ import annotations

import unicodedata


def normalize(text: str) -> str:
    """Unicode NFC, every run of white space one space, none at the ends.

    One composed form for each letter, or `ü` written in two ways would be two pieces and a mismatch for every metric.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())
