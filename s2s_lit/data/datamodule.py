"""The data of an experiment, as Lightning asks for it."""

from __future__ import annotations

from functools import partial
from typing import Any

from lightning.pytorch import LightningDataModule
from tqdm import tqdm

from s2s_lit.data.batching.batchers import Batcher, LengthBuckets, positive
from s2s_lit.data.cleaning.cleaner import Cleaner, PairReader, SplitReport
from s2s_lit.data.cleaning.filters import Filter
from s2s_lit.data.fields.encoding import EncodedCorpus, Encoder, Resegmenter, TokenLimits
from s2s_lit.data.loading.dealing import Share
from s2s_lit.data.loading.in_memory import MemoryLoader
from s2s_lit.data.loading.loader import BatchLoader
from s2s_lit.data.loading.streaming import StreamLoader
from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.rows import Rows
from s2s_lit.errors import UserError
from s2s_lit.lightning_adapter import batches_done
from s2s_lit.text.normalize import Form
from s2s_lit.text.tokenizer import TokenizerBuilder, TokenizerPair

_POOL = 32  # evaluation batches whose sentences are sorted by length together


class DataModule(LightningDataModule):
    """Sentence pairs of a corpus as batches.

    Training pairs that are empty, too long or that a filter objects to are dropped and counted; evaluation splits keep
    every pair, whole. Rows that are no pairs (a field is missing, is no text, is broken) are counted in every split.

    Args:
        source: The corpus.
        tokenizer: Builds the vocabularies from the training split.
        batcher: Groups the training pairs.
        source_column: The column translated from; a dotted path finds a nested one, as in `translation.en`.
        target_column: The column translated to.
        unicode_form: Unicode normalization of all text: NFC, or NFKC, which also replaces full-width letters, ligatures
            and the like, in the references too.
        filters: Which training pairs are left out, asked in this order; the vocabulary is built from what they keep.
        strict: Stop at the first malformed row with its file and number, instead of counting it.
        streaming: Read the rows again each epoch instead of keeping them encoded in memory.
        max_source_length: Most tokens of a training source.
        max_target_length: Most tokens of a training target.
        shuffle_pool: Rows that are shuffled together when streaming; in memory all pairs are.
        eval_batch_size: Pairs in a batch of an evaluation split.
        num_workers: Processes that make training batches ahead, for each training process; the batches and their order
            are the same with any number. One is enough in memory, several encode a stream faster.
        seed: Of the order of the training pairs.
    """

    def __init__(
        self,
        *,
        source: CorpusSource,
        tokenizer: TokenizerBuilder,
        batcher: Batcher,
        source_column: str = "en",
        target_column: str = "de",
        unicode_form: Form = "NFC",
        filters: list[Filter] | None = None,
        strict: bool = False,
        streaming: bool = False,
        max_source_length: int = 100,
        max_target_length: int = 100,
        shuffle_pool: int = 10_000,
        eval_batch_size: int = 64,
        num_workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.source = source
        self.tokenizer = tokenizer
        self.batcher = batcher
        self.reader = PairReader(source_column, target_column, unicode_form)
        self.filters = filters or []
        self.strict = strict
        self.streaming = streaming
        self.longest = (max_source_length + 1, max_target_length + 1)  # positions of a training pair, EOS counted
        self.limits = TokenLimits(source=max_source_length, target=max_target_length)
        self.shuffle_pool = positive("shuffle_pool", shuffle_pool, of="data")
        self.eval_batch_size = positive("eval_batch_size", eval_batch_size, of="data")
        if num_workers < 0:
            raise UserError(f"data.num_workers must be at least 0, not {num_workers}")
        self.num_workers = num_workers
        self.seed = seed
        self.test_split = "test"
        self._tokenizers: TokenizerPair | None = None
        self._opened: dict[str, Rows] = {}
        self._corpora: dict[str, EncodedCorpus] = {}
        self._streams: dict[str, StreamLoader] = {}
        self._training: BatchLoader | None = None
        self._stopped_at: dict[str, Any] = {}

    @property
    def tokenizers(self) -> TokenizerPair:
        """The vocabularies; there are none before `setup`, unless they were assigned (from a checkpoint)."""
        if self._tokenizers is None:
            raise RuntimeError("the tokenizers are built by setup()")
        return self._tokenizers

    @tokenizers.setter
    def tokenizers(self, tokenizers: TokenizerPair) -> None:
        self._tokenizers = tokenizers

    @property
    def report(self) -> dict[str, Any]:
        """For the run's records: the corpus, its columns, and for each split that was read its rows, what was kept,
        what was dropped or malformed by reason, and a hash of its texts that does not depend on their order.

        A streamed split is complete after its first whole pass.
        """
        splits = {split: read.report.as_dict() for split, read in (self._corpora | self._streams).items()}
        columns = [self.reader.source_column, self.reader.target_column]
        return {**self.source.identity(), "columns": columns, "streaming": self.streaming, "splits": splits}

    @property
    def constant_count(self) -> bool:
        """Whether each epoch has the same number of training batches, known before it begins."""
        return not self.streaming and self.batcher.constant_count

    def dealing(self, processes: int) -> str:
        """What the user should know of how rows are dealt to so many processes; empty if each has shards of its own."""
        shards = self._rows("train").num_shards if self.streaming else 0
        left_over = shards % processes
        if not left_over:
            return ""
        return f"{shards} shards for {processes} processes: {left_over} of them are read by all, in turns"

    def setup(self, stage: str | None = None) -> None:
        """Builds the tokenizers if there are none, and encodes the training split before the model waits for it.

        Raises:
            UserError: the corpus, a split or a column is not there or empty, also one that only the end of training
                needs; or no training pair is left.
        """
        if stage == "fit":
            for split in ("validation", self.test_split):
                pairs = self._cleaner(split, [])(self._rows(split).all(), SplitReport())
                if next(pairs, None) is None:
                    raise UserError(f"the {split} split has no pair: there would be nothing to score (data.source)")
        encode = stage in ("fit", None) and not self.streaming and "train" not in self._corpora
        if self._tokenizers is not None and not encode:
            return
        rows = self._rows("train")  # once: the built-in corpus takes seconds to generate
        if self._tokenizers is None:
            cleaned = self._cleaner("train", self.filters)(rows.all(), SplitReport())
            self._tokenizers = self.tokenizer.build((source, target) for _, source, target in cleaned)
            self._tokenizers.form = self.reader.form
        if encode:
            self._corpus("train", self.limits).report.require_pairs()

    def train_dataloader(self) -> BatchLoader:
        loader = self._loader("train", self.batcher, shuffle=True, limits=self.limits)
        if self.tokenizers.samples:
            self._require_whole_targets()
            loader.resegment = Resegmenter(self.tokenizers, self.seed)
        if self.trainer is not None:
            loader.progress = partial(batches_done, self.trainer)
        if self._stopped_at:
            loader.load_state_dict(self._stopped_at)
            self._stopped_at = {}
        self._training = loader
        return loader

    def state_dict(self) -> dict[str, Any]:
        """For checkpoints: where training stands in the data."""
        return {} if self._training is None else self._training.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The next training loader goes on from there.

        Lightning restores a loader's own state too late where it has begun the first pass already, to count the steps
        of `max_epochs` for a schedule; and none after an epoch's end.
        """
        self._stopped_at = state_dict

    def val_dataloader(self) -> BatchLoader:
        return self.loader("validation")

    def test_dataloader(self) -> BatchLoader:
        return self.loader(self.test_split)

    def loader(self, split: str) -> BatchLoader:
        """Every pair of any split, always in the same batches of similar lengths; `rows` tells their order."""
        batcher = LengthBuckets(size=self.eval_batch_size, pool=_POOL * self.eval_batch_size)
        return self._loader(split, batcher, shuffle=False, limits=None)

    def _loader(self, split: str, batcher: Batcher, *, shuffle: bool, limits: TokenLimits | None) -> BatchLoader:
        options: Any = {"shuffle": shuffle, "seed": self.seed, "share": self._share()}
        options["num_workers"] = self.num_workers if shuffle else 0
        if not self.streaming:
            return MemoryLoader(self._corpus(split, limits), batcher, **options)
        pool = self.shuffle_pool if shuffle else _POOL * self.eval_batch_size
        encoder = self._encoder(split, limits)
        self._streams[split] = StreamLoader(self._rows(split), encoder, batcher, pool=pool, **options)
        return self._streams[split]

    def _share(self) -> Share:
        return Share() if self.trainer is None else Share(self.trainer.global_rank, self.trainer.world_size)

    def _corpus(self, split: str, limits: TokenLimits | None) -> EncodedCorpus:
        """The split in memory, encoded once."""
        if split not in self._corpora:
            report = SplitReport()
            rows = tqdm(self._rows(split).all(), f"encoding {split}", unit=" rows", leave=False, delay=2, disable=None)
            self._corpora[split] = EncodedCorpus(self._encoder(split, limits)(rows, report), report)
        return self._corpora[split]

    def _encoder(self, split: str, limits: TokenLimits | None) -> Encoder:
        """For training if there are limits: then the filters are asked, too."""
        return Encoder(self._cleaner(split, self.filters if limits else []), self.tokenizers, limits)

    def _require_whole_targets(self) -> None:
        """In memory windows are planned from lengths that a segmentation drawn later does not have."""
        if not self.streaming and self.batcher.cuts:
            raise UserError(
                f"data.batcher={type(self.batcher).__name__} cuts sentences whose segmentation is drawn anew "
                "(data.tokenizer.sampling): set data.streaming=true, or data.tokenizer.sampling=null"
            )

    def _cleaner(self, split: str, filters: list[Filter]) -> Cleaner:
        return Cleaner(self.reader, filters, self._rows(split).place if self.strict else None)

    def _rows(self, split: str) -> Rows:
        if split not in self._opened:
            self._opened[split] = self.source.rows(split, streaming=self.streaming)
            self._opened[split].require(self.reader.source_column, self.reader.target_column)
        return self._opened[split]
