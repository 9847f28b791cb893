"""Clauses: one abstract structure, said in English order and in the three German ones.

German has a verbal bracket: the finite verb stands second (statements), first (yes/no questions) or last (subordinate
clauses), and participle, infinitive or separable particle close the clause:

    Vorfeld | finite verb | subject, middle field | closing part | subordinate clause
    Heute   | hebt        | der Mann den Hut      | auf          | , weil er nass ist
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from s2s_lit.corpora.captions.lexicon import morphology_de as de
from s2s_lit.corpora.captions.lexicon.words import Modal, Verb
from s2s_lit.corpora.captions.structures.phrases import Fixed, Phrase, Pronoun, in_place
from s2s_lit.corpora.captions.structures.verb_groups import VerbGroup


class DependentClause(Protocol):
    """A clause inside another one: a conjunction and a clause, or an infinitive. German sets it off by commas."""

    def english(self) -> list[str]: ...

    def german(self) -> list[str]: ...


@dataclass(slots=True, eq=False)
class Clause:
    """Who does what to whom, when, how and where.

    `tense`: progressive, present, perfect, past, future; with a `modal`, present or past. `front` names the place that
    stands first in both languages ("" for yes/no questions; an `existential` clause, 'there is', has its place first in
    German alone). `complement` is what the verb demands beside its objects:
    a direction, a prepositional object, a predicate. Without a subject the clause is an infinitive or shares the
    subject of the clause before it.
    """

    subject: Phrase
    verb: Verb
    tense: str = "present"
    modal: Modal | None = None
    negated: bool = False
    dative: Phrase | None = None
    accusative: Phrase | None = None
    frequency: Phrase | None = None
    time: Phrase | None = None
    manner: Phrase | None = None
    place: Phrase | None = None
    complement: Phrase | None = None
    sentence: Phrase | None = None
    trailing: DependentClause | None = None
    front: str = "subject"
    question: bool = False
    existential: bool = False

    @property
    def _verb_group(self) -> VerbGroup:
        return VerbGroup(self.verb, self.subject.agreement, self.tense, self.modal, self.negated)

    # ---- English ----

    def english(self) -> list[str]:
        """Statement or question."""
        asked = self.question and self.front != "subject"
        auxiliary, main = self._verb_group.english(support=asked)
        if self.existential:
            assert self.place is not None
            return ["there", auxiliary, *self.subject.english(), *self.place.english()]
        words = [] if self.front in ("subject", "") else self._english_front()
        subject = self.subject.english(subject=True)
        if asked:
            return [*words, auxiliary, *subject, *self._english_rest("", main)]
        return words + subject + self._english_rest(auxiliary, main)

    def _english_front(self) -> list[str]:
        if self.front == "trailing":
            assert self.trailing is not None
            return [*self.trailing.english(), ","]
        words = getattr(self, self.front).english()
        return words if self.question else [*words, ","]

    def english_relative(self) -> list[str]:
        """The clause as a relative clause: its front is the relative pronoun or holds it."""
        auxiliary, main = self._verb_group.english()
        if self.front == "subject":
            return self.subject.english(subject=True) + self._english_rest(auxiliary, main)
        front = getattr(self, self.front).english()
        return front + self.subject.english(subject=True) + self._english_rest(auxiliary, main)

    def english_embedded(self) -> list[str]:
        """After a conjunction."""
        return self.subject.english(subject=True) + self.english_shared(keep_auxiliary=True)

    def english_shared(self, keep_auxiliary: bool = False) -> list[str]:
        """Without the subject: the second half of 'sings and dances', 'is singing and dancing'."""
        auxiliary, main = self._verb_group.english()
        return self._english_rest(auxiliary if keep_auxiliary else "", main)

    def english_infinitive(self) -> list[str]:
        return ["to", *self._english_rest("", self.verb.en)]

    def _english_rest(self, auxiliary: str, main: str) -> list[str]:
        words: list[str] = []
        if auxiliary:
            words = ["cannot"] if self.negated and auxiliary == "can" else [auxiliary]
        if self.negated and auxiliary != "can":
            words.append("not")
        if self.frequency is not None:
            words += self.frequency.english()
        if main:
            words.append(main)
        recipient_last = "recipient_last" in self.verb.flags
        objects = ("accusative", "dative") if recipient_last else ("dative", "accusative")
        middle = ("complement", "manner") if self.verb.frame == "prepositional" else ("manner", "complement")
        for role in (*objects, *middle, "place", "time", "trailing"):
            phrase = getattr(self, role)
            if phrase is not None and role != self.front:
                words += ["to", *phrase.english()] if recipient_last and role == "dative" else phrase.english()
        return words

    # ---- German ----

    def german(self) -> list[str]:
        """Statement (verb second) or yes/no question (verb first)."""
        finite, closing = self._verb_group.german()
        words: list[str] = []
        front = self.front
        if front == "trailing":
            assert self.trailing is not None
            words += [*self.trailing.german()[1:], ","]
        elif front:
            words += in_place(getattr(self, front), self._case(front))
        words.append(finite)
        weak = self._weak()
        if front == "subject":
            return words + weak + self._german_middle(closing)
        subject = in_place(self.subject, "nom")
        # before a noun, not before a pronoun: hilft mir der Mann, hilft er mir; 'sie' could be taken for the subject
        weak_first = not isinstance(self.subject, Pronoun) and "sie" not in weak
        return words + (weak + subject if weak_first else subject + weak) + self._german_middle(closing)

    def german_shared(self) -> list[str]:
        """Without the subject, after 'und'."""
        finite, closing = self._verb_group.german()
        return [finite, *self._weak(), *self._german_middle(closing)]

    def german_final(self) -> list[str]:
        """The finite verb last, after a conjunction or a relative pronoun; a particle joins it: aufhebt."""
        finite, closing = self._verb_group.german()
        last = [closing + finite] if closing and closing == self.verb.particle else [closing, finite]
        front = [] if self.front == "subject" else in_place(getattr(self, self.front), self._case(self.front))
        words = front + in_place(self.subject, "nom") + self._weak()
        return words + self._german_middle(" ".join(word for word in last if word))

    def german_infinitive(self) -> list[str]:
        return self._weak() + self._german_middle(de.zu_infinitive(self.verb.particle, self.verb.infinitive))

    def _weak(self) -> list[str]:
        """The unstressed pronouns, which stand before everything else in the middle field."""
        words = [de.REFLEXIVE[self.subject.agreement]] if self.verb.reflexive else []
        for role in ("accusative", "dative"):
            phrase = getattr(self, role)
            if isinstance(phrase, Pronoun):
                words += phrase.german(self._case(role))
        return words

    @staticmethod
    def _case(role: str) -> de.Case:
        return {"subject": "nom", "dative": "dat"}.get(role, "acc")

    def _german_middle(self, closing: str) -> list[str]:
        """The middle field and what follows; a relative clause at its end moves behind the closing part."""
        constituents = list(self._constituents())
        words: list[str] = []
        tail: list[str] = []
        for index, (head, relative) in enumerate(constituents):
            words += head
            if relative and index == len(constituents) - 1:
                tail = [",", *relative, ","]
            elif relative:
                words += [",", *relative, ","]
        if closing:
            words.append(closing)
        words += tail
        if self.trailing is not None and self.front != "trailing":
            words += self.trailing.german()
        return words

    def _constituents(self) -> Iterator[tuple[list[str], list[str]]]:
        """Time, recipient, place, manner, object, complement; a long place follows the manner if nothing else would.

        What negates (nicht, nie) stands behind the objects, but before a complement, before what 'kein' would negate
        and before a place that ends the field.
        """
        never = self.frequency is not None and self.frequency.german("") == ["nie"]
        yield from self._phrases("time", *(() if never else ("frequency",)))
        negation = [["nicht"]] if self.negated else [["nie"]] if never else []
        place_first = isinstance(self.place, Fixed) or bool(list(self._phrases("accusative", "complement")))
        for role in ("dative", "place", "manner", "accusative") if place_first else ("dative", "manner"):
            for head, tail in self._phrases(role):
                kein = getattr(self, role).german_negated(self._case(role)) if self._last_object(role) else None
                if kein and negation:
                    word = negation.pop()
                    if never:
                        yield word, []
                    else:
                        head = kein
                yield head, tail
        for word in negation:
            yield word, []
        yield from self._phrases("complement") if place_first else self._phrases("place")

    def _last_object(self, role: str) -> bool:
        return role == ("dative" if self.accusative is None else "accusative")

    def _phrases(self, *roles: str) -> Iterator[tuple[list[str], list[str]]]:
        for role in roles:
            phrase = getattr(self, role)
            if phrase is not None and role != self.front and not isinstance(phrase, Pronoun):
                yield phrase.german(self._case(role)), phrase.german_tail()
