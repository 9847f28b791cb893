"""Random choices that make an abstract sentence: which words, which phrases, which clauses."""
