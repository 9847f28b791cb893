"""What is done to every line of text before anything else sees it."""

from __future__ import annotations

import unicodedata
from typing import Literal

Form = Literal["NFC", "NFKC"]
"""NFC composes letters; NFKC also replaces what only looks different: full-width letters, ligatures, superscripts."""


def normalize(text: str, form: Form = "NFC") -> str:
    """One Unicode form, every run of white space one space, none at the ends.

    One composed form for each letter, or `ü` written in two ways would be two pieces and a mismatch for every metric.
    """
    return " ".join(unicodedata.normalize(form, text).split())
