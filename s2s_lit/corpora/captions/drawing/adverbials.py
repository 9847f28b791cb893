"""Draws adverbials: how, when, why, where, where to."""

from __future__ import annotations

from collections.abc import Sequence

from s2s_lit.corpora.captions.drawing.nominals import Frame, Nominals
from s2s_lit.corpora.captions.lexicon import morphology_de as de
from s2s_lit.corpora.captions.lexicon import morphology_en as en
from s2s_lit.corpora.captions.lexicon.words import Verb
from s2s_lit.corpora.captions.structures.noun_phrases import NounPhrase, PrepositionalPhrase
from s2s_lit.corpora.captions.structures.phrases import Fixed, Phrase, ProperName

_PLACE = (("the", 0.72), ("a", 0.14), ("possessive", 0.08), ("of", 0.06))


class Adverbials:
    def __init__(self, nominals: Nominals) -> None:
        self.nominals = nominals
        self.lexicon = nominals.lexicon
        self.choose = nominals.choose

    def adverb(self, kind: str, groups: frozenset[str]) -> Fixed | None:
        candidates = self.lexicon.adverbs_for(kind, groups)
        if not candidates:
            return None
        adverb = self.choose.pick(candidates)
        return Fixed(adverb.en, adverb.de)

    def manner(self, verb: Verb, subject: Phrase, frame: Frame) -> Phrase | None:
        """How, or in whose company. Not in negated clauses, where it would draw the negation upon itself."""
        if frame.negated or not verb.manners:
            return None
        if "company" in verb.manners and self.choose.chance(0.4):
            preposition = self.lexicon.prepositions[self.choose.weighted((("with", 0.75), ("without", 0.25)))]
            return PrepositionalPhrase.of(preposition, self.nominals.object(("person",), frame, subject))
        unwilled = {"gladly"} if frame.modal or frame.tense == "infinitive" else set()
        return self.adverb("manner", verb.manners - unwilled)

    def frequency(self, frame: Frame, *, negatable: bool) -> Fixed | None:
        """How often, or whether already; 'never' only where the clause could be negated."""
        adverb = self.adverb("frequency", frozenset([frame.tense]))
        return None if adverb is not None and adverb.en == "never" and not negatable else adverb

    def time(self, frame: Frame) -> Phrase | None:
        """When, or why: an expression, 'three days ago', 'after the concert', 'because of the rain'."""
        kind = self.choose.weighted((("word", 0.66), ("count", 0.16), ("event", 0.18)))
        if kind == "count" and frame.group in ("past", "future", "present"):
            return self._counted(frame.group)
        return self._event(frame.group) if kind == "event" else self._expression(frame)

    def _expression(self, frame: Frame) -> Fixed | None:
        """now, on Monday; 'every day' only where nothing is denied, for 'not every day' is something else."""
        groups = {frame.group} | ({"habit"} if frame.group == "present" and not frame.negated else set())
        return self.adverb("time", frozenset(groups))

    def _counted(self, tense: str) -> Fixed:
        """three days ago, in three days, at three o'clock."""
        if tense == "present" or self.choose.chance(0.3):
            hour = self.choose.pick(range(2, 13))
            return Fixed(f"at {en.number(hour)} o'clock", f"um {de.number(hour)} Uhr")
        unit = self.choose.pick(self.lexicon.select(("time",)))
        number = self.choose.pick(range(2, 25))
        english = f"{en.number(number)} {unit.en_plural}"
        german = f"{de.number(number)} {unit.german('dat', 'p')}"
        return Fixed(f"{english} ago", f"vor {german}") if tense == "past" else Fixed(f"in {english}", f"in {german}")

    def _event(self, tense: str) -> Phrase:
        keys = ["because_of"]
        if tense in ("past", "future"):
            keys += ["after", "before"]
        if tense in ("past", "progressive", "present"):
            keys.append("during")
        preposition = self.lexicon.prepositions[self.choose.pick(keys)]
        noun = self.choose.pick(self.lexicon.select(preposition.objects))
        phrase = NounPhrase(noun, self.lexicon.determiners["the"], adjectives=self.nominals.adjectives(noun))
        return PrepositionalPhrase.of(preposition, phrase)

    def place(self, frame: Frame) -> Phrase:
        """Where something goes on: an adverb, or the noun's own preposition (at the market, auf dem Markt)."""
        adverb = self.adverb("place", frozenset()) if self.choose.chance(0.15) else None
        if adverb is not None:
            return adverb
        noun = self.choose.pick(self.lexicon.located)
        assert noun.location is not None
        phrase = NounPhrase(noun, adjectives=self.nominals.adjectives(noun))
        self.nominals.determine(phrase, self.choose.weighted(_PLACE), frame.own)
        return PrepositionalPhrase(*noun.location, "dat", phrase)

    def governed(self, keys: Sequence[str], frame: Frame, case: de.Case) -> PrepositionalPhrase:
        """A place or direction that the verb demands; `case` decides for prepositions of two cases."""
        preposition = self.lexicon.prepositions[self.choose.pick(keys)]
        if preposition.objects == ("city_name",):
            return PrepositionalPhrase.of(preposition, ProperName(self.choose.pick(self.lexicon.cities)))
        plural = False if self.choose.chance(0.92) else None
        phrase = self.nominals.noun_phrase(preposition.objects, own=frame.own, plural=plural)
        return PrepositionalPhrase.of(preposition, phrase, case)
