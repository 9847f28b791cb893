"""Draws clauses: a verb, what it demands, and adverbials."""

from __future__ import annotations

from dataclasses import replace

from s2s_lit.corpora.captions.drawing.adverbials import Adverbials
from s2s_lit.corpora.captions.drawing.choices import PLAIN, Chooser, Style
from s2s_lit.corpora.captions.drawing.nominals import Frame, Nominals
from s2s_lit.corpora.captions.lexicon.lexicon import Lexicon
from s2s_lit.corpora.captions.lexicon.words import Verb
from s2s_lit.corpora.captions.structures.clauses import Clause
from s2s_lit.corpora.captions.structures.noun_phrases import NounPhrase, PrepositionalPhrase
from s2s_lit.corpora.captions.structures.phrases import Phrase, Predicate

_TENSES = (
    ("progressive", 0.3), ("present", 0.2), ("perfect", 0.13), ("past", 0.14), ("future", 0.08), ("modal", 0.15)
)  # fmt: skip
_STATIVE = (("present", 0.8), ("past", 0.2))
_FINISHED = (("perfect", 0.4), ("past", 0.35), ("future", 0.1), ("modal", 0.15))
_QUANTIFIERS = ("a", "no", "every", "all", "both", "many", "some", "several")
_PLACEABLE = ("activity", "transitive", "dative", "ditransitive", "prepositional")


