"""Tasks: how a model is trained, evaluated and read, as LightningModules."""
