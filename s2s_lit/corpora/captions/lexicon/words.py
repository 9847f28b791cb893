"""The kinds of entries of the lexicon.

Entries compare by identity, so they are cheap keys of caches.
"""

from __future__ import annotations

from dataclasses import dataclass

from s2s_lit.corpora.captions.lexicon import morphology_de as de
from s2s_lit.corpora.captions.lexicon.morphology_de import Agreement, Case

_OWNED = frozenset(
    ("thing", "clothing", "readable", "text", "instrument", "appliance", "furniture", "room", "vehicle", "food")
)


@dataclass(frozen=True, eq=False, slots=True)
class Noun:
    """`tags` are the noun's kind (person, food, ...), what one can do with it (openable, ...) and its English name.

    `location` is the pair of prepositions that places something there, as "at auf" for the market.
    """

    en: str
    en_plural: str
    de: str
    gender: str
    de_plural: str
    kind: str
    tags: frozenset[str]
    weak: bool = False
    mass: bool = False
    genitive: str = ""
    location: tuple[str, str] | None = None

    @property
    def ownable(self) -> bool:
        """What somebody may call his own: things, rooms, relatives, pets; not strangers, rain or rivers."""
        return "own" in self.tags or self.kind in _OWNED

    def german(self, case: Case, agreement: Agreement) -> str:
        return de.noun(self.de, self.de_plural, case, agreement, weak=self.weak, genitive=self.genitive)


@dataclass(frozen=True, eq=False, slots=True)
class Name:
    """A proper name: `kind` is f, m or city."""

    en: str
    de: str
    kind: str


@dataclass(frozen=True, eq=False, slots=True)
class Adjective:
    """`stem` takes the endings (teuer, teur-e); `rank` orders adjectives: quality, size, state, age, colour."""

    en: str
    de: str
    stem: str
    comparative_en: str
    comparative_de: str
    rank: int
    kinds: frozenset[str]

    def german(self, inflection: str, case: Case, agreement: Agreement) -> str:
        if self.stem.endswith("a"):  # rosa and lila have no endings
            return self.stem
        return self.stem + de.adjective_ending(inflection, case, agreement)


@dataclass(frozen=True, eq=False, slots=True)
class Adverb:
    """`kind`: manner, frequency, time, sentence or place; `groups`: the tenses or the verbs' manners it goes with."""

    en: str
    de: str
    kind: str
    groups: frozenset[str]


@dataclass(frozen=True, eq=False, slots=True)
class Determiner:
    """An article word: German stem, way of inflection (definite, der, ein, strong), and the numbers it goes with."""

    key: str
    en: str
    de: str
    inflection: str
    plural: str


@dataclass(frozen=True, eq=False, slots=True)
class Preposition:
    """`case` is what it governs; "two": accusative for a direction, dative for a place. `objects` are noun tags."""

    key: str
    en: str
    de: str
    case: str
    objects: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Verb:
    """English forms, German forms (`infinitive` without the separable `particle`), and the frame it selects.

    `frame`: activity, posture, motion, transitive, dative, ditransitive, put, prepositional, that, infinitive.
    """

    en: str
    en_third: str
    en_ing: str
    en_past: str
    en_participle: str
    infinitive: str
    third: str
    participle: str
    particle: str
    reflexive: bool
    auxiliary: str
    frame: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...]
    prepositions: tuple[str, ...]
    manners: frozenset[str]
    flags: frozenset[str]

    @property
    def present_like_past(self) -> bool:
        """Whether 'they read' may be either tense: English does not tell, so German could not be derived."""
        return self.en == self.en_past

    def german(self, agreement: str) -> str:
        """The finite form in the present, without the particle."""
        if agreement == "1s":
            return de.first_person(self.infinitive, self.third)
        return self.third if agreement == "3s" else self.infinitive


@dataclass(frozen=True, eq=False, slots=True)
class Modal:
    """`auxiliary`: whether English 'not' and questions do without 'do'. The first person is the third in German."""

    en: str
    third: str
    past: str
    auxiliary: bool
    negatable: bool
    de_singular: str
    de_plural: str
    de_past_singular: str
    de_past_plural: str

    def german(self, agreement: str, past: bool) -> str:
        if agreement.endswith("s"):
            return self.de_past_singular if past else self.de_singular
        return self.de_past_plural if past else self.de_plural


@dataclass(frozen=True, eq=False, slots=True)
class Conjunction:
    """`tenses`: the tense it asks for, as 'when' is 'als' in the past and 'wenn' else; or any."""

    en: str
    de: str
    tenses: str = "any"
