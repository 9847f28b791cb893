"""A generated English-German corpus: everyday sentences of 3 to 30 words.

`drawing` draws a sentence at random as an abstract structure, `structures` says it in both languages, `lexicon` holds
the words and their forms; `generate` makes the splits, and `source` is the corpus that an experiment names.
"""
