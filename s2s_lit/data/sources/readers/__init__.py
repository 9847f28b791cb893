"""Bytes to rows: a reader for each format."""
