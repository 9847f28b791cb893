"""Generated German read by an independent eye: word order and agreement from surface patterns and own tables."""

from __future__ import annotations

import re

import pytest

from s2s_lit.corpora.captions.generate import generate
from s2s_lit.corpora.captions.lexicon.tables import load

LEXICON = load()
AUXILIARIES = """bin ist sind war waren habe hat haben werde wird werden kann können konnte konnten muss müssen musste
    mussten darf dürfen sollte sollten möchte möchten will wollen wollte wollten""".split()
VERBS = [verb for verb in LEXICON.verbs if verb.frame != "copula"]
FINITE = {*AUXILIARIES} | {form for v in VERBS for form in (v.third, v.infinitive, v.german("1s"))}
SINGULAR_FINITE = {*"ist war hat wird kann konnte muss musste darf sollte möchte will wollte".split()} | {
    verb.third for verb in LEXICON.verbs
}
PARTICLES = {verb.particle for verb in LEXICON.verbs if verb.particle}
POSSESSORS = {name.de + "s" for name in LEXICON.people}
PRONOUNS = {"ich", "er", "sie", "wir"}
NOUNS = LEXICON.nouns + LEXICON.compounds

# what each article word may be: gender or plural, with the ending of an adjective after it
ARTICLES = {
    "der": {"m": "e", "f": "en", "p": "en"},
    "die": {"f": "e", "p": "en"},
    "das": {"n": "e"},
    "den": {"m": "en", "p": "en"},
    "dem": {"m": "en", "n": "en"},
    "des": {"m": "en", "n": "en"},
    "ein": {"m": "er", "n": "es"},
    "eine": {"f": "e"},
    "einen": {"m": "en"},
    "einem": {"m": "en", "n": "en"},
    "einer": {"f": "en"},
    "kein": {"m": "er", "n": "es"},
    "keine": {"f": "e", "p": "en"},
    "keinen": {"m": "en", "p": "en"},
    "dieser": {"m": "e", "f": "en"},
    "diese": {"f": "e", "p": "en"},
    "dieses": {"n": "e"},
    "diesen": {"m": "en", "p": "en"},
    "diesem": {"m": "en", "n": "en"},
    "jeder": {"m": "e"},
    "jede": {"f": "e"},
    "jedes": {"n": "e"},
    "alle": {"p": "en"},
    "beide": {"p": "en"},
    "einige": {"p": "e"},
    "einigen": {"p": "en"},
    "mehrere": {"p": "e"},
    "mehreren": {"p": "en"},
    "viele": {"p": "e"},
    "vielen": {"p": "en"},
    "im": {"m": "en", "n": "en"},
    "am": {"m": "en", "n": "en"},
    "vom": {"m": "en", "n": "en"},
    "zum": {"m": "en", "n": "en"},
    "ins": {"n": "e"},
    "ans": {"n": "e"},
    "zur": {"f": "en"},
}
DATIVE_PLURAL = ("den", "diesen", "einigen", "mehreren", "vielen")


def surfaces() -> dict[str, set[str]]:
    """The genders (p for the plural) that a written noun can have."""
    found: dict[str, set[str]] = {}
    for noun in NOUNS:
        singular = {noun.de} | ({noun.de_plural} if noun.weak else set())
        if noun.gender != "f":
            singular |= {noun.de + "s", noun.de + "es", noun.genitive or noun.de}
        for form in singular:
            found.setdefault(form, set()).add(noun.gender)
        if noun.de_plural:
            for form in (noun.de_plural, noun.de_plural + "n"):
                found.setdefault(form, set()).add("p")
    return found


SURFACES = surfaces()
PHRASE = re.compile(rf"\b({'|'.join(sorted(ARTICLES, key=len, reverse=True))}) ((?:[a-zäöüß]+ ){{0,3}})([A-ZÄÖÜ]\w+)")
ADJECTIVES = {adjective.stem: adjective for adjective in LEXICON.adjectives}


@pytest.fixture(scope="module")
def german() -> list[str]:
    return [row["de"] for split in ("train", "test_long") for row in generate(split, rows=2000, seed=9)]


