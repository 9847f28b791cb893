"""Fields: how one named input or output of an example is read, measured and put into a batch."""
