"""Encoders: from embedded source positions to a memory that a decoder looks at."""
