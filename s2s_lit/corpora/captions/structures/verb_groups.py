"""The verb and its helpers: auxiliary and main verb in English, the two parts of the verbal bracket in German."""

from __future__ import annotations

from dataclasses import dataclass

from s2s_lit.corpora.captions.lexicon.words import Modal, Verb

_BE = {"1s": "am", "3s": "is"}
_SEIN = {"1s": "bin", "3s": "ist", "1p": "sind", "3p": "sind"}
_HABEN = {"1s": "habe", "3s": "hat", "1p": "haben", "3p": "haben"}
_WERDEN = {"1s": "werde", "3s": "wird", "1p": "werden", "3p": "werden"}


@dataclass(frozen=True, slots=True)
class VerbGroup:
    """A verb in a tense, perhaps with a modal verb, that agrees with its subject."""

    verb: Verb
    agreement: str
    tense: str
    modal: Modal | None = None
    negated: bool = False

    def english(self, support: bool = False) -> tuple[str, str]:
        """The auxiliary ("" if none) and the main verb; negation, and a question by `support`, call in 'do'."""
        verb, agreement = self.verb, self.agreement
        third = agreement == "3s"
        support = support or self.negated
        if self.modal is not None:
            return self._english_modal(self.modal, third, support)
        if verb.frame == "copula" and self.tense in ("present", "past"):
            present = _BE.get(agreement, "are")
            return (present if self.tense == "present" else "was" if agreement in ("1s", "3s") else "were"), ""
        if self.tense == "progressive":
            return _BE.get(agreement, "are"), verb.en_ing
        if self.tense == "perfect":
            return ("has" if third else "have"), verb.en_participle
        if self.tense == "future":
            return "will", verb.en
        if self.tense == "past":
            return ("did", verb.en) if support else ("", verb.en_past)
        if support:
            return ("does" if third else "do"), verb.en
        return "", (verb.en_third if third else verb.en)

    def _english_modal(self, modal: Modal, third: bool, support: bool) -> tuple[str, str]:
        past = self.tense == "past"
        if modal.auxiliary:
            auxiliary, _, rest = (modal.past if past else modal.en).partition(" ")
            return auxiliary, f"{rest} {self.verb.en}".strip()
        if support:
            return ("did" if past else "does" if third else "do"), f"{modal.en} {self.verb.en}"
        form = modal.past if past else modal.third if third else modal.en
        return "", f"{form} {self.verb.en}"

    def german(self) -> tuple[str, str]:
        """The finite verb and the closing part of the bracket ("" if none)."""
        verb, agreement = self.verb, self.agreement
        if self.modal is not None:
            return self.modal.german(agreement, self.tense == "past"), verb.particle + verb.infinitive
        if verb.frame == "copula" and self.tense == "past":
            return ("war" if agreement in ("1s", "3s") else "waren"), ""
        if self.tense in ("perfect", "past"):  # everyday German tells the past in the perfect
            return (_SEIN if verb.auxiliary == "sein" else _HABEN)[agreement], verb.participle
        if self.tense == "future":
            return _WERDEN[agreement], verb.particle + verb.infinitive
        return (_SEIN[agreement] if verb.frame == "copula" else verb.german(agreement)), verb.particle
