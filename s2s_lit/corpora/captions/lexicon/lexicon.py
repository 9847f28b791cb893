"""The lexicon: entries, and the questions the grammar asks of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

from s2s_lit.corpora.captions.lexicon.words import (
    Adjective,
    Adverb,
    Conjunction,
    Determiner,
    Modal,
    Name,
    Noun,
    Preposition,
    Verb,
)

_DOINGS = ("activity", "posture", "motion", "transitive", "dative", "ditransitive", "put", "prepositional")


@dataclass(frozen=True, eq=False)
class Lexicon:
    nouns: tuple[Noun, ...]
    compounds: tuple[Noun, ...]
    names: tuple[Name, ...]
    verbs: tuple[Verb, ...]
    adjectives: tuple[Adjective, ...]
    adverbs: tuple[Adverb, ...]
    determiners: dict[str, Determiner]
    prepositions: dict[str, Preposition]
    pronouns: dict[str, dict[str, str]]
    modals: tuple[Modal, ...]
    conjunctions: tuple[Conjunction, ...]
    measures: dict[Noun, tuple[Noun, ...]]

    @cached_property
    def people(self) -> tuple[Name, ...]:
        return tuple(name for name in self.names if name.kind in ("f", "m"))

    @cached_property
    def cities(self) -> tuple[Name, ...]:
        return tuple(name for name in self.names if name.kind == "city")

    @cached_property
    def located(self) -> tuple[Noun, ...]:
        """The nouns that say where something goes on."""
        return tuple(noun for noun in self.nouns if noun.location)

    @cached_property
    def be(self) -> Verb:
        return next(verb for verb in self.verbs if verb.frame == "copula")

    @cached_property
    def frames(self) -> dict[str, tuple[Verb, ...]]:
        """The verbs of each frame."""
        return {frame: tuple(v for v in self.verbs if v.frame == frame) for frame in {v.frame for v in self.verbs}}

    @cached_property
    def unmistakable(self) -> tuple[Verb, ...]:
        """The transitive verbs that English tells apart without their object; 'put on' is anziehen or aufsetzen."""
        transitive = self.frames["transitive"]
        names = [(verb.en, verb.subjects) for verb in transitive]
        return tuple(verb for verb in transitive if names.count((verb.en, verb.subjects)) == 1)

    @cache  # noqa: B019 - there is one lexicon
    def select(self, selectors: tuple[str, ...]) -> tuple[Noun, ...]:
        """The nouns, compounds included, that carry any of the tags."""
        wanted = set(selectors)
        return tuple(noun for noun in self.nouns + self.compounds if noun.tags & wanted)

    @cache  # noqa: B019
    def adjectives_for(self, noun: Noun) -> tuple[Adjective, ...]:
        """The adjectives of the noun's kinds; '-boy' among an adjective's kinds keeps it away from the boy."""
        barred = {f"-{tag}" for tag in noun.tags}
        return tuple(a for a in self.adjectives if a.kinds & noun.tags and not a.kinds & barred)

    @cache  # noqa: B019
    def nouns_with(self, adjective: Adjective) -> tuple[Noun, ...]:
        return tuple(noun for noun in self.nouns if adjective in self.adjectives_for(noun))

    @cache  # noqa: B019
    def verbs_for(self, noun: Noun, frame: str, role: str) -> tuple[Verb, ...]:
        """The verbs of a frame that take the noun in the role: subjects or objects."""
        return tuple(verb for verb in self.frames[frame] if noun.tags & set(getattr(verb, role)))

    @cache  # noqa: B019
    def companions(self, verb: Verb) -> tuple[Verb, ...]:
        """Other doings of the same subjects, whose present tense English shows: sings and dances."""
        verbs = [other for frame in _DOINGS for other in self.frames[frame] if other.subjects == verb.subjects]
        return tuple(v for v in verbs if v is not verb and "simple" not in v.flags and not v.present_like_past)

    @cache  # noqa: B019
    def adverbs_for(self, kind: str, groups: frozenset[str]) -> tuple[Adverb, ...]:
        return tuple(a for a in self.adverbs if a.kind == kind and (not a.groups or a.groups & groups))
