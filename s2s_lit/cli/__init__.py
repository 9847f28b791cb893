"""The program: composes a configuration, builds what it names, and runs a verb."""
