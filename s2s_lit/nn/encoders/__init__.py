"""Encoders: from embedded source positions to a encoded that a decoder looks at."""
