"""Phrases: each one abstract structure that can be said in English and, in a given case, in German.

`german(case)` returns the words; a relative clause stands apart in `german_tail()`, for it may move behind the verb.
"""

from __future__ import annotations

from dataclasses import dataclass

from s2s_lit.corpora.captions.lexicon import morphology_de as de
from s2s_lit.corpora.captions.lexicon.morphology_de import Agreement, Case
from s2s_lit.corpora.captions.lexicon.words import Adjective, Name


class Phrase:
    """What fills a place in a clause."""

    agreement = "3s"
    human = False

    def english(self, subject: bool = False) -> list[str]:
        raise NotImplementedError

    def german(self, case: Case) -> list[str]:
        raise NotImplementedError

    def german_tail(self) -> list[str]:
        return []

    def german_negated(self, case: Case) -> list[str] | None:
        """The phrase with 'kein', or None where the clause needs 'nicht'."""
        return None


@dataclass(eq=False)
class Fixed(Phrase):
    """A word or expression that does not change: adverbs, 'three days ago'."""

    en: str
    de: str

    def english(self, subject: bool = False) -> list[str]:
        return [self.en]

    def german(self, case: Case) -> list[str]:
        return [self.de]


@dataclass(eq=False)
class Pronoun(Phrase):
    """he / him: er, ihn, ihm."""

    subject: str
    object: str
    possessive: str
    person: str
    forms: dict[Case, str]

    @property
    def agreement(self) -> str:  # type: ignore[override]
        return self.person

    def english(self, subject: bool = False) -> list[str]:
        return [self.subject if subject else self.object]

    def german(self, case: Case) -> list[str]:
        return [self.forms[case]]


@dataclass(eq=False)
class Interrogative(Phrase):
    """who, what: wer, wen, wem, was; always in front."""

    en: str
    forms: dict[Case, str]

    def english(self, subject: bool = False) -> list[str]:
        return [self.en]

    def german(self, case: Case) -> list[str]:
        return [self.forms[case]]


WHO = Interrogative("who", {"nom": "wer", "acc": "wen", "dat": "wem"})
WHAT = Interrogative("what", {"nom": "was", "acc": "was"})


@dataclass(eq=False)
class RelativePronoun(Phrase):
    """Takes gender and number from its noun, its case from its own clause: der Mann, dem ich helfe."""

    antecedent: Agreement
    human: bool
    pied_piped: bool = False

    @property
    def agreement(self) -> str:  # type: ignore[override]
        return "3p" if self.antecedent == "p" else "3s"

    def english(self, subject: bool = False) -> list[str]:
        if not self.human:
            return ["which" if self.pied_piped else "that"]
        return ["who" if subject else "whom"]

    def german(self, case: Case) -> list[str]:
        return [de.RELATIVE[case][self.antecedent]]


@dataclass(eq=False)
class ProperName(Phrase):
    name: Name
    human = True

    def english(self, subject: bool = False) -> list[str]:
        return [self.name.en]

    def german(self, case: Case) -> list[str]:
        return [self.name.de]


@dataclass(eq=False)
class Coordination(Phrase):
    """the man and the woman."""

    first: Phrase
    second: Phrase
    agreement = "3p"

    def english(self, subject: bool = False) -> list[str]:
        return [*self.first.english(subject), "and", *self.second.english(subject)]

    def german(self, case: Case) -> list[str]:
        return [*self.first.german(case), "und", *self.second.german(case)]


@dataclass(eq=False)
class Predicate(Phrase):
    """The adjective after 'to be', without an ending; compared with `than` if given."""

    adjective: Adjective
    than: Phrase | None = None

    def english(self, subject: bool = False) -> list[str]:
        if self.than is None:
            return [self.adjective.en]
        return [self.adjective.comparative_en, "than", *self.than.english()]

    def german(self, case: Case) -> list[str]:
        if self.than is None:
            return [self.adjective.de]
        return [self.adjective.comparative_de, "als", *self.than.german("nom")]


def in_place(phrase: Phrase, case: de.Case) -> list[str]:
    """A phrase with its relative clause right behind it."""
    tail = phrase.german_tail()
    return [*phrase.german(case), ",", *tail, ","] if tail else phrase.german(case)
