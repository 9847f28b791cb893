"""Where rows come from: files, folders, addresses, the Hugging Face Hub, mixtures and splits of them."""
