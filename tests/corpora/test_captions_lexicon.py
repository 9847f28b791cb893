"""The lexicon's tables: large enough, complete, and of one mind."""

from __future__ import annotations

from collections import Counter

from s2s_lit.corpora.captions.lexicon.tables import load

FRAMES = {
    "activity", "posture", "motion", "transitive", "dative", "ditransitive", "put", "prepositional", "that",
    "infinitive", "copula",
}  # fmt: skip


def test_at_least_400_open_class_entries_without_the_compounds():
    lexicon = load()
    assert len(lexicon.nouns) >= 250
    assert len(lexicon.verbs) >= 140
    assert len(lexicon.adjectives) >= 80
    assert len(lexicon.adverbs) >= 70
    entries = [(type(e).__name__, e.en) for e in lexicon.nouns + lexicon.verbs + lexicon.adjectives + lexicon.adverbs]
    assert len(set(entries)) >= 400


def test_nouns_are_complete():
    for noun in load().nouns + load().compounds:
        assert noun.gender in ("m", "f", "n"), noun.en
        assert noun.de[0].isupper(), noun.en
        assert noun.mass == (not noun.de_plural), noun.en
        if noun.weak:
            assert noun.gender == "m", noun.en
            assert noun.de_plural.endswith("n"), noun.en
        assert noun.location is None or len(noun.location) == 2, noun.en


def test_compounds_inherit_gender_and_plural_from_their_head():
    heads = {noun.en: noun for noun in load().nouns}
    for compound in load().compounds:
        head = heads[compound.en.split(" ", 1)[1]]
        assert compound.gender == head.gender
        assert compound.de.endswith(head.de.lower())
        assert compound.de_plural.endswith(head.de_plural.lower())
    assert {c.en: c.de for c in load().compounds}["kitchen table"] == "Küchentisch"


def test_an_english_noun_or_adjective_has_one_german():
    for entries in (load().nouns + load().compounds, load().adjectives, load().adverbs):
        counts = Counter(entry.en for entry in entries)
        assert [en for en, count in counts.items() if count > 1] == []


def test_verbs_of_one_name_differ_in_frame_subject_or_objects():
    by_name: dict[tuple[str, str], list] = {}
    for verb in load().verbs:
        by_name.setdefault((verb.en, verb.frame), []).append(verb)
    for verbs in by_name.values():
        for first, second in ((a, b) for a in verbs for b in verbs if a is not b and a.infinitive != b.infinitive):
            objects = set(load().select(first.objects)) & set(load().select(second.objects))
            subjects = set(load().select(first.subjects)) & set(load().select(second.subjects))
            assert not (objects and subjects), first.en


def test_verbs_are_complete():
    lexicon = load()
    for verb in lexicon.verbs:
        assert verb.frame in FRAMES, verb.en
        assert verb.auxiliary in ("haben", "sein"), verb.en
        assert verb.participle.startswith(verb.particle), verb.en
        if verb.frame == "copula":
            continue
        assert lexicon.select(verb.subjects), verb.en
        for selector in verb.subjects + verb.objects:
            assert lexicon.select((selector,)), (verb.en, selector)
        if verb.frame in ("transitive", "dative", "ditransitive", "put", "prepositional"):
            assert verb.objects, verb.en
        if verb.frame in ("posture", "motion", "put"):
            assert set(verb.prepositions) <= set(lexicon.prepositions), verb.en
            assert verb.prepositions, verb.en
        if verb.frame == "prepositional":
            assert verb.prepositions[0].split(":")[1] in ("acc", "dat"), verb.en
        for manner in verb.manners - {"company"}:
            assert any(manner in adverb.groups for adverb in lexicon.adverbs), (verb.en, manner)


def test_prepositions_and_adjectives_have_something_to_go_with():
    lexicon = load()
    for preposition in lexicon.prepositions.values():
        assert preposition.case in ("acc", "dat", "gen", "two"), preposition.key
        assert preposition.objects == ("city_name",) or lexicon.select(preposition.objects), preposition.key
    for adjective in lexicon.adjectives:
        assert any(adjective in lexicon.adjectives_for(noun) for noun in lexicon.nouns), adjective.en
        assert bool(adjective.comparative_en) == bool(adjective.comparative_de), adjective.en
        assert not (adjective.stem.endswith("e")), adjective.en


def test_names_take_a_plain_s_in_the_german_genitive():
    assert not [name.de for name in load().people if name.de.endswith(("s", "ß", "x", "z"))]
