"""Draws whole sentences: statements, questions, and clauses joined by conjunctions."""

from __future__ import annotations

from dataclasses import replace

from s2s_lit.corpora.captions.drawing.choices import LONG, Chooser, Style
from s2s_lit.corpora.captions.drawing.clauses import Clauses
from s2s_lit.corpora.captions.drawing.nominals import Frame
from s2s_lit.corpora.captions.drawing.relatives import Relatives
from s2s_lit.corpora.captions.lexicon.lexicon import Lexicon
from s2s_lit.corpora.captions.lexicon.words import Conjunction, Verb
from s2s_lit.corpora.captions.structures.clauses import Clause
from s2s_lit.corpora.captions.structures.noun_phrases import NounPhrase, PrepositionalPhrase
from s2s_lit.corpora.captions.structures.phrases import WHAT, WHO, Fixed, Phrase
from s2s_lit.corpora.captions.structures.sentences import InfinitiveClause, Sentence, Subordinate

_KINDS = (
    ("statement", 0.66), ("predicate", 0.07), ("that", 0.06), ("infinitive", 0.06), ("existential", 0.05),
    ("question", 0.1)
)  # fmt: skip
_LONG_KINDS = (("statement", 0.8), ("that", 0.1), ("infinitive", 0.1))
_JOINED = (("because", 0.32), ("other", 0.28), ("purpose", 0.1), ("shared", 0.16), ("second", 0.14))
_QUESTIONS = (("yes_no", 0.35), ("who", 0.15), ("object", 0.2), ("where", 0.15), ("why", 0.15))
_ACTIONS = (
    *("transitive",) * 5, *("activity",) * 2, *("prepositional",) * 2, "dative", "ditransitive", "put", "motion",
    "posture",
)  # fmt: skip
_INFINITIVES = ("transitive", "transitive", "transitive", "ditransitive", "dative", "put", "prepositional")
_HEAD_TENSES = (("present", 0.6), ("past", 0.25), ("perfect", 0.15))
_THAT = Conjunction("that", "dass")
_WHERE, _WHY, _WHEN = Fixed("where", "wo"), Fixed("why", "warum"), Fixed("when", "wann")


