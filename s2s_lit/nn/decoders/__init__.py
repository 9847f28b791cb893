"""Decoders: two ways through each, the whole target at once (training) and one position (search); one result."""
