"""What happened to each row of a split."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from s2s_lit.errors import UserError

_COUNTERS = ("dropped", "malformed", "tokens", "unknown")


@dataclass
class SplitReport:
    """What was read of a split, what was kept, and why the rest was not."""

    rows: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """Examples that training does without, by the reason that a filter or a limit gave."""
    malformed: Counter[str] = field(default_factory=Counter)
    """Rows that are no examples, by what is wrong with them."""
    tokens: Counter[str] = field(default_factory=Counter)
    """Of the examples that were kept, by field."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Those of them that are UNK."""
    _digests: int = 0

    def read(self, texts: Iterable[str]) -> None:
        """Adds an example's texts to the fingerprint: a sum, so that the order of reading does not matter."""
        digest = hashlib.sha256("\n".join(texts).encode(errors="surrogatepass")).digest()
        self._digests += int.from_bytes(digest)

    def encoded(self, field: str, tokens: int, unknown: int) -> None:
        """Counts the tokens of a field, and those of them that its vocabulary lacks."""
        self.tokens[field] += tokens
        self.unknown[field] += unknown

    def add(self, other: SplitReport) -> None:
        """Counts what another part of the split's rows gave, too."""
        self.rows += other.rows
        self.kept += other.kept
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        self._digests += other._digests

    def require_examples(self) -> None:
        """Raises a UserError if no example of a training split is left."""
        if not self.kept:
            lost = self.dropped + self.malformed
            dropped = ", ".join(f"{count} {reason}" for reason, count in lost.items()) or "none dropped"
            raise UserError(
                f"no example to train on is left of the {self.rows} rows of the training split ({dropped}): look at "
                "data.columns and data.filters, and raise the max_length of data.fields"
            )

    @property
    def fingerprint(self) -> str:
        """Of all texts that were read, whatever their order."""
        return f"{self._digests % 2**256:064x}"

    def unknown_fraction(self, field: str) -> float:
        """The fraction of the field's tokens that the vocabulary lacks."""
        return self.unknown[field] / max(self.tokens[field], 1)

    def state(self) -> dict[str, Any]:
        """All of it as plain values, for a checkpoint."""
        counters = {name: dict(getattr(self, name)) for name in _COUNTERS}
        return {"rows": self.rows, "kept": self.kept, "digests": f"{self._digests:x}", **counters}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> SplitReport:
        counters = {name: Counter(state[name]) for name in _COUNTERS}
        return cls(rows=state["rows"], kept=state["kept"], _digests=int(state["digests"], 16), **counters)

    def as_dict(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "kept": self.kept,
            "dropped": dict(self.dropped),
            "malformed": dict(self.malformed),
            "unknown": {name: self.unknown_fraction(name) for name in self.tokens},
            "fingerprint": self.fingerprint,
        }
