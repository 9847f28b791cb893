"""Draws noun phrases whose determiner, adjectives and noun go together, subjects, objects and their pronouns."""

from __future__ import annotations

from dataclasses import dataclass

from s2s_lit.corpora.captions.drawing.choices import Chooser, Style, Weighted
from s2s_lit.corpora.captions.lexicon.lexicon import Lexicon
from s2s_lit.corpora.captions.lexicon.words import Adjective, Modal, Noun
from s2s_lit.corpora.captions.structures.noun_phrases import NounPhrase
from s2s_lit.corpora.captions.structures.phrases import Coordination, Phrase, Pronoun, ProperName

_SINGULAR: Weighted = (("the", 0.46), ("a", 0.36), ("this", 0.06), ("possessive", 0.08), ("of", 0.04))
_SINGULAR_SUBJECT: Weighted = (
    ("the", 0.48), ("a", 0.24), ("this", 0.07), ("possessive", 0.1), ("of", 0.05), ("every", 0.04), ("no", 0.02)
)  # fmt: skip
_PLURAL: Weighted = (
    ("the", 0.36), ("", 0.14), ("number", 0.18), ("the number", 0.05), ("possessive", 0.07), ("these", 0.07),
    ("some", 0.05), ("several", 0.04), ("many", 0.04)
)  # fmt: skip
_PLURAL_SUBJECT: Weighted = (
    ("the", 0.4), ("number", 0.19), ("the number", 0.05), ("possessive", 0.07), ("these", 0.07), ("some", 0.05),
    ("several", 0.05), ("many", 0.05), ("all", 0.04), ("both", 0.03)
)  # fmt: skip
_MASS: Weighted = (("the", 0.45), ("", 0.45), ("this", 0.1))
_SMALL_NUMBERS = range(2, 13)
_LARGE_NUMBERS = (*range(13, 30), *range(30, 100, 10))
_ANYBODYS = ("my", "our", "my", "our", "his", "her", "their")
_PEOPLE = ("person",)


@dataclass(frozen=True)
class Frame:
    """What a clause is to be: its tense (with a modal), negated or not, and the possessive that fits its subject."""

    tense: str
    modal: Modal | None = None
    negated: bool = False
    own: str = ""

    @property
    def group(self) -> str:
        """The group of adverbs that go with it."""
        return "modal" if self.modal is not None and self.tense != "past" else self.tense


