"""How a sweep's trials are run: supervisor, processes, ownership, storage."""
