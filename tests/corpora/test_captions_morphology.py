"""German and English word forms against tables written by hand."""

from __future__ import annotations

import pytest

from s2s_lit.corpora.captions.lexicon import morphology_de as de
from s2s_lit.corpora.captions.lexicon import morphology_en as en
from s2s_lit.corpora.captions.lexicon.tables import load
from s2s_lit.corpora.captions.structures.noun_phrases import KEIN, NounPhrase

CASES = ("nom", "acc", "dat", "gen")

DEFINITE = """
der alte Mann      | die alte Frau   | das alte Haus      | die alten Häuser
den alten Mann     | die alte Frau   | das alte Haus      | die alten Häuser
dem alten Mann     | der alten Frau  | dem alten Haus     | den alten Häusern
des alten Mannes   | der alten Frau  | des alten Hauses   | der alten Häuser
"""
INDEFINITE = """
kein alter Mann    | keine alte Frau   | kein altes Haus      | keine alten Häuser
keinen alten Mann  | keine alte Frau   | kein altes Haus      | keine alten Häuser
keinem alten Mann  | keiner alten Frau | keinem alten Haus    | keinen alten Häusern
keines alten Mannes| keiner alten Frau | keines alten Hauses  | keiner alten Häuser
"""
NONE = """
alter Mann         | alte Frau       | altes Haus         | alte Häuser
alten Mann         | alte Frau       | altes Haus         | alte Häuser
altem Mann         | alter Frau      | altem Haus         | alten Häusern
alten Mannes       | alter Frau      | alten Hauses       | alter Häuser
"""
DEMONSTRATIVE = """
dieser alte Mann   | diese alte Frau   | dieses alte Haus     | diese alten Häuser
diesen alten Mann  | diese alte Frau   | dieses alte Haus     | diese alten Häuser
diesem alten Mann  | dieser alten Frau | diesem alten Haus    | diesen alten Häusern
dieses alten Mannes| dieser alten Frau | dieses alten Hauses  | dieser alten Häuser
"""


def noun(english: str):
    return next(noun for noun in load().nouns if noun.en == english)


def adjective(english: str):
    return next(adjective for adjective in load().adjectives if adjective.en == english)


@pytest.mark.parametrize(
    ("table", "key"), [(DEFINITE, "the"), (INDEFINITE, "kein"), (NONE, ""), (DEMONSTRATIVE, "this")]
)
def test_adjective_endings_by_gender_number_case_and_determiner(table, key):
    determiner = {"": None, "kein": KEIN}.get(key) if key in ("", "kein") else load().determiners[key]
    for case, line in zip(CASES, table.strip().splitlines(), strict=True):
        for (name, plural), expected in zip(
            (("man", False), ("woman", False), ("house", False), ("house", True)), line.split("|"), strict=True
        ):
            phrase = NounPhrase(noun(name), determiner, plural, (adjective("old"),))
            assert " ".join(phrase.german(case)) == expected.strip()


@pytest.mark.parametrize(
    ("english", "singular", "plural"),
    [
        ("boy", "Junge Jungen Jungen Jungen", "Jungen Jungen Jungen Jungen"),
        ("lion", "Löwe Löwen Löwen Löwen", "Löwen Löwen Löwen Löwen"),
        ("child", "Kind Kind Kind Kindes", "Kinder Kinder Kindern Kinder"),
        ("car", "Auto Auto Auto Autos", "Autos Autos Autos Autos"),
        ("teacher", "Lehrer Lehrer Lehrer Lehrers", "Lehrer Lehrer Lehrern Lehrer"),
        ("bus", "Bus Bus Bus Busses", "Busse Busse Bussen Busse"),
        ("castle", "Schloss Schloss Schloss Schlosses", "Schlösser Schlösser Schlössern Schlösser"),
        ("girl", "Mädchen Mädchen Mädchen Mädchens", "Mädchen Mädchen Mädchen Mädchen"),
        ("cat", "Katze Katze Katze Katze", "Katzen Katzen Katzen Katzen"),
    ],
)
def test_noun_declension(english, singular, plural):
    entry = noun(english)
    assert " ".join(entry.german(case, entry.gender) for case in CASES) == singular
    assert " ".join(entry.german(case, "p") for case in CASES) == plural


