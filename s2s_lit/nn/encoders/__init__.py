"""Encoders: from embedded source positions to outputs that a decoder looks at."""
