"""Text to ids and back: vocabularies, word and subword tokenizers."""
