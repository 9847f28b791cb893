"""Tense, modal and polarity as words: auxiliaries and main verb in English, the verbal bracket in German."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2s_lit.corpora.captions.clauses import Clause

_BE = {"1s": "am", "3s": "is"}
_SEIN = {"1s": "bin", "3s": "ist", "1p": "sind", "3p": "sind"}
_HABEN = {"1s": "habe", "3s": "hat", "1p": "haben", "3p": "haben"}
_WERDEN = {"1s": "werde", "3s": "wird", "1p": "werden", "3p": "werden"}


def english_verb(clause: Clause, support: bool = False) -> tuple[str, str]:
    """The auxiliary ("" if none) and the main verb; negations and questions call in 'do'."""
    verb, agreement = clause.verb, clause.subject.agreement
    third = agreement == "3s"
    support = support or clause.negated
    if clause.modal is not None:
        return _english_modal(clause, third, support)
    if verb.frame == "copula" and clause.tense in ("present", "past"):
        present = _BE.get(agreement, "are")
        return (present if clause.tense == "present" else "was" if agreement in ("1s", "3s") else "were"), ""
    if clause.tense == "progressive":
        return _BE.get(agreement, "are"), verb.en_ing
    if clause.tense == "perfect":
        return ("has" if third else "have"), verb.en_participle
    if clause.tense == "future":
        return "will", verb.en
    if clause.tense == "past":
        return ("did", verb.en) if support else ("", verb.en_past)
    if support:
        return ("does" if third else "do"), verb.en
    return "", (verb.en_third if third else verb.en)


def _english_modal(clause: Clause, third: bool, support: bool) -> tuple[str, str]:
    modal = clause.modal
    assert modal is not None
    past = clause.tense == "past"
    if modal.auxiliary:
        auxiliary, _, rest = (modal.past if past else modal.en).partition(" ")
        return auxiliary, f"{rest} {clause.verb.en}".strip()
    if support:
        return ("did" if past else "does" if third else "do"), f"{modal.en} {clause.verb.en}"
    form = modal.past if past else modal.third if third else modal.en
    return "", f"{form} {clause.verb.en}"


def german_verb(clause: Clause) -> tuple[str, str]:
    """The finite verb and the closing part of the bracket ("" if none)."""
    verb, agreement = clause.verb, clause.subject.agreement
    if clause.modal is not None:
        return clause.modal.german(agreement, clause.tense == "past"), verb.particle + verb.infinitive
    if verb.frame == "copula" and clause.tense == "past":
        return ("war" if agreement in ("1s", "3s") else "waren"), ""
    if clause.tense in ("perfect", "past"):  # everyday German tells the past in the perfect
        return (_SEIN if verb.auxiliary == "sein" else _HABEN)[agreement], verb.participle
    if clause.tense == "future":
        return _WERDEN[agreement], verb.particle + verb.infinitive
    return (_SEIN[agreement] if verb.frame == "copula" else verb.german(agreement)), verb.particle
