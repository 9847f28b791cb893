"""What the grammar must not draw, since the English would leave the German open."""

from __future__ import annotations

import re
from itertools import combinations

from s2s_lit.corpora.captions.drawing.choices import PLAIN, USUAL, Chooser
from s2s_lit.corpora.captions.drawing.clauses import Clauses
from s2s_lit.corpora.captions.generate import generate
from s2s_lit.corpora.captions.lexicon.tables import load
from s2s_lit.corpora.captions.structures.phrases import Coordination, ProperName

LEXICON = load()


def test_no_tense_in_which_they_read_could_be_present_or_past():
    grammar = Clauses(LEXICON, Chooser(3), USUAL)
    people = Coordination(ProperName(LEXICON.people[0]), ProperName(LEXICON.people[1]))
    read, carry = (next(v for v in LEXICON.verbs if v.en == name) for name in ("read", "carry"))
    tenses = {verb: {c.tense for c in _clauses(grammar, verb, people) if c.modal is None} for verb in (read, carry)}
    assert tenses[carry] == {"progressive", "present", "perfect", "past", "future"}
    assert tenses[read] == {"progressive", "perfect", "future"}


def _clauses(grammar, verb, subject):
    return [grammar.clause(verb, subject=subject) for _ in range(300)]


def test_object_questions_use_verbs_that_need_no_object_to_be_told_apart():
    open_verbs = {
        first.en
        for first, second in combinations(LEXICON.frames["transitive"], 2)
        if first.en == second.en and set(first.subjects) & set(second.subjects)
    }
    assert open_verbs == {"put on", "take off"}
    assert open_verbs.isdisjoint(verb.en for verb in LEXICON.unmistakable)
    questions = [row["en"] for row in generate("train", rows=6000) if row["en"].startswith("What ")]
    assert len(questions) > 50
    dressing = re.compile(r"(put|putting) on\b|(take|taking|taken) off\b")
    assert not [question for question in questions if dressing.search(question)]


def test_style_sets_how_much_is_said():
    plain, usual = (
        sum(
            len(Clauses(LEXICON, Chooser(seed), style).clause(LEXICON.frames["transitive"][0]).english())
            for seed in range(300)
        )
        for style in (PLAIN, USUAL)
    )
    assert plain < usual