@pytest.mark.parametrize(
    ("english", "stem", "expected"),
    [
        ("expensive", "strong", "teurer"),
        ("dark", "strong", "dunkler"),
        ("tired", "strong", "müder"),
        ("tall", "strong", "hoher"),
        ("pink", "strong", "rosa"),
    ],
)
def test_adjective_stems(english, stem, expected):
    assert adjective(english).german(stem, "nom", "m") == expected


@pytest.mark.parametrize(
    ("english", "forms"),
    [
        ("pick up", "hebe hebt heben aufgehoben aufzuheben"),
        ("repair", "repariere repariert reparieren repariert zu reparieren"),
        ("open", "öffne öffnet öffnen geöffnet zu öffnen"),
        ("draw", "zeichne zeichnet zeichnen gezeichnet zu zeichnen"),
        ("wait for", "warte wartet warten gewartet zu warten"),
        ("live", "wohne wohnt wohnen gewohnt zu wohnen"),
        ("learn", "lerne lernt lernen gelernt zu lernen"),
        ("smile", "lächle lächelt lächeln gelächelt zu lächeln"),
        ("play", "spiele spielt spielen gespielt zu spielen"),
        ("hike", "wandere wandert wandern gewandert zu wandern"),
        ("prepare", "bereite bereitet bereiten vorbereitet vorzubereiten"),
        ("help", "helfe hilft helfen geholfen zu helfen"),
        ("tidy up", "räume räumt räumen aufgeräumt aufzuräumen"),
    ],
)
def test_german_verbs(english, forms):
    verb = next(verb for verb in load().verbs if verb.en == english)
    found = [*(verb.german(agreement) for agreement in ("1s", "3s", "3p")), verb.participle]
    assert " ".join([*found, de.zu_infinitive(verb.particle, verb.infinitive)]) == forms


@pytest.mark.parametrize(
    ("english", "forms"),
    [
        ("carry", "carries carrying carried carried"),
        ("lie", "lies lying lay lain"),
        ("run", "runs running ran run"),
        ("hug", "hugs hugging hugged hugged"),
        ("forget", "forgets forgetting forgot forgotten"),
        ("begin", "begins beginning began begun"),
        ("visit", "visits visiting visited visited"),
        ("open", "opens opening opened opened"),
        ("wash", "washes washing washed washed"),
        ("pick up", "picks up picking up picked up picked up"),
        ("draw", "draws drawing drew drawn"),
        ("repair", "repairs repairing repaired repaired"),
        ("play", "plays playing played played"),
    ],
)
def test_english_verbs(english, forms):
    verbs = [verb for verb in load().verbs if verb.en == english]
    verb = verbs[0]
    assert " ".join((verb.en_third, verb.en_ing, verb.en_past, verb.en_participle)) == forms


def test_english_articles_plurals_and_possessives():
    assert [en.indefinite_article(word) for word in ("apple", "uniform", "useful", "ugly", "dog", "umbrella")] == [
        "an", "a", "a", "an", "a", "an",
    ]  # fmt: skip
    plurals = {"man": "men", "baby": "babies", "boy": "boys", "church": "churches", "mouse": "mice", "wolf": "wolves"}
    assert {name: noun(name).en_plural for name in plurals} == plurals
    assert [en.possessive(*pair) for pair in (("boy", False), ("boys", True), ("men", True))] == [
        "boy's", "boys'", "men's",
    ]  # fmt: skip


def test_numbers():
    numbers = {
        2: ("two", "zwei"),
        12: ("twelve", "zwölf"),
        16: ("sixteen", "sechzehn"),
        17: ("seventeen", "siebzehn"),
        21: ("twenty-one", "einundzwanzig"),
        30: ("thirty", "dreißig"),
        76: ("seventy-six", "sechsundsiebzig"),
    }
    assert {n: (en.number(n), de.number(n)) for n in numbers} == numbers
    assert len({de.number(n) for n in range(2, 100)}) == len({en.number(n) for n in range(2, 100)}) == 98
