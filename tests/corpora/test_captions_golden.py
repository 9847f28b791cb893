"""Whole sentences, one or more for each phenomenon of the grammar, written by hand."""

from __future__ import annotations

import pytest

from s2s_lit.corpora.captions.lexicon.tables import load
from s2s_lit.corpora.captions.lexicon.words import Conjunction
from s2s_lit.corpora.captions.structures.clauses import Clause
from s2s_lit.corpora.captions.structures.noun_phrases import NounPhrase, PrepositionalPhrase
from s2s_lit.corpora.captions.structures.phrases import (
    WHAT,
    WHO,
    Coordination,
    Fixed,
    Predicate,
    Pronoun,
    ProperName,
    RelativePronoun,
)
from s2s_lit.corpora.captions.structures.sentences import InfinitiveClause, Sentence, Subordinate

LEXICON = load()


def verb(english: str, infinitive: str = "", frame: str = ""):
    """The verb of that name; the German infinitive or the frame tells homonyms apart."""
    found = [v for v in LEXICON.verbs if v.en == english and infinitive in ("", v.particle + v.infinitive)]
    return next(v for v in found if frame in ("", v.frame))


def np(words: str, plural: bool = False, **more) -> NounPhrase:
    """'the old man', '' for no determiner: 'old man'; the noun may be a compound ('a kitchen table')."""
    parts = words.split()
    determiner = LEXICON.determiners.get(parts[0])
    parts = parts[1:] if determiner else parts
    nouns = {noun.en: noun for noun in LEXICON.nouns + LEXICON.compounds}
    size = 2 if " ".join(parts[-2:]) in nouns else 1
    adjectives = tuple(next(a for a in LEXICON.adjectives if a.en == word) for word in parts[:-size])
    return NounPhrase(nouns[" ".join(parts[-size:])], determiner, plural, adjectives, **more)


def name(english: str) -> ProperName:
    return ProperName(next(n for n in LEXICON.names if n.en == english))


def pronoun(subject: str) -> Pronoun:
    row = LEXICON.pronouns[subject]
    return Pronoun(subject, row["object"], row["possessive"], row["agreement"], row)


def pp(key: str, phrase, case: str = "dat") -> PrepositionalPhrase:
    return PrepositionalPhrase.of(LEXICON.prepositions[key], phrase, case)


def at(phrase: NounPhrase) -> PrepositionalPhrase:
    assert phrase.noun.location is not None
    return PrepositionalPhrase(*phrase.noun.location, "dat", phrase)


def fixed(english: str) -> Fixed:
    return next(Fixed(adverb.en, adverb.de) for adverb in LEXICON.adverbs if adverb.en == english)


def modal(english: str):
    return next(modal for modal in LEXICON.modals if modal.en == english)


def conjunction(english: str, german: str) -> Conjunction:
    return next(c for c in LEXICON.conjunctions if (c.en, c.de) == (english, german))


def adjective(english: str):
    return next(a for a in LEXICON.adjectives if a.en == english)


def progressive(subject, english: str, **more) -> Clause:
    infinitive, frame = more.pop("de", ""), more.pop("frame", "")
    return Clause(subject, verb(english, infinitive, frame), more.pop("tense", "progressive"), **more)


MAN, WOMAN, HAT = np("the man"), np("the woman"), np("the hat")

