"""Parts of a network. They know tensors only: no vocabulary, no configuration, no Lightning."""
