"""What is done to every line of text before anything else sees it."""

from __future__ import annotations

import unicodedata
from typing import Literal

_WIDTHLESS = str.maketrans("\u200b\ufeff", "  ")
Form = Literal["NFC", "NFKC"]
"""NFC composes letters; NFKC also replaces what only looks different: full-width letters, ligatures, superscripts."""


def normalize(text: str, form: Form = "NFC") -> str:
    """One Unicode form, every run of white space one space, none at the ends. Spaces without a width are white space.

    One composed form for each letter, or `ü` written in two ways would be two tokens and a mismatch for every metric.
    """
    return " ".join(unicodedata.normalize(form, text).translate(_WIDTHLESS).split())
