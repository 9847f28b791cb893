"""Draws relative clauses: the noun is subject, object, recipient, place or owner in a clause of its own."""

from __future__ import annotations

from s2s_lit.corpora.captions.drawing.clauses import Clauses
from s2s_lit.corpora.captions.lexicon.words import Verb
from s2s_lit.corpora.captions.structures.clauses import Clause
from s2s_lit.corpora.captions.structures.noun_phrases import NounPhrase, PrepositionalPhrase
from s2s_lit.corpora.captions.structures.phrases import Phrase, Predicate, RelativePronoun

_KINDS = (("subject", 0.38), ("accusative", 0.3), ("complement", 0.2), ("owner", 0.06), ("predicate", 0.06))
_SUBJECT_FRAMES = ("activity", "motion", "posture", "transitive", "transitive", "ditransitive", "put", "prepositional")
_OBJECT_FRAMES = ("transitive", "dative", "prepositional")
_POSTURES = ("on", "under", "next_to", "behind", "in_front_of")


class Relatives:
    """Gives noun phrases relative clauses, which `clauses` draws."""

    def __init__(self, clauses: Clauses) -> None:
        self.clauses = clauses
        self.lexicon = clauses.lexicon
        self.choose = clauses.choose

    def attach(self, phrase: Phrase | None, probability: float) -> None:
        """With some probability, if the phrase can carry one: the man, a book, three dogs; not 'my mother'."""
        if not isinstance(phrase, NounPhrase) or phrase.possessor is not None or phrase.content is not None:
            return
        definite = phrase.determiner is None or phrase.determiner.key in ("the", "a")
        if definite and (phrase.determiner or phrase.number) and self.choose.chance(probability):
            phrase.relative = self._clause(phrase)

    def _clause(self, phrase: NounPhrase) -> Clause | None:
        kind = self.choose.weighted(_KINDS)
        pronoun = RelativePronoun(phrase.gender, phrase.human, pied_piped=kind == "complement")
        clause = getattr(self, f"_{kind}")(phrase, pronoun)
        if clause is not None:
            clause.sentence = None
        return clause

    def _subject(self, phrase: NounPhrase, pronoun: RelativePronoun) -> Clause | None:
        """the man who is reading a book."""
        verb = self._verb(phrase, _SUBJECT_FRAMES, "subjects")
        if verb is None:
            return None
        clause = self.clauses.clause(verb, subject=pronoun)
        clause.front = "subject"
        return clause

    def _accusative(self, phrase: NounPhrase, pronoun: RelativePronoun) -> Clause | None:
        """the book that he is reading, the man whom she is helping, the bus that we are waiting for."""
        verb = self._verb(phrase, _OBJECT_FRAMES, "objects")
        if verb is None or ("plural_object" in verb.flags and not phrase.plural):
            return None
        clause = self.clauses.clause(verb)
        if isinstance(clause.subject, NounPhrase) and clause.subject.noun is phrase.noun:
            return None
        pronoun.pied_piped = False
        clause.front = {"transitive": "accusative", "dative": "dative"}.get(verb.frame, "complement")
        if isinstance(clause.complement, PrepositionalPhrase):
            clause.complement.object = pronoun
        else:
            setattr(clause, clause.front, pronoun)
        return clause

    def _complement(self, phrase: NounPhrase, pronoun: RelativePronoun) -> Clause | None:
        """the chair on which the cat is lying."""
        tags = phrase.noun.tags
        keys = [key for key in _POSTURES if tags & set(self.lexicon.prepositions[key].objects)]
        verbs = [verb for verb in self.lexicon.frames["posture"] if set(keys) & set(verb.prepositions)]
        if not verbs:
            return None
        verb = self.choose.pick(verbs)
        preposition = self.lexicon.prepositions[self.choose.pick([key for key in keys if key in verb.prepositions])]
        clause = self.clauses.clause(verb)
        if isinstance(clause.subject, NounPhrase) and clause.subject.noun is phrase.noun:
            return None
        clause.complement = PrepositionalPhrase.of(preposition, pronoun, "dat")
        clause.front = "complement"
        return clause

    def _owner(self, phrase: NounPhrase, pronoun: RelativePronoun) -> Clause | None:
        """the woman whose dog is barking."""
        if not phrase.human:
            return None
        owned = self.clauses.nominals.noun_phrase(("own",), plural=False)
        owned.determiner, owned.possessor, owned.number = None, pronoun, 0
        verb = self._verb(owned, ("activity", "motion", "transitive"), "subjects")
        if verb is None or owned.noun is phrase.noun:
            return None
        clause = self.clauses.clause(verb, subject=owned)
        clause.front = "subject"
        return clause

    def _predicate(self, phrase: NounPhrase, pronoun: RelativePronoun) -> Clause | None:
        """the house that is very old."""
        candidates = self.lexicon.adjectives_for(phrase.noun)
        used = {adjective.rank for adjective in phrase.adjectives}
        candidates = tuple(adjective for adjective in candidates if adjective.rank not in used)
        if not candidates:
            return None
        return Clause(pronoun, self.lexicon.be, complement=Predicate(self.choose.pick(candidates)))

    def _verb(self, phrase: NounPhrase, frames: tuple[str, ...], role: str) -> Verb | None:
        verbs = self.lexicon.verbs_for(phrase.noun, self.choose.pick(frames), role)
        return self.choose.pick(verbs) if verbs else None
