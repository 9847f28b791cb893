"""All calls to MLflow: the store's address, runs, sweeps' runs, the registry, the UI."""