class Clauses:
    """Draws one clause after another with one chooser, in one style."""

    def __init__(self, lexicon: Lexicon, choose: Chooser, style: Style) -> None:
        self.lexicon = lexicon
        self.choose = choose
        self.style = style
        self.nominals = Nominals(lexicon, choose, style)
        self.adverbials = Adverbials(self.nominals)

    def plain(self) -> Clauses:
        """What draws the clauses inside of clauses: with the same chooser, in the plain style."""
        return Clauses(self.lexicon, self.choose, PLAIN)

    def frame(self, verb: Verb, tense: str = "") -> Frame:
        """Tense, modal and polarity; `tense` forces one if the verb has it."""
        if "simple" in verb.flags and tense in ("progressive", "future", "modal"):
            tense = "present"
        if not tense:
            tense = self.choose.weighted(
                _FINISHED if "finished" in verb.flags else _STATIVE if "simple" in verb.flags else _TENSES
            )
        if tense != "modal":
            return Frame(tense, negated=tense != "perfect" and self.choose.chance(0.1))
        modal = self.choose.pick(self.lexicon.modals)
        past = bool(modal.past) and self.choose.chance(0.25)
        return Frame("past" if past else "present", modal, modal.negatable and self.choose.chance(0.2))

    def clause(self, verb: Verb, *, subject: Phrase | None = None, frame: Frame | None = None) -> Clause:
        """A clause with what the verb demands and, by the style, adverbials."""
        subject = subject or self.nominals.subject(verb.subjects)
        frame = frame or self.frame(verb)
        if verb.present_like_past and frame.modal is None and subject.agreement != "3s":
            frame = replace(frame, tense={"past": "perfect", "present": "progressive"}.get(frame.tense, frame.tense))
        pronoun = self.nominals.referring(subject)
        frame = replace(frame, own=pronoun.possessive if pronoun is not None else "")
        if not _is_specific(subject):
            frame = replace(frame, negated=False)
        clause = Clause(subject, verb, frame.tense, frame.modal, frame.negated)
        self._arguments(clause, verb, frame)
        self._adverbials(clause, verb, frame)
        return clause

    def _arguments(self, clause: Clause, verb: Verb, frame: Frame) -> None:
        subject, nominals = clause.subject, self.nominals
        if verb.frame in ("transitive", "ditransitive", "put"):
            plural = True if "plural_object" in verb.flags else None
            clause.accusative = nominals.object(verb.objects, frame, subject, plural)
        if verb.frame == "dative":
            clause.dative = nominals.object(verb.objects, frame, subject)
        elif verb.frame == "ditransitive":
            clause.dative = nominals.object(("person",), frame, subject)
        elif verb.frame == "prepositional":
            word, _, case = verb.prepositions[0].partition(":")
            clause.complement = PrepositionalPhrase("", word, case, nominals.object(verb.objects, frame, subject))
        elif verb.frame in ("motion", "put"):
            clause.complement = self.adverbials.governed(verb.prepositions, frame, "acc")
        elif verb.frame == "posture":
            clause.complement = self.adverbials.governed(verb.prepositions, frame, "dat")

    def _adverbials(self, clause: Clause, verb: Verb, frame: Frame) -> None:
        chance, adverbials = self.choose.chance, self.adverbials
        half = self.style.adverbial / 2
        stative = "simple" in verb.flags
        if chance(half):
            clause.manner = adverbials.manner(verb, clause.subject, frame)
        placeable = verb.frame in _PLACEABLE and not stative and "noplace" not in verb.flags
        if placeable and not _is_place(clause.accusative) and chance(half):
            clause.place = adverbials.place(frame)
        habitual = frame.tense == "present" and frame.modal is None and not stative
        if habitual or chance(half):
            restricted = clause.manner or frame.modal or frame.negated or _is_nobody(clause.subject)
            if not restricted and chance(0.6 if habitual else 0.35):
                clause.frequency = adverbials.frequency(frame, negatable=not _counts(clause))
            elif not stative:
                clause.time = adverbials.time(frame)
        self._front(clause, frame)

    def _front(self, clause: Clause, frame: Frame) -> None:
        """Verb second: what is fronted sends the subject behind the verb."""
        fronts = [role for role in ("time", "place") if getattr(clause, role) is not None]
        if fronts and self.choose.chance(0.4):
            clause.front = self.choose.pick(fronts)
        elif self.choose.chance(0.08):
            clause.sentence = self.adverbials.adverb("sentence", frozenset([frame.group]))
            clause.front = "sentence" if clause.sentence is not None else "subject"

    def state(self, tense: str, subject: Phrase | None = None) -> Clause:
        """Somebody is tired: a reason for something."""
        subject = subject or self.nominals.subject(("person",))
        states = [a for a in self.lexicon.adjectives if "person" in a.kinds and a.rank == 3]
        predicate = Predicate(self.choose.pick(states))
        if isinstance(subject, NounPhrase):
            subject.adjectives = ()
        return Clause(subject, self.lexicon.be, tense, complement=predicate)

    def predicate(self) -> Clause:
        """Somebody or something is (not) big, or bigger than another."""
        nominals, choose = self.nominals, self.choose
        adjective = choose.pick(self.lexicon.adjectives)
        nouns = self.lexicon.nouns_with(adjective)
        noun = choose.pick(nouns)
        subject = nominals.noun_phrase((noun.en,), subject=True)
        subject.adjectives = tuple(a for a in subject.adjectives if a.rank != adjective.rank)
        tense = choose.weighted((("present", 0.75), ("past", 0.25)))
        clause = Clause(subject, self.lexicon.be, tense, negated=_is_specific(subject) and choose.chance(0.12))
        than = None
        others = [other for other in nouns if other.kind == noun.kind and other is not noun]
        if adjective.comparative_en and others and choose.chance(0.4):
            than = nominals.noun_phrase((choose.pick(others).en,), plural=False)
        clause.complement = Predicate(adjective, than)
        passing = adjective.rank == 3 and tense == "present" and not clause.negated and not _is_nobody(subject)
        if passing and choose.chance(0.4):
            clause.frequency = self.adverbials.frequency(Frame(tense), negatable=True)
        return clause


def _is_place(phrase: Phrase | None) -> bool:
    """Whether the object says by itself where: one does not visit a school in a park."""
    return isinstance(phrase, NounPhrase) and phrase.noun.kind in ("room", "building", "place", "structure")


def _is_nobody(subject: Phrase) -> bool:
    """Whether the subject negates the clause: no man."""
    return isinstance(subject, NounPhrase) and subject.determiner is not None and subject.determiner.key == "no"


def _is_specific(subject: Phrase) -> bool:
    """Whether 'nicht' denies the deed of somebody in particular; of 'a man' or 'every man' it would deny the man."""
    if not isinstance(subject, NounPhrase):
        return True
    if subject.determiner is None:
        return subject.possessor is not None
    return subject.determiner.key not in _QUANTIFIERS


def _counts(clause: Clause) -> bool:
    """Whether an object is counted: 'never three dogs' would deny the number."""
    complement = clause.complement.object if isinstance(clause.complement, PrepositionalPhrase) else None
    phrases = (clause.accusative, clause.dative, complement)
    return any(isinstance(phrase, NounPhrase) and phrase.counted for phrase in phrases)
