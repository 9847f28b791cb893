"""English word forms: plural, third person, -ing, past, articles, numbers."""

from __future__ import annotations

import re
from collections.abc import Callable

_VOWELS = "aeiou"
_SIBILANT = re.compile(r"(s|x|z|ch|sh)$")
_CONSONANT_Y = re.compile(r"[^aeiou]y$")
_DOUBLING = re.compile(r"^([^aeiou]*|for|be)[^aeiou][aeiou][^aeiouwxy]$|^[aeiou][^aeiouwxy]$")  # run, forget

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def with_s(word: str) -> str:
    """The ending -s of the noun's plural and of the verb's third person: bus -> buses, carry -> carries."""
    if _CONSONANT_Y.search(word):
        return word[:-1] + "ies"
    if _SIBILANT.search(word) or word in ("go", "do"):
        return word + "es"
    return word + "s"


def with_ing(verb: str) -> str:
    """The progressive participle: make -> making, lie -> lying, run -> running."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    return (verb + verb[-1] if _DOUBLING.match(verb) else verb) + "ing"


def with_ed(verb: str) -> str:
    """The regular past: love -> loved, carry -> carried, hug -> hugged."""
    if verb.endswith("e"):
        return verb + "d"
    if _CONSONANT_Y.search(verb):
        return verb[:-1] + "ied"
    return (verb + verb[-1] if _DOUBLING.match(verb) else verb) + "ed"


def on_first_word(inflect: Callable[[str], str], phrase: str) -> str:
    """Inflects the verb of a phrasal verb: pick up -> picking up."""
    verb, _, rest = phrase.partition(" ")
    form = inflect(verb)
    return f"{form} {rest}" if rest else form


def indefinite_article(next_word: str) -> str:
    """'an' before a vowel sound; the words of the lexicon with a vowel letter but no vowel sound begin with uni/use."""
    return "an" if next_word[0] in _VOWELS and not next_word.startswith(("uni", "use")) else "a"


def possessive(name: str, plural: bool) -> str:
    """The genitive: the man's, the boys', the children's."""
    return name + ("'" if plural and name.endswith("s") else "'s")


def number(n: int) -> str:
    """Two to ninety-nine in words."""
    if n < 20:
        return _SMALL[n]
    tens, units = divmod(n, 10)
    return _TENS[tens] + (f"-{_SMALL[units]}" if units else "")
