"""Settings that make a training take seconds."""

TINY = [
    "--data.corpus.train_rows=300",
    "--data.corpus.evaluation_rows=30",
    "--data.tokenizer.vocab_size=200",
    "--model.embedding_size=16",
    "--model.decoder.feature_size=16",
    "--model.encoder.recurrence.hidden_size=8",
    "--model.decoder.recurrence.hidden_size=8",
    "--trainer.max_epochs=2",
    "--trainer.limit_train_batches=3",
    "--task.search.max_length_ratio=1",
    "--task.validation_search.max_length_ratio=1",
]

TINY_LANGUAGE_MODEL = [
    "--data.corpus.train_rows=300",
    "--data.corpus.evaluation_rows=30",
    "--data.tokenizer.vocab_size=200",
    "--model.embedding_size=16",
    "--model.recurrence.hidden_size=24",
    "--task.search.max_length_offset=20",
]
