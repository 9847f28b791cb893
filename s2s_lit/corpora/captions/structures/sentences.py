"""Subordinate and infinitive clauses, and whole sentences with their punctuation."""

from __future__ import annotations

from dataclasses import dataclass

from s2s_lit.corpora.captions.lexicon.words import Conjunction
from s2s_lit.corpora.captions.structures.clauses import Clause


@dataclass(slots=True, eq=False)
class Subordinate:
    """A conjunction and a clause: because he is tired, weil er müde ist."""

    conjunction: Conjunction
    clause: Clause

    def english(self) -> list[str]:
        return [self.conjunction.en, *self.clause.english_embedded()]

    def german(self) -> list[str]:
        return [",", self.conjunction.de, *self.clause.german_final(), ","]


@dataclass(slots=True, eq=False)
class InfinitiveClause:
    """to open the door: die Tür zu öffnen; with a `purpose`, in order to: um ... zu."""

    clause: Clause
    purpose: bool = False

    def english(self) -> list[str]:
        words = self.clause.english_infinitive()
        return ["in order", *words] if self.purpose else words

    def german(self) -> list[str]:
        words = self.clause.german_infinitive()
        return [",", "um", *words, ","] if self.purpose else [",", *words, ","]


@dataclass(slots=True, eq=False)
class Sentence:
    """One or two clauses; with `shared` the second has the first's subject: öffnet die Tür und geht ins Haus."""

    first: Clause
    second: Clause | None = None
    conjunction: str = "and"
    shared: bool = False

    def texts(self) -> tuple[str, str]:
        english, german = self.first.english(), self.first.german()
        if self.second is not None:
            comma = [","] if self.conjunction == "but" else []
            joined = self.second.english_shared() if self.shared else self.second.english()
            english += [*comma, self.conjunction, *joined]
            german += [*comma, "aber"] if comma else ["und"]
            german += self.second.german_shared() if self.shared else self.second.german()
        end = "?" if self.first.question else "."
        return punctuate(english, end), punctuate(german, end)


def punctuate(words: list[str], end: str) -> str:
    """Joins the words; of neighbouring commas and of a comma before the end one mark remains."""
    text = ""
    pending = False
    for word in words:
        if word == ",":
            pending = True
            continue
        text += (", " if pending else " ") + word if text else word
        pending = False
    return text[0].upper() + text[1:] + end
