"""Reads the lexicon from the tables in `entries/`: tab-separated, one entry a line, derived forms left empty."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache
from importlib.resources import files

from s2s_lit.corpora.captions.lexicon import morphology_de as de
from s2s_lit.corpora.captions.lexicon import morphology_en as en
from s2s_lit.corpora.captions.lexicon.lexicon import Lexicon
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
