from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def english(pairs: list[tuple[str, str]]) -> list[str]:
    return [text for text, _ in pairs]


@pytest.fixture(scope="session")
def german(pairs: list[tuple[str, str]]) -> list[str]:
    return [text for _, text in pairs]


@pytest.fixture(scope="session")
def texts(pairs: list[tuple[str, str]]) -> list[str]:
    """Both languages, one after the other in each pair."""
    return [text for pair in pairs for text in pair]


@pytest.fixture(scope="session")
def pairs() -> list[tuple[str, str]]:
    """Two hundred sentence pairs of a tiny language."""
    animals = [("dog", "Hund"), ("horse", "Pferd"), ("bird", "Vogel"), ("child", "Kind"), ("girl", "Mädchen")]
    doings = [("runs", "läuft"), ("sleeps", "schläft"), ("sings", "singt"), ("plays", "spielt")]
    places = [("in the garden", "im Garten"), ("at the lake", "am See"), ("here", "hier"), ("on the street", "draußen")]
    return [
        (f"Today, {n} {a}s: one {a} {d} {p}.", f"Heute, {n} mal {g}: {g} {e} {q}.")
        for n in (2, 3, 4) for a, g in animals for d, e in doings for p, q in places
    ]  # fmt: skip
