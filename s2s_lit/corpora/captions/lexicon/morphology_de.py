"""German word forms: articles, adjective endings, noun cases, verb forms, numbers.

Cases are "nom", "acc", "dat", "gen"; the agreement class is "m", "f", "n" for the singular's genders and "p" for the
plural, where gender makes no difference. A verb agrees in "1s", "3s", "1p" or "3p".
"""

from __future__ import annotations

import re

Case = str
Agreement = str

# The endings that show gender, number and case; der-words (dieser, jeder, alle) carry them.
STRONG: dict[Case, dict[Agreement, str]] = {
    "nom": {"m": "er", "f": "e", "n": "es", "p": "e"},
    "acc": {"m": "en", "f": "e", "n": "es", "p": "e"},
    "dat": {"m": "em", "f": "er", "n": "em", "p": "en"},
    "gen": {"m": "es", "f": "er", "n": "es", "p": "er"},
}
DEFINITE: dict[Case, dict[Agreement, str]] = {
    "nom": {"m": "der", "f": "die", "n": "das", "p": "die"},
    "acc": {"m": "den", "f": "die", "n": "das", "p": "die"},
    "dat": {"m": "dem", "f": "der", "n": "dem", "p": "den"},
    "gen": {"m": "des", "f": "der", "n": "des", "p": "der"},
}
# The relative pronoun is the definite article but for the genitive and the dative plural.
RELATIVE: dict[Case, dict[Agreement, str]] = {
    "nom": DEFINITE["nom"],
    "acc": DEFINITE["acc"],
    "dat": {**DEFINITE["dat"], "p": "denen"},
    "gen": {"m": "dessen", "f": "deren", "n": "dessen", "p": "deren"},
}
REFLEXIVE = {"1s": "mich", "3s": "sich", "1p": "uns", "3p": "sich"}
_BARE_EIN = {("nom", "m"), ("nom", "n"), ("acc", "n")}  # where an ein-word has no ending: ein Mann, kein Buch

CONTRACTIONS = {
    ("in", "dem"): "im",
    ("an", "dem"): "am",
    ("bei", "dem"): "beim",
    ("von", "dem"): "vom",
    ("zu", "dem"): "zum",
    ("zu", "der"): "zur",
    ("in", "das"): "ins",
    ("an", "das"): "ans",
}

_SMALL = (
    "null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun",
    "zehn", "elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn",
)  # fmt: skip
_TENS = ("null", "zehn", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")


def determiner(stem: str, inflection: str, case: Case, agreement: Agreement) -> str:
    """The form of an article word; `inflection` is definite, der (dieser), ein (mein, kein) or strong (viele)."""
    if inflection == "definite":
        return DEFINITE[case][agreement]
    if inflection == "ein" and (case, agreement) in _BARE_EIN:
        return stem
    return stem + STRONG[case][agreement]


def adjective_ending(inflection: str, case: Case, agreement: Agreement) -> str:
    """Strong endings where no article word shows the case; weak -e/-en where one does; ein-words do so in part."""
    strong = inflection == "strong" or (inflection == "ein" and (case, agreement) in _BARE_EIN)
    if strong:
        return "en" if case == "gen" and agreement in "mn" else STRONG[case][agreement]
    if agreement == "p" or case in ("dat", "gen") or (case, agreement) == ("acc", "m"):
        return "en"
    return "e"


def noun(singular: str, plural: str, case: Case, agreement: Agreement, *, weak: bool, genitive: str) -> str:
    """A noun's form: -n in the dative plural, -(e)s in the genitive, -(e)n in all but one form of a weak noun."""
    if agreement == "p":
        return plural + "n" if case == "dat" and plural[-1] not in "ns" else plural
    if weak and case != "nom":
        return plural
    if case == "gen" and agreement in "mn":
        return genitive or singular + _genitive_ending(singular)
    return singular


def _genitive_ending(singular: str) -> str:
    one_syllable = len(re.findall(r"[aeiouäöüy]+", singular.lower())) == 1
    return "es" if re.search(r"(s|ß|x|z|sch)$", singular) or (one_syllable and singular[-1] in "dt") else "s"


def compound(link: str, head: str) -> str:
    """Küchen + Tisch -> Küchentisch; a compound takes its gender and plural from its last part."""
    return link + head.lower()


def verb_stem(infinitive: str) -> str:
    return infinitive[:-1] if infinitive.endswith(("eln", "ern")) else infinitive[:-2]


def third_person(infinitive: str) -> str:
    """The regular er-form: heben -> hebt, warten -> wartet, öffnen -> öffnet."""
    stem = verb_stem(infinitive)
    return stem + ("et" if _needs_e(stem) else "t")


def participle(particle: str, infinitive: str) -> str:
    """The regular past participle: aufräumen -> aufgeräumt, reparieren -> repariert."""
    prefix = "" if infinitive.endswith("ieren") else "ge"
    return particle + prefix + third_person(infinitive)


def first_person(infinitive: str, singular: str) -> str:
    """The ich-form: ich hebe, ich sammle; the third person `singular` tells ich weiß apart."""
    if singular == "weiß":
        return singular
    stem = verb_stem(infinitive)
    return stem[:-2] + "le" if infinitive.endswith("eln") else stem + "e"


def zu_infinitive(particle: str, infinitive: str) -> str:
    """zu lesen, but aufzuheben: a separable particle stands before the zu."""
    return f"{particle}zu{infinitive}" if particle else f"zu {infinitive}"


def _needs_e(stem: str) -> bool:
    return stem.endswith(("d", "t")) or bool(re.search(r"([^aeiouäöülrhmn]|ch)[mn]$", stem))


def number(n: int) -> str:
    """Two to ninety-nine in words, the unit before the ten: einundzwanzig."""
    if n < 20:
        return _SMALL[n]
    tens, units = divmod(n, 10)
    return (f"{_SMALL[units]}und" if units else "") + _TENS[tens]
