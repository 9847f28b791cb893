"""Batches in an order that can stop and go on anywhere, in memory or streaming."""