class Nominals:
    """Draws from the lexicon with one chooser, in one style."""

    def __init__(self, lexicon: Lexicon, choose: Chooser, style: Style) -> None:
        self.lexicon = lexicon
        self.choose = choose
        self.style = style

    def noun_phrase(
        self, selectors: tuple[str, ...], *, subject: bool = False, own: str = "", plural: bool | None = None
    ) -> NounPhrase:
        """A noun with any of the tags; `own` is the possessive that points back at the clause's subject."""
        noun = self.choose.pick(self.lexicon.select(selectors))
        if noun.mass and not subject and self.choose.chance(0.3):
            measures = self.lexicon.measures.get(noun)
            if measures:
                return self._measured(self.choose.pick(measures), noun)
        if plural is None:
            plural = bool(noun.de_plural) and self.choose.chance(0.3)
        phrase = NounPhrase(noun, plural=plural, adjectives=self.adjectives(noun))
        if noun.mass:
            table = _MASS
        elif plural:
            table = _PLURAL_SUBJECT if subject else _PLURAL
        else:
            table = _SINGULAR_SUBJECT if subject else _SINGULAR
        self.determine(phrase, self.choose.weighted(table), own)
        return phrase

    def _measured(self, measure: Noun, content: Noun) -> NounPhrase:
        """a glass of water, five pieces of cheese."""
        phrase = NounPhrase(measure, content=content, plural=self.choose.chance(0.3))
        self.determine(phrase, "number" if phrase.plural else "a", "")
        return phrase

    def determine(self, phrase: NounPhrase, key: str, own: str) -> None:
        """Gives the phrase its determiner; 'possessive' and 'of' become 'the' with what nobody owns."""
        if key in ("number", "the number"):
            phrase.number = self.number()
            key = key.removesuffix("number").strip()
        if key in ("possessive", "of") and not phrase.noun.ownable:
            key = "the"
        if key == "of":
            phrase.possessor = self._possessor(phrase.noun)
            return
        if key == "possessive":
            key = own if own and self.choose.chance(0.8) else self.choose.pick(_ANYBODYS)
        phrase.determiner = self.lexicon.determiners[key] if key else None

    def number(self) -> int:
        """Mostly two to twelve."""
        return self.choose.pick(_SMALL_NUMBERS if self.choose.chance(0.7) else _LARGE_NUMBERS)

    def _possessor(self, owned: Noun) -> Phrase:
        if self.choose.chance(0.5):
            return self.name()
        noun = self.choose.pick(self.lexicon.select(_PEOPLE))
        if noun is owned:
            return self.name()
        return NounPhrase(noun, self.lexicon.determiners["the"], plural=self.choose.chance(0.2))

    def adjectives(self, noun: Noun) -> tuple[Adjective, ...]:
        candidates = self.lexicon.adjectives_for(noun)
        if not candidates or not self.choose.chance(self.style.adjective):
            return ()
        first = self.choose.pick(candidates)
        if self.choose.chance(self.style.second_adjective):
            second = self.choose.pick(candidates)
            if second.rank != first.rank:
                return (first, second) if first.rank < second.rank else (second, first)
        return (first,)

    def name(self) -> ProperName:
        return ProperName(self.choose.pick(self.lexicon.people))

    def subject(self, selectors: tuple[str, ...]) -> Phrase:
        """A noun phrase, a pronoun, a name, or two people."""
        kind = self.choose.weighted((("noun", 0.66), ("pronoun", 0.16), ("name", 0.1), ("pair", 0.08)))
        if "person" not in selectors or kind == "noun":
            return self.noun_phrase(selectors, subject=True)
        if kind == "pronoun":
            return self.pronoun(self.choose.pick(tuple(self.lexicon.pronouns)))
        return self.name() if kind == "name" else self._pair()

    def _pair(self) -> Phrase:
        if self.choose.chance(0.4):
            first, second = self.name(), self.name()
            return first if first.name is second.name else Coordination(first, second)
        people = self.lexicon.select(_PEOPLE)
        determiner = self.lexicon.determiners[self.choose.pick(("the", "the", "a"))]
        nouns = [self.choose.pick(people), self.choose.pick(people)]
        pair = [NounPhrase(noun, determiner, adjectives=self.adjectives(noun)) for noun in nouns]
        return pair[0] if nouns[0] is nouns[1] else Coordination(pair[0], pair[1])

    def pronoun(self, subject: str) -> Pronoun:
        row = self.lexicon.pronouns[subject]
        return Pronoun(subject, row["object"], row["possessive"], row["agreement"], row)

    def referring(self, phrase: Phrase) -> Pronoun | None:
        """The pronoun that takes up a phrase about people, if both languages have the same one."""
        if isinstance(phrase, Pronoun):
            return phrase
        if isinstance(phrase, Coordination):
            return self.pronoun("they")
        if isinstance(phrase, ProperName):
            return self.pronoun("he" if phrase.name.kind == "m" else "she")
        if not isinstance(phrase, NounPhrase) or phrase.noun.kind != "person":
            return None
        if phrase.determiner is not None and phrase.determiner.key in ("every", "no"):
            return None
        if phrase.plural:
            return self.pronoun("they")
        return None if phrase.noun.gender == "n" else self.pronoun("he" if phrase.noun.gender == "m" else "she")

    def object(self, selectors: tuple[str, ...], frame: Frame, subject: Phrase, plural: bool | None = None) -> Phrase:
        """A noun phrase, or for people sometimes a pronoun or a name, that is not the subject."""
        if "person" in selectors and not plural:
            if self.choose.chance(0.15):
                pronoun = self.pronoun(self.choose.pick(tuple(self.lexicon.pronouns)))
                if _somebody_else(pronoun, subject):
                    return pronoun
            elif self.choose.chance(0.1) and not isinstance(subject, ProperName | Coordination):
                return self.name()
        phrase = self.noun_phrase(selectors, own=frame.own, plural=plural)
        if isinstance(subject, NounPhrase) and subject.noun is phrase.noun:
            phrase = self.noun_phrase(selectors, own=frame.own, plural=plural)
        if frame.negated and phrase.counted:  # 'not three', 'not many' would deny the number, not the deed
            phrase.number, phrase.determiner = 0, self.lexicon.determiners["the"]
        return phrase


def _somebody_else(pronoun: Pronoun, subject: Phrase) -> bool:
    """Not 'I see us', and not two people of whom one cannot tell who is who: 'she sees her'."""
    if pronoun.agreement[0] == "1":
        return subject.agreement[0] != "1"
    return not isinstance(subject, Pronoun) or subject.object != pronoun.object
