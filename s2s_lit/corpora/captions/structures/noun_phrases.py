"""Noun phrases and the prepositional phrases that govern their case."""

from __future__ import annotations

from dataclasses import dataclass

from s2s_lit.corpora.captions.lexicon import morphology_de as de
from s2s_lit.corpora.captions.lexicon import morphology_en as en
from s2s_lit.corpora.captions.lexicon.morphology_de import Agreement, Case
from s2s_lit.corpora.captions.lexicon.words import Adjective, Determiner, Noun, Preposition
from s2s_lit.corpora.captions.structures.clauses import Clause
from s2s_lit.corpora.captions.structures.phrases import Phrase, ProperName, RelativePronoun

KEIN = Determiner("no", "no", "kein", "ein", "both")


@dataclass(eq=False)
class NounPhrase(Phrase):
    """[determiner | possessor] [number] adjectives noun [of content] [relative clause].

    A possessor stands in front in English; in German a name (Annas) and a relative pronoun (dessen) do too, while a
    noun phrase follows in the genitive: the man's hat, der Hut des Mannes.
    """

    noun: Noun
    determiner: Determiner | None = None
    plural: bool = False
    adjectives: tuple[Adjective, ...] = ()
    number: int = 0
    possessor: Phrase | None = None
    content: Noun | None = None
    relative: Clause | None = None

    @property
    def gender(self) -> Agreement:
        return "p" if self.plural else self.noun.gender

    @property
    def agreement(self) -> str:  # type: ignore[override]
        return "3p" if self.plural else "3s"

    @property
    def human(self) -> bool:  # type: ignore[override]
        return self.noun.kind in ("person", "infant")

    @property
    def indefinite(self) -> bool:
        """a dog, dogs, water: what 'kein' negates."""
        bare = self.determiner is None or self.determiner.key == "a"
        return bare and not self.number and self.possessor is None

    @property
    def counted(self) -> bool:
        """three dogs, many dogs."""
        return bool(self.number) or (self.determiner is not None and self.determiner.inflection == "strong")

    def english(self, subject: bool = False) -> list[str]:
        words = [adjective.en for adjective in self.adjectives]
        words.append(self.noun.en_plural if self.plural else self.noun.en)
        if self.number:
            words.insert(0, en.number(self.number))
        if self.possessor is not None:
            words = self._english_possessor() + words
        elif self.determiner is not None:
            key = self.determiner.key
            words.insert(0, en.indefinite_article(words[0]) if key == "a" else self.determiner.en)
        if self.content is not None:
            words += ["of", self.content.en]
        if self.relative is not None:
            words += self.relative.english_relative()
        return words

    def _english_possessor(self) -> list[str]:
        if isinstance(self.possessor, RelativePronoun):
            return ["whose"]
        assert self.possessor is not None
        words = self.possessor.english()
        return [*words[:-1], en.possessive(words[-1], self.possessor.agreement == "3p")]

    def german(self, case: Case) -> list[str]:
        return self._german(case, self.determiner)

    def german_negated(self, case: Case) -> list[str] | None:
        return self._german(case, KEIN) if self.indefinite else None

    def _german(self, case: Case, determiner: Determiner | None) -> list[str]:
        front, genitive = self._german_possessor()
        inflection = "definite" if genitive else "strong"
        if genitive:
            front = [de.DEFINITE[case][self.gender]]
        elif not front and determiner is not None:
            inflection = determiner.inflection
            front = [de.determiner(determiner.de, inflection, case, self.gender)]
        words = front
        if self.number:
            words.append(de.number(self.number))
        words += [adjective.german(inflection, case, self.gender) for adjective in self.adjectives]
        words.append(self.noun.german(case, self.gender))
        if self.content is not None:
            words.append(self.content.de)
        return words + genitive

    def _german_possessor(self) -> tuple[list[str], list[str]]:
        """What stands before the noun and what follows in the genitive."""
        possessor = self.possessor
        if possessor is None:
            return [], []
        if isinstance(possessor, ProperName):
            return [possessor.name.de + "s"], []
        if isinstance(possessor, RelativePronoun):
            return possessor.german("gen"), []
        return [], possessor.german("gen")

    def german_tail(self) -> list[str]:
        return [] if self.relative is None else self.relative.german_final()


@dataclass(eq=False)
class PrepositionalPhrase(Phrase):
    """A preposition and what it governs in `case`; `english_word` may be empty where the English verb needs none."""

    en: str
    de: str
    case: Case
    object: Phrase

    @classmethod
    def of(cls, preposition: Preposition, object: Phrase, case: Case = "dat") -> PrepositionalPhrase:
        """`case` decides for the prepositions of two cases."""
        governed = case if preposition.case == "two" else preposition.case
        return cls(preposition.en, preposition.de, governed, object)

    def english(self, subject: bool = False) -> list[str]:
        return [self.en, *self.object.english()] if self.en else self.object.english()

    def german(self, case: Case) -> list[str]:
        words = self.object.german(self.case)
        # im, zur, ...: not before a noun that a relative clause picks out (in dem Haus, das alt ist)
        if isinstance(self.object, NounPhrase) and self.object.relative is None:
            contracted = de.CONTRACTIONS.get((self.de, words[0]))
            if contracted:
                return [contracted, *words[1:]]
        return [self.de, *words]

    def german_tail(self) -> list[str]:
        return self.object.german_tail()