def lower_first(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def without_relative_pronouns(sentence: str) -> str:
    """They look like articles: die Frau, die große Sessel schiebt."""
    return re.sub(r", (\w+ )?(der|die|das|den|dem) ", ", ", lower_first(sentence))


def endings(words: list[str]) -> list[str] | None:
    """The endings of a run of adjectives, None if another word is among them; rosa and lila have none to check."""
    found = []
    for word in words:
        match = re.fullmatch(r"(.+?)(e|en|em|er|es)", word)
        stems = [word[: -len(end)] for end in ("e", "en", "em", "er", "es") if match and word.endswith(end)]
        stem = next((s for s in sorted(stems, key=len) if s in ADJECTIVES), None)
        if word in ("rosa", "lila"):
            continue
        if stem is None:
            return None
        found.append(word[len(stem) :])
    return found


def test_article_adjective_and_noun_agree(german):
    checked = 0
    for sentence in german:
        for article, between, written in PHRASE.findall(without_relative_pronouns(sentence)):
            ends = endings(between.split())
            if ends is None or written not in SURFACES:
                continue
            possible = {gender: end for gender, end in ARTICLES[article].items() if gender in SURFACES[written]}
            assert possible, (article, written, sentence)
            assert any(set(ends) <= {end} for end in possible.values()), (article, between, written, sentence)
            checked += 1
    assert checked > 5000


def test_dative_plural_articles_have_nouns_in_n_or_s(german):
    for sentence in german:
        for article, between, written in PHRASE.findall(without_relative_pronouns(sentence)):
            adjectives = endings(between.split()) is not None
            if adjectives and article in DATIVE_PLURAL and SURFACES.get(written) == {"p"}:
                assert written[-1] in "ns", sentence


def front_length(words: list[str]) -> int | None:
    """How many words the constituent before the finite verb has, None where this eye cannot tell."""
    expressions = sorted((adverb.de.split() for adverb in LEXICON.adverbs), key=len, reverse=True)
    for expression in expressions:
        if words[: len(expression)] == [lower_first(expression[0]), *expression[1:]]:
            return len(expression)
    if words[0] in PRONOUNS or words[0] in ("wer", "wen", "wem", "was", "wo", "wann", "warum"):
        return 1
    if words[0] not in ARTICLES and words[0] not in {p.de for p in LEXICON.prepositions.values()} - {"vor", "um"}:
        return None
    end = next((i for i, word in enumerate(words) if word[0].isupper()), None)
    if end is None or "und" in words[: end + 2]:
        return None
    end += 1
    if words[end - 1] in ("Glas", "Tasse", "Flasche", "Stück") and words[end][0].isupper():
        end += 1
    if words[end : end + 1] in (["des"], ["der"]):  # a genitive
        end = next(i for i, word in enumerate(words) if i > end and word[0].isupper()) + 1
    elif words[end - 1] in POSSESSORS:  # Annas alter Hund
        return None
    return end


def test_the_finite_verb_of_a_statement_is_second(german):
    checked = 0
    for sentence in german:
        if sentence.endswith("?") or "," in sentence:
            continue
        words = lower_first(sentence[:-1]).split()
        position = front_length(words)
        if position is None:
            continue
        assert words[position] in FINITE, (words[position], sentence)
        checked += 1
    assert checked > 700


def test_subordinate_clauses_end_in_the_finite_verb(german):
    pattern = re.compile(r"(?:^|, )(?:weil|während|wenn|als|obwohl|sobald|bis|falls|dass) ([^,]*?)[,.]", re.IGNORECASE)
    checked = 0
    for sentence in german:
        for clause in pattern.findall(sentence):
            words = clause.split()
            last = words[-1]
            if last[0].isupper():  # a relative clause begins here
                continue
            bare = next((last[len(p) :] for p in PARTICLES if last.startswith(p) and last[len(p) :] in FINITE), last)
            noun = next((word for word in words if word[0].isupper()), "")
            if words[0] == "des" or (words[0] == "der" and SURFACES.get(noun) == {"f"}):  # während der Reise: a phrase
                continue
            assert bare in FINITE, sentence
            checked += 1
    assert checked > 800


def test_verbs_agree_with_pronoun_subjects(german):
    forms = {
        "ich": {verb.german("1s") for verb in LEXICON.verbs}
        | {*"bin war habe werde kann konnte muss musste darf sollte möchte will wollte".split()},
        "er": SINGULAR_FINITE,
        "wir": {verb.infinitive for verb in LEXICON.verbs}
        | {*"sind waren haben werden können konnten müssen mussten dürfen sollten möchten wollen wollten".split()},
    }
    checked = 0
    for sentence in german:
        first, second, *_ = lower_first(re.sub(r"[.,?]", "", sentence)).split()
        if first in forms:
            assert second in forms[first], sentence
            checked += 1
    assert checked > 60


def test_genitive_follows_wegen(german):
    articles = [article for sentence in german for article in re.findall(r"\b[Ww]egen (\w+)", sentence)]
    assert len(articles) > 50
    assert set(articles) == {"des", "der"}


def test_purpose_clauses_end_in_an_infinitive_with_zu():
    infinitives = {verb.infinitive for verb in LEXICON.verbs}
    joined = {f"{verb.particle}zu{verb.infinitive}" for verb in LEXICON.verbs if verb.particle}
    checked = 0
    for row in generate("train", rows=2000, seed=9):
        if "in order to" not in row["en"]:
            continue
        *_, before, last = re.split(r", um ", row["de"])[-1].split(",")[0].rstrip(".?").split()
        assert last in joined or (before == "zu" and last in infinitives), row["de"]
        checked += 1
    assert checked > 20