STATEMENTS = [
    # separable verbs; verb second; the particle rejoins at the end of a subordinate clause and around zu
    (progressive(MAN, "pick up", accusative=HAT), "The man is picking up the hat.", "Der Mann hebt den Hut auf."),
    (
        progressive(MAN, "pick up", accusative=HAT, time=fixed("today"), front="time"),
        "Today, the man is picking up the hat.",
        "Heute hebt der Mann den Hut auf.",
    ),
    (
        Clause(
            WOMAN,
            verb("say"),
            trailing=Subordinate(Conjunction("that", "dass"), progressive(MAN, "pick up", accusative=HAT)),
        ),
        "The woman says that the man is picking up the hat.",
        "Die Frau sagt, dass der Mann den Hut aufhebt.",
    ),
    (
        Clause(
            WOMAN, verb("try"), "progressive", trailing=InfinitiveClause(Clause(WOMAN, verb("pick up"), accusative=HAT))
        ),
        "The woman is trying to pick up the hat.",
        "Die Frau versucht, den Hut aufzuheben.",
    ),
    (
        Clause(
            MAN,
            verb("go"),
            "progressive",
            complement=pp("to", np("the market")),
            trailing=InfinitiveClause(Clause(MAN, verb("buy"), accusative=np("bread")), purpose=True),
        ),
        "The man is going to the market in order to buy bread.",
        "Der Mann geht zum Markt, um Brot zu kaufen.",
    ),
    # put on: what is put on decides
    (
        progressive(pronoun("she"), "put on", de="anziehen", accusative=np("a warm coat")),
        "She is putting on a warm coat.",
        "Sie zieht einen warmen Mantel an.",
    ),
    (
        progressive(pronoun("she"), "put on", de="aufsetzen", accusative=np("a warm cap")),
        "She is putting on a warm cap.",
        "Sie setzt eine warme Mütze auf.",
    ),
    # perfect with haben and sein; past; future; modal verbs
    (
        Clause(np("the child"), verb("fall asleep"), "perfect", frequency=fixed("already")),
        "The child has already fallen asleep.",
        "Das Kind ist bereits eingeschlafen.",
    ),
    (
        Clause(pronoun("I"), verb("read", frame="transitive"), "perfect", accusative=np("a exciting book")),
        "I have read an exciting book.",
        "Ich habe ein spannendes Buch gelesen.",
    ),
    (
        Clause(
            pronoun("we"),
            verb("hike"),
            "past",
            complement=pp("through", np("the forest")),
            time=fixed("yesterday"),
            front="time",
        ),
        "Yesterday, we hiked through the forest.",
        "Gestern sind wir durch den Wald gewandert.",
    ),
    (
        Clause(
            pronoun("they"), verb("travel"), "future", complement=pp("to_city", name("Vienna")), time=fixed("tomorrow")
        ),
        "They will travel to Vienna tomorrow.",
        "Sie werden morgen nach Wien reisen.",
    ),
    (
        Clause(np("the boy"), verb("tidy up"), "present", modal("have to"), accusative=np("his bedroom")),
        "The boy has to tidy up his bedroom.",
        "Der Junge muss sein Schlafzimmer aufräumen.",
    ),
    (
        Clause(np("the girl"), verb("sing", frame="activity"), "past", modal("want to"), negated=True),
        "The girl did not want to sing.",
        "Das Mädchen wollte nicht singen.",
    ),
    (
        Clause(pronoun("I"), verb("visit"), "present", modal("can"), negated=True, accusative=name("Anna")),
        "I cannot visit Anna.",
        "Ich kann Anna nicht besuchen.",
    ),
    # negation
    (
        progressive(MAN, "buy", negated=True, accusative=np("a new hat")),
        "The man is not buying a new hat.",
        "Der Mann kauft keinen neuen Hut.",
    ),
    (
        progressive(MAN, "drink", negated=True, accusative=np("cold milk")),
        "The man is not drinking cold milk.",
        "Der Mann trinkt keine kalte Milch.",
    ),
    (
        progressive(MAN, "buy", negated=True, accusative=HAT),
        "The man is not buying the hat.",
        "Der Mann kauft den Hut nicht.",
    ),
    (
        progressive(np("the dog"), "sleep", negated=True, place=at(np("the garden"))),
        "The dog is not sleeping in the garden.",
        "Der Hund schläft nicht im Garten.",
    ),
    (
        progressive(
            MAN,
            "wait for",
            negated=True,
            complement=PrepositionalPhrase("", "auf", "acc", np("the bus")),
            place=at(np("the station")),
        ),
        "The man is not waiting for the bus at the station.",
        "Der Mann wartet am Bahnhof nicht auf den Bus.",
    ),
    (
        Clause(MAN, verb("unpack"), "present", frequency=fixed("never"), accusative=np("the suitcase")),
        "The man never unpacks the suitcase.",
        "Der Mann packt den Koffer nie aus.",
    ),
    (
        Clause(MAN, verb("bake"), "present", frequency=fixed("never"), accusative=np("a cake")),
        "The man never bakes a cake.",
        "Der Mann backt nie einen Kuchen.",
    ),
    (
        progressive(MAN, "help", negated=True, dative=np("a friend")),
        "The man is not helping a friend.",
        "Der Mann hilft keinem Freund.",
    ),
    # two-way prepositions: direction or place; contractions
    (
        progressive(WOMAN, "put", accusative=np("the cup"), complement=pp("on", np("the table"), "acc")),
        "The woman is putting the cup on the table.",
        "Die Frau stellt die Tasse auf den Tisch.",
    ),
    (
        progressive(np("the cat"), "lie", complement=pp("on", np("the table"), "dat")),
        "The cat is lying on the table.",
        "Die Katze liegt auf dem Tisch.",
    ),
    (
        progressive(np("the cat"), "run", complement=pp("into", np("the house"))),
        "The cat is running into the house.",
        "Die Katze läuft ins Haus.",
    ),
    (
        progressive(np("the lady"), "go", complement=pp("to", np("the old church"))),
        "The lady is going to the old church.",
        "Die Dame geht zur alten Kirche.",
    ),
    (
        progressive(np("the nurse"), "dream of", complement=PrepositionalPhrase("", "von", "dat", np("the lake"))),
        "The nurse is dreaming of the lake.",
        "Die Krankenschwester träumt vom See.",
    ),
    (
        progressive(pronoun("I"), "work", place=at(np("the market"))),
        "I am working at the market.",
        "Ich arbeite auf dem Markt.",
    ),
    (
        progressive(
            pronoun("I"), "work", time=pp("because_of", np("the rain")), place=at(np("the station")), front="time"
        ),
        "Because of the rain, I am working at the station.",
        "Wegen des Regens arbeite ich am Bahnhof.",
    ),
    (
        progressive(name("Tom"), "play", manner=pp("without", np("the friend"))),
        "Tom is playing without the friend.",
        "Tom spielt ohne den Freund.",
    ),
    (
        progressive(
            MAN,
            "talk to",
            complement=PrepositionalPhrase("", "mit", "dat", WOMAN),
            manner=fixed("quietly"),
            place=fixed("here"),
        ),
        "The man is talking to the woman quietly here.",
        "Der Mann spricht hier leise mit der Frau.",
    ),
    (
        progressive(MAN, "sleep", manner=fixed("peacefully"), place=at(np("the kitchen"))),
        "The man is sleeping peacefully in the kitchen.",
        "Der Mann schläft friedlich in der Küche.",
    ),
    # dative: recipients, weak nouns, dative plural; order of the middle field
    (
        progressive(WOMAN, "give", dative=np("the boy"), accusative=np("a red ball"), place=at(np("the park"))),
        "The woman is giving the boy a red ball in the park.",
        "Die Frau gibt dem Jungen im Park einen roten Ball.",
    ),
    (
        progressive(WOMAN, "explain", dative=np("the small child", plural=True), accusative=np("the game")),
        "The woman is explaining the game to the small children.",
        "Die Frau erklärt den kleinen Kindern das Spiel.",
    ),
    (
        progressive(
            np("the teacher"), "repair", accusative=np("the car"), manner=fixed("carefully"), time=fixed("today")
        ),
        "The teacher is repairing the car carefully today.",
        "Der Lehrer repariert heute vorsichtig das Auto.",
    ),
    (
        progressive(MAN, "call", accusative=pronoun("she"), time=fixed("today"), front="time"),
        "Today, the man is calling her.",
        "Heute ruft der Mann sie an.",
    ),
    (
        progressive(MAN, "help", dative=pronoun("we"), time=fixed("today"), front="time"),
        "Today, the man is helping us.",
        "Heute hilft uns der Mann.",
    ),
    # reflexive verbs
    (
        progressive(
            pronoun("we"), "look forward to", complement=PrepositionalPhrase("", "auf", "acc", np("the party"))
        ),
        "We are looking forward to the party.",
        "Wir freuen uns auf die Feier.",
    ),
    (
        progressive(MAN, "hurry", time=fixed("now"), front="time"),
        "Now, the man is hurrying.",
        "Jetzt beeilt sich der Mann.",
    ),
    # genitive, names, numbers, measures, compounds, strong plural
    (
        progressive(np("the dog", possessor=np("the old farmer")), "bark"),
        "The old farmer's dog is barking.",
        "Der Hund des alten Bauern bellt.",
    ),
    (
        progressive(np("small dog", possessor=name("Anna")), "bark"),
        "Anna's small dog is barking.",
        "Annas kleiner Hund bellt.",
    ),
    (
        progressive(MAN, "count", accusative=np("old coin", plural=True, number=21)),
        "The man is counting twenty-one old coins.",
        "Der Mann zählt einundzwanzig alte Münzen.",
    ),
    (
        progressive(
            MAN, "play with", complement=PrepositionalPhrase("", "mit", "dat", np("small dog", plural=True, number=2))
        ),
        "The man is playing with two small dogs.",
        "Der Mann spielt mit zwei kleinen Hunden.",
    ),
    (
        progressive(MAN, "drink", accusative=np("a glass", content=np("water").noun)),
        "The man is drinking a glass of water.",
        "Der Mann trinkt ein Glas Wasser.",
    ),
    (
        progressive(MAN, "repair", accusative=np("several toy car", plural=True)),
        "The man is repairing several toy cars.",
        "Der Mann repariert mehrere Spielzeugautos.",
    ),
    (
        Clause(np("all tired child", plural=True), verb("sleep"), "present"),
        "All tired children sleep.",
        "Alle müden Kinder schlafen.",
    ),
    # predicates and comparison
    (
        Clause(np("the apple"), LEXICON.be, complement=Predicate(adjective("ripe")), negated=True),
        "The apple is not ripe.",
        "Der Apfel ist nicht reif.",
    ),
    (
        Clause(np("my dog"), LEXICON.be, complement=Predicate(adjective("big"), np("the cat"))),
        "My dog is bigger than the cat.",
        "Mein Hund ist größer als die Katze.",
    ),
    # there is
    (
        Clause(
            np("cat", plural=True, number=2),
            LEXICON.be,
            place=pp("under", np("the table")),
            front="place",
            existential=True,
        ),
        "There are two cats under the table.",
        "Unter dem Tisch sind zwei Katzen.",
    ),
    # subordinate clauses, before and after
    (
        progressive(
            WOMAN,
            "read",
            accusative=np("a book"),
            trailing=Subordinate(conjunction("while", "während"), progressive(np("the dog"), "sleep")),
        ),
        "The woman is reading a book while the dog is sleeping.",
        "Die Frau liest ein Buch, während der Hund schläft.",
    ),
    (
        progressive(
            WOMAN,
            "read",
            accusative=np("a book"),
            trailing=Subordinate(conjunction("while", "während"), progressive(np("the dog"), "sleep")),
            front="trailing",
        ),
        "While the dog is sleeping, the woman is reading a book.",
        "Während der Hund schläft, liest die Frau ein Buch.",
    ),
    (
        Clause(
            MAN,
            verb("cry"),
            "past",
            trailing=Subordinate(
                conjunction("when", "als"), Clause(pronoun("he"), verb("lose"), "past", accusative=HAT)
            ),
        ),
        "The man cried when he lost the hat.",
        "Der Mann hat geweint, als er den Hut verloren hat.",
    ),
    # questions
    (
        Clause(MAN, verb("read", frame="transitive"), accusative=np("the book"), question=True, front=""),
        "Does the man read the book?",
        "Liest der Mann das Buch?",
    ),
    (
        progressive(MAN, "read", accusative=WHAT, question=True, front="accusative"),
        "What is the man reading?",
        "Was liest der Mann?",
    ),
    (
        progressive(MAN, "visit", accusative=WHO, question=True, front="accusative"),
        "Who is the man visiting?",
        "Wen besucht der Mann?",
    ),
    (
        progressive(WHO, "look for", accusative=np("the key"), question=True),
        "Who is looking for the key?",
        "Wer sucht den Schlüssel?",
    ),
    (
        Clause(MAN, verb("work"), "past", place=Fixed("where", "wo"), question=True, front="place"),
        "Where did the man work?",
        "Wo hat der Mann gearbeitet?",
    ),
    # coordination agrees in the plural
    (
        progressive(Coordination(MAN, WOMAN), "dance", place=fixed("outside")),
        "The man and the woman are dancing outside.",
        "Der Mann und die Frau tanzen draußen.",
    ),
]


