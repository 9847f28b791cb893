"""The lexicon: typed entries read from the tables in `entries/`.

Entries compare by identity, so they are cheap keys of the caches below.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files

from s2s_lit.data.builtin import morphology_de as de
from s2s_lit.data.builtin import morphology_en as en
from s2s_lit.data.builtin.morphology_de import Agreement, Case

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


def _rows(table: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath("entries", f"{table}.tsv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def _noun(row: dict[str, str]) -> Noun:
    flags = row["flags"].split()
    genitive = next((flag.removeprefix("gen=") for flag in flags if flag.startswith("gen=")), "")
    location = tuple(row["location"].split())
    return Noun(
        en=row["en"],
        en_plural=row["en_plural"] or en.with_s(row["en"]),
        de=row["de"],
        gender=row["gender"],
        de_plural=row["de_plural"],
        kind=row["kind"],
        tags=frozenset([row["kind"], row["en"], *row["tags"].split()]),
        weak="weak" in flags,
        mass="mass" in flags,
        genitive=genitive,
        location=(location[0], location[1]) if location else None,
    )


def _compound(row: dict[str, str], head: Noun) -> Noun:
    kind = row["kind"] or head.kind
    tags = frozenset([kind]) if row["kind"] else head.tags - {head.en}
    genitive = head.genitive and de.compound(row["de"], head.genitive)
    return replace(
        head,
        en=f"{row['en']} {head.en}",
        en_plural=f"{row['en']} {head.en_plural}",
        de=de.compound(row["de"], head.de),
        de_plural=head.de_plural and de.compound(row["de"], head.de_plural),
        genitive=genitive,
        kind=kind,
        tags=tags,
    )


def _verb(row: dict[str, str]) -> Verb:
    bare = row["de"].removeprefix("sich ")
    particle, _, infinitive = bare.rpartition("+")
    past = row["en_past"] or en.on_first_word(en.with_ed, row["en"])
    return Verb(
        en=row["en"],
        en_third=en.on_first_word(en.with_s, row["en"]),
        en_ing=en.on_first_word(en.with_ing, row["en"]),
        en_past=past,
        en_participle=row["en_participle"] or past,
        infinitive=infinitive,
        third=row["de_3sg"] or de.third_person(infinitive),
        participle=row["participle"] or de.participle(particle, infinitive),
        particle=particle,
        reflexive=bare != row["de"],
        auxiliary=row["auxiliary"] or "haben",
        frame=row["frame"],
        subjects=tuple(row["subjects"].split()),
        objects=tuple(row["objects"].split()),
        prepositions=tuple(row["prepositions"].split()),
        manners=frozenset(row["manners"].split()),
        flags=frozenset(row["flags"].split()),
    )


def _adjective(row: dict[str, str]) -> Adjective:
    stem = row["stem"] or row["de"]
    kinds = frozenset(row["kinds"].split())
    return Adjective(row["en"], row["de"], stem, row["comparative_en"], row["comparative_de"], int(row["rank"]), kinds)


def _modal(row: dict[str, str]) -> Modal:
    forms = {key: value for key, value in row.items() if key not in ("auxiliary", "negatable")}
    return Modal(auxiliary=row["auxiliary"] == "yes", negatable=row["negatable"] == "yes", **forms)


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
    def verbs_for(self, noun: Noun, frame: str, role: str) -> tuple[Verb, ...]:
        """The verbs of a frame that take the noun in the role: subjects or objects."""
        return tuple(verb for verb in self.frames[frame] if noun.tags & set(getattr(verb, role)))

    @cache  # noqa: B019
    def adverbs_for(self, kind: str, groups: frozenset[str]) -> tuple[Adverb, ...]:
        return tuple(a for a in self.adverbs if a.kind == kind and (not a.groups or a.groups & groups))


@cache
def load() -> Lexicon:
    """Reads the tables once per process."""
    nouns = [_noun(row) for row in _rows("nouns")]
    heads = {noun.en: noun for noun in nouns}
    return Lexicon(
        nouns=tuple(nouns),
        compounds=tuple(_compound(row, heads[name]) for row in _rows("compounds") for name in row["heads"].split()),
        names=tuple(Name(**row) for row in _rows("names")),
        verbs=tuple(_verb(row) for row in _rows("verbs")),
        adjectives=tuple(_adjective(row) for row in _rows("adjectives")),
        adverbs=tuple(
            Adverb(row["en"], row["de"], row["kind"], frozenset(row["groups"].split())) for row in _rows("adverbs")
        ),
        determiners={row["key"]: Determiner(**row) for row in _rows("determiners")},
        prepositions={
            row["key"]: Preposition(row["key"], row["en"], row["de"], row["case"], tuple(row["objects"].split()))
            for row in _rows("prepositions")
        },
        pronouns={row["subject"]: row for row in _rows("pronouns")},
        modals=tuple(_modal(row) for row in _rows("modals")),
        conjunctions=tuple(Conjunction(**row) for row in _rows("conjunctions")),
        measures={
            heads[row["content"]]: tuple(heads[name] for name in row["measures"].split()) for row in _rows("measures")
        },
    )
