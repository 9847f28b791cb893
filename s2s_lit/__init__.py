"""s2s_lit: train, compare and tune recurrent sequence-to-sequence models."""

__version__ = "0.1.0"
