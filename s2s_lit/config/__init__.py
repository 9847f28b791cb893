"""The configuration: composed from files and the command line, explained, and built into parts."""
