"""The words: tables of entries, and the word forms of both languages."""