class Sentences:
    """Draws one sentence after another with one chooser, in one style."""

    def __init__(self, lexicon: Lexicon, choose: Chooser, style: Style) -> None:
        self.lexicon = lexicon
        self.choose = choose
        self.style = style
        self.clauses = Clauses(lexicon, choose, style)
        self.plain = self.clauses.plain()
        self.relatives = Relatives(self.plain)

    def sentence(self) -> Sentence:
        kind = self.choose.weighted(_LONG_KINDS if self.style is LONG else _KINDS)
        sentence: Sentence = getattr(self, f"_{kind}")()
        return sentence

    def _action(self) -> Verb:
        return self.choose.pick(self.lexicon.frames[self.choose.pick(_ACTIONS)])

    def _relate(self, clause: Clause) -> Clause:
        """May give a relative clause to the subject and to the last noun phrase."""
        rate = self.style.relative
        self.relatives.attach(clause.subject, rate)
        self.relatives.attach(_last_noun(clause), rate * 2)
        return clause

    # ---- statements ----

    def _statement(self) -> Sentence:
        if not self.choose.chance(self.style.compound):
            return Sentence(self._relate(self.clauses.clause(self._action())))
        kind = self.choose.weighted(_JOINED)
        joined: Sentence = getattr(self, f"_{kind}")()
        return joined

    def _predicate(self) -> Sentence:
        clause = self.clauses.predicate()
        self.relatives.attach(clause.subject, self.style.relative)
        return Sentence(clause)

    def _existential(self) -> Sentence:
        """There are two cats under the table: Unter dem Tisch sind zwei Katzen."""
        clauses, choose = self.clauses, self.choose
        subject = clauses.nominals.noun_phrase(("person", "animal", "thing", "clothing", "furniture"))
        keys = ("number", "many", "some", "") if subject.plural else ("a", "a", "a", "no")
        subject.number, subject.possessor = 0, None
        clauses.nominals.determine(subject, choose.pick(keys), "")
        clause = Clause(subject, self.lexicon.be, front="place", existential=True)
        frame = Frame("present")
        if choose.chance(0.5):
            keys = ("next_to", "behind", "in_front_of", "under")
            clause.place = clauses.adverbials.governed(keys, frame, "dat")
        else:
            clause.place = clauses.adverbials.place(frame)
        self.relatives.attach(subject, self.style.relative)
        return Sentence(clause)

    def _that(self) -> Sentence:
        """The woman knows that ..."""
        main = self._head("that")
        inner = self.plain if self.style is not LONG else self.clauses
        clause = inner.predicate() if self.choose.chance(0.15) else inner.clause(self._action())
        clause.front, clause.sentence = "subject", None
        main.trailing = Subordinate(_THAT, self._relate(clause))
        return Sentence(main)

    def _infinitive(self) -> Sentence:
        """The man tries to open the door."""
        main = self._head("infinitive")
        main.trailing = InfinitiveClause(self._purpose_clause(main.subject))
        return Sentence(main)

    def _head(self, frame: str) -> Clause:
        verb = self.choose.pick(self.lexicon.frames[frame])
        tense = self.choose.weighted(_HEAD_TENSES)
        if "finished" in verb.flags and tense == "present":
            tense = "past"
        main = self.plain.clause(verb, frame=self.plain.frame(verb, tense))
        main.time, main.frequency, main.front = None, None, "subject"
        self.relatives.attach(main.subject, self.style.relative)
        return main

    def _purpose_clause(self, subject: Phrase) -> Clause:
        verb = self.choose.pick(self.lexicon.frames[self.choose.pick(_INFINITIVES)])
        while verb.flags & {"simple", "finished"} or "person" not in verb.subjects:
            verb = self.choose.pick(self.lexicon.frames[self.choose.pick(_INFINITIVES)])
        inner = self.plain if self.style is not LONG else self.clauses
        clause = inner.clause(verb, subject=subject, frame=Frame("infinitive"))
        clause.front, clause.sentence, clause.frequency, clause.time = "subject", None, None, None
        self.relatives.attach(_last_noun(clause), self.style.relative)
        return clause

    # ---- joined clauses ----

    def _because(self) -> Sentence:
        choices = [c for c in self.lexicon.conjunctions if c.tenses == "any"]
        return self._subordinate(self.choose.pick(choices), "", "")

    def _other(self) -> Sentence:
        conjunction = self.choose.pick([c for c in self.lexicon.conjunctions if c.tenses != "any"])
        tense = conjunction.tenses
        main = self.choose.pick(("present", "future", "modal")) if tense == "present" else tense
        return self._subordinate(conjunction, main, tense)

    def _subordinate(self, conjunction: Conjunction, main_tense: str, tense: str) -> Sentence:
        main = self._tensed(self.clauses, main_tense)
        main.front, main.sentence = "subject", None
        if isinstance(main.time, PrepositionalPhrase):
            main.time = None  # not two reasons
        if main.tense == "past" and not tense:
            tense = "past"
        subject = self.clauses.nominals.referring(main.subject) if self.choose.chance(0.6) else None
        inner = self.plain if self.style is not LONG else self.clauses
        clause = self._tensed(inner, tense, subject)
        clause.front, clause.sentence = "subject", None
        if conjunction.tenses == "present":
            clause.time = clause.frequency = None
        if conjunction.tenses != "any":
            clause.negated = False
        main.trailing = Subordinate(conjunction, self._relate(clause))
        if self.choose.chance(0.35):
            main.front = "trailing"
            if subject is not None:  # the noun comes first, the pronoun after it
                main.subject, clause.subject = clause.subject, main.subject
        return Sentence(self._relate(main))

    def _tensed(self, clauses: Clauses, tense: str, subject: Phrase | None = None) -> Clause:
        """A clause with the tense; a stative verb cannot be progressive."""
        if tense in ("", "past") and self.choose.chance(0.25):
            return clauses.state(tense or "present", subject)
        verb = self._action()
        while (tense == "progressive" and "simple" in verb.flags) or (subject and "person" not in verb.subjects):
            verb = self._action()
        frame = clauses.frame(verb, tense)
        if tense and frame.tense == "past":  # a past modal where another tense is wanted
            frame = replace(frame, tense="present" if tense == "modal" else tense)
        return clauses.clause(verb, subject=subject, frame=frame)

    def _purpose(self) -> Sentence:
        """The man goes to the market in order to buy bread."""
        main = self.clauses.clause(self.choose.pick(self.lexicon.frames["motion"]))
        while "person" not in main.verb.subjects:
            main = self.clauses.clause(self.choose.pick(self.lexicon.frames["motion"]))
        if main.negated or not isinstance(main.complement, PrepositionalPhrase):
            return Sentence(main)
        main.trailing = InfinitiveClause(self._purpose_clause(main.subject), purpose=True)
        return Sentence(main)

    def _shared(self) -> Sentence:
        """The man opens the door and goes into the house."""
        tense = self.choose.pick(("progressive", "present"))
        first = self._tensed(self.clauses, tense)
        self.relatives.attach(first.subject, self.style.relative)
        companions = self.lexicon.companions(first.verb)
        if not companions:
            return Sentence(first)
        verb = self.choose.pick(companions)
        second = self.clauses.clause(verb, subject=first.subject, frame=Frame(first.tense))
        second.front, second.sentence, second.frequency, second.time = "subject", None, None, None
        first.negated = False
        if first.front == "place":
            second.place = None
        return Sentence(first, second, "and", shared=True)

    def _second(self) -> Sentence:
        """The man is reading, but the woman is sleeping."""
        tense = self.choose.pick(("progressive", "past", "perfect"))
        first, second = self._tensed(self.clauses, tense), self._tensed(self.clauses, tense)
        return Sentence(self._relate(first), self._relate(second), self.choose.pick(("and", "but")))

    # ---- questions ----

    def _question(self) -> Sentence:
        kind = self.choose.weighted(_QUESTIONS)
        verb = self._action()
        if kind == "object":
            verb = self.choose.pick(self.lexicon.unmistakable)
        elif kind == "where":
            verb = self.choose.pick(self.lexicon.frames["activity"] + self.lexicon.frames["transitive"])
            while "simple" in verb.flags or "noplace" in verb.flags:
                verb = self.choose.pick(self.lexicon.frames["activity"] + self.lexicon.frames["transitive"])
        elif kind == "who":
            while "person" not in verb.subjects:
                verb = self._action()
        clause = self.clauses.clause(verb, subject=WHO if kind == "who" else None)
        clause.question, clause.sentence, clause.negated, clause.front = True, None, False, "subject"
        if isinstance(clause.subject, NounPhrase) and clause.subject.determiner is self.lexicon.determiners["no"]:
            clause.subject.determiner = self.lexicon.determiners["the"]
        if kind == "yes_no":
            clause.front = ""
        elif kind == "object":
            clause.accusative = WHO if "person" in verb.objects else WHAT
            clause.front = "accusative"
        elif kind == "where":
            clause.place, clause.front = _WHERE, "place"
        elif kind == "why":
            clause.time, clause.front = self.choose.pick((_WHY, _WHEN)), "time"
        return Sentence(clause)


def _last_noun(clause: Clause) -> Phrase | None:
    """The noun phrase that ends the clause in English, so that a relative clause there can only be its own."""
    if clause.negated or "recipient_last" in clause.verb.flags or (clause.time is not None and clause.front != "time"):
        return None
    if clause.place is not None and clause.front != "place":
        return clause.place.object if isinstance(clause.place, PrepositionalPhrase) else None
    if isinstance(clause.complement, PrepositionalPhrase):
        return None if clause.manner and clause.verb.frame == "prepositional" else clause.complement.object
    return None if clause.manner is not None else clause.accusative or clause.dative
