"""All that knows MLflow: the store, the logger, a run's life, its records and pictures.

Import the modules themselves; this one stays empty so that looking up a run costs neither torch nor Lightning.
"""