@pytest.mark.parametrize(("clause", "english", "german"), STATEMENTS, ids=[german for _, _, german in STATEMENTS])
def test_sentence(clause, english, german):
    assert Sentence(clause).texts() == (english, german)


def relative(words: str, build, plural: bool = False) -> NounPhrase:
    """A noun phrase with the relative clause that `build` makes from its pronoun."""
    phrase = np(words, plural)
    phrase.relative = build(RelativePronoun(phrase.gender, phrase.human, pied_piped=True))
    return phrase


def thing(pronoun_: RelativePronoun) -> RelativePronoun:
    pronoun_.pied_piped = False
    return pronoun_


RELATIVES = [
    (
        relative("the man", lambda r: progressive(r, "wear", accusative=np("a red hat"))),
        "The man who is wearing a red hat is laughing.",
        "Der Mann, der einen roten Hut trägt, lacht.",
    ),
    (
        relative("the boy", lambda r: progressive(WOMAN, "help", dative=r, front="dative")),
        "The boy whom the woman is helping is laughing.",
        "Der Junge, dem die Frau hilft, lacht.",
    ),
    (
        relative("child", lambda r: progressive(WOMAN, "help", dative=r, front="dative"), plural=True),
        "Children whom the woman is helping are laughing.",
        "Kinder, denen die Frau hilft, lachen.",
    ),
    (
        relative("the woman", lambda r: progressive(NounPhrase(np("dog").noun, possessor=r), "bark")),
        "The woman whose dog is barking is laughing.",
        "Die Frau, deren Hund bellt, lacht.",
    ),
    (
        relative(
            "the baker",
            lambda r: progressive(
                MAN, "wait for", complement=PrepositionalPhrase("", "auf", "acc", r), front="complement"
            ),
        ),
        "The baker whom the man is waiting for is laughing.",
        "Der Bäcker, auf den der Mann wartet, lacht.",
    ),
]


