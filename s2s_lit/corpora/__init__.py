"""The generated corpora: a folder for each, with the grammar that makes it."""