@pytest.mark.parametrize(("subject", "english", "german"), RELATIVES, ids=[german for _, _, german in RELATIVES])
def test_relative_clause_of_the_subject(subject, english, german):
    assert Sentence(progressive(subject, "laugh")).texts() == (english, german)


def test_relative_clause_at_the_end_moves_behind_the_closing_part():
    book = relative(
        "the book",
        lambda r: Clause(
            pronoun("he"), verb("forget", frame="transitive"), "past", accusative=thing(r), front="accusative"
        ),
    )
    assert Sentence(Clause(WOMAN, verb("pick up"), "perfect", accusative=book)).texts() == (
        "The woman has picked up the book that he forgot.",
        "Die Frau hat das Buch aufgehoben, das er vergessen hat.",
    )


def test_no_contraction_before_a_noun_that_a_relative_clause_picks_out():
    chair = relative("the park", lambda r: Clause(thing(r), LEXICON.be, complement=Predicate(adjective("beautiful"))))
    assert Sentence(progressive(pronoun("we"), "dance", place=at(chair))).texts() == (
        "We are dancing in the park that is beautiful.",
        "Wir tanzen in dem Park, der schön ist.",
    )


def test_place_relative_with_its_preposition():
    chair = relative(
        "the chair", lambda r: progressive(np("the cat"), "lie", complement=pp("on", r), front="complement")
    )
    assert Sentence(progressive(MAN, "repair", accusative=chair)).texts() == (
        "The man is repairing the chair on which the cat is lying.",
        "Der Mann repariert den Stuhl, auf dem die Katze liegt.",
    )


def test_joined_clauses():
    opens = Clause(MAN, verb("open"), accusative=np("the door"))
    goes = Clause(MAN, verb("go"), complement=pp("into", np("the house")))
    assert Sentence(opens, goes, "and", shared=True).texts() == (
        "The man opens the door and goes into the house.",
        "Der Mann öffnet die Tür und geht ins Haus.",
    )
    sleeps = progressive(WOMAN, "sleep")
    assert Sentence(progressive(MAN, "work"), sleeps, "but").texts() == (
        "The man is working, but the woman is sleeping.",
        "Der Mann arbeitet, aber die Frau schläft.",
    )
