"""The data of an experiment, as Lightning asks for it."""

from __future__ import annotations

from collections import deque
from functools import partial
from itertools import islice
from typing import Any

from lightning.pytorch import LightningDataModule
from tqdm import tqdm

from s2s_lit.data.batching.batchers import Batcher, LengthBuckets, positive
from s2s_lit.data.cleaning.cleaner import Cleaner
from s2s_lit.data.cleaning.filters import Filter
from s2s_lit.data.cleaning.lost_rows import lost_rows, refuse_too_many
from s2s_lit.data.cleaning.reader import RowReader
from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.data.fields.base import Field
from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.loading.corpus import EncodedCorpus
from s2s_lit.data.loading.dealing import Share
from s2s_lit.data.loading.encoding import Redraw, RowEncoder
from s2s_lit.data.loading.in_memory import MemoryLoader
from s2s_lit.data.loading.loader import BatchLoader
from s2s_lit.data.loading.streaming import StreamLoader
from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.rows import Rows
from s2s_lit.errors import UserError
from s2s_lit.lightning_adapter import batches_done
from s2s_lit.text.tokenizer import TokenizerBuilder
from s2s_lit.types import TARGET

_FIRST = 1000  # rows of a stream that are looked at before training
_FIRST_ROWS = "first rows of train"
_POOL = 32  # evaluation batches whose examples are sorted by length together


class DataModule(LightningDataModule):
    """Examples of a corpus as batches.

    Training examples that are empty, too long or that a filter objects to are dropped and counted; evaluation splits
    keep every example, whole. Rows that are no examples (a field is missing, is no text, is broken) are counted in
    every split. A training that loses more than half of its rows stops, and so does an evaluation split that loses any.

    Args:
        corpus: Where the rows come from.
        fields: How the inputs and the `target` are read, by name; a model knows its inputs by their names.
        columns: The column of each field: a name, a dotted path to a nested one, as in `texts.en`, or a number
            from 0 where files have no header. `references` may name a column of further right answers, one text or a
            list. Columns of fields that an experiment does not have are passed over.
        batcher: Groups the training examples.
        tokenizer: Builds one tokenizer for all text fields that have none of their own, from the training split.
        join_tokens: Target tokens of successive rows that are joined into one example of whole rows, each row ended by
            the end mark, in every split; 0: a row is an example. Only where there is no input. A stream joins the rows
            of each `shuffle_pool` for themselves.
        filters: Which training examples are left out, asked in this order; tokenizers are built from what they keep.
        strict: Stop at the first malformed row with its file and number, instead of counting it.
        allow_lost_rows: Go on whatever part of the rows is lost; it is only told.
        streaming: Read the rows again each epoch instead of keeping them encoded in memory.
        shuffle_pool: Rows that are shuffled together when streaming; in memory all examples are.
        eval_batch_size: Examples in a batch of an evaluation split.
        num_workers: Processes that make training batches ahead, for each training process; the batches and their order
            are the same with any number. One is enough in memory, several encode a stream faster.
        seed: Of the order of the training examples.
    """

    def __init__(
        self,
        *,
        corpus: CorpusSource,
        fields: dict[str, Field],
        columns: dict[str, str | int],
        batcher: Batcher,
        tokenizer: TokenizerBuilder | None = None,
        join_tokens: int = 0,
        filters: list[Filter] | None = None,
        strict: bool = False,
        allow_lost_rows: bool = False,
        streaming: bool = False,
        shuffle_pool: int = 10_000,
        eval_batch_size: int = 64,
        num_workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.corpus = corpus
        self.fields = Fields(fields, tokenizer=tokenizer)
        self.reader = RowReader(self.fields, columns)
        self.batcher = batcher
        self.join_tokens = self._joinable(join_tokens)
        self.filters = filters or []
        self.strict = strict
        self.allow_lost_rows = allow_lost_rows
        self.streaming = streaming
        self.shuffle_pool = positive("shuffle_pool", shuffle_pool, of="data")
        self.eval_batch_size = positive("eval_batch_size", eval_batch_size, of="data")
        if num_workers < 0:
            raise UserError(f"data.num_workers must be at least 0, not {num_workers}")
        self.num_workers = num_workers
        self.seed = seed
        self.test_split = "test"
        self._opened: dict[str, Rows] = {}
        self._looked_at: dict[str, SplitReport] = {}
        self._corpora: dict[str, EncodedCorpus] = {}
        self._streams: dict[str, StreamLoader] = {}
        self._training: BatchLoader | None = None
        self._stopped_at: dict[str, Any] = {}

    @property
    def report(self) -> dict[str, Any]:
        """For the run's records: the corpus, its columns, and for each split that was read its rows, what was kept,
        what was dropped or malformed by reason, and a hash of its texts that does not depend on their order.

        A streamed split is complete after its first whole pass.
        """
        splits = {split: read.report.as_dict() for split, read in (self._corpora | self._streams).items()}
        columns = list(self.reader.columns.values())
        return {**self.corpus.identity(), "columns": columns, "streaming": self.streaming, "splits": splits}

    @property
    def longest(self) -> dict[str, int]:
        """Most positions of a training example in a batch, by field."""
        longest = {name: field.longest for name, field in self.fields.items()}
        return {**longest, TARGET: longest[TARGET] + self.join_tokens}

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
                needs; or no training example is left.
        """
        if stage == "fit":
            for split in ("validation", self.test_split):
                if split not in self._looked_at:
                    self._look_at(split)
        if not self.fields.is_ready:
            cleaned = self._cleaner("train", self.filters)(self._rows("train").all(), SplitReport())
            self.fields.build(read.texts for _, read in cleaned)
        if stage in ("fit", None):
            if not self.streaming:
                self._corpus("train", for_training=True)
            elif _FIRST_ROWS not in self._looked_at:
                self._look_at_stream()

    @property
    def lost_rows(self) -> list[str]:
        """A line for each split that was read and has lost rows: how many, and why."""
        read = {split: each.report for split, each in (self._corpora | self._streams).items()}
        lines = (lost_rows(split, report) for split, report in (read | self._looked_at).items())
        return [line for line in lines if line]

    def train_dataloader(self) -> BatchLoader:
        loader = self._loader("train", self.batcher, for_training=True)
        if self.fields.samples:
            self._require_whole_targets()
            loader.redraw = Redraw(self.fields, self.seed)
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
        """Every example of any split, always in the same batches of similar lengths; `rows` tells their order."""
        batcher = LengthBuckets(size=self.eval_batch_size, pool=_POOL * self.eval_batch_size)
        return self._loader(split, batcher, for_training=False)

    def _loader(self, split: str, batcher: Batcher, *, for_training: bool) -> BatchLoader:
        options: Any = {"shuffle": for_training, "seed": self.seed, "share": self._share()}
        options["num_workers"] = self.num_workers if for_training else 0
        if not self.streaming:
            return MemoryLoader(self._corpus(split, for_training), batcher, **options)
        pool = self.shuffle_pool if for_training else _POOL * self.eval_batch_size
        encoder = self._encoder(split, for_training)
        self._streams[split] = StreamLoader(self._rows(split), encoder, batcher, pool=pool, **options)
        return self._streams[split]

    def _share(self) -> Share:
        return Share() if self.trainer is None else Share(self.trainer.global_rank, self.trainer.world_size)

    def _corpus(self, split: str, for_training: bool) -> EncodedCorpus:
        """The split in memory, encoded once."""
        if split not in self._corpora:
            report = SplitReport()
            rows = tqdm(self._rows(split).all(), f"encoding {split}", unit=" rows", leave=False, delay=2, disable=None)
            examples = self._encoder(split, for_training)(rows, report)
            self._corpora[split] = EncodedCorpus(examples, self.fields, report)
            self._require_enough(split, report, for_training=for_training)
        return self._corpora[split]

    def _look_at(self, split: str) -> None:
        """Reads an evaluation split before training, so that it does not fail when training ends."""
        report = self._looked_at[split] = SplitReport()
        report.kept = sum(1 for _ in self._cleaner(split, [])(self._rows(split).all(), report))
        self._require_enough(split, report, for_training=False)

    def _look_at_stream(self) -> None:
        """Encodes the first training rows, to learn before training what part of a stream is lost."""
        report = self._looked_at[_FIRST_ROWS] = SplitReport()
        deque(self._encoder("train", for_training=True)(islice(self._rows("train").all(), _FIRST), report), maxlen=0)
        self._require_enough(_FIRST_ROWS, report, for_training=True)

    def _require_enough(self, split: str, report: SplitReport, *, for_training: bool) -> None:
        if for_training:
            report.require_examples()
        elif not report.kept:
            raise UserError(f"the {split} split has no example: there would be nothing to score (data.corpus)")
        if not self.allow_lost_rows:
            refuse_too_many(split, report, training=for_training)

    def _encoder(self, split: str, for_training: bool) -> RowEncoder:
        cleaner = self._cleaner(split, self.filters if for_training else [])
        return RowEncoder(cleaner, self.fields, limited=for_training, join_tokens=self.join_tokens)

    def _joinable(self, tokens: int) -> int:
        if tokens < 0:
            raise UserError(f"data.join_tokens must be at least 0, not {tokens}")
        if tokens and self.fields.inputs:
            raise UserError(
                "data.join_tokens joins targets, and each of them belongs to an input "
                f"({', '.join(self.fields.inputs)}): set it to 0, or data.fields to the target alone"
            )
        return tokens

    def _require_whole_targets(self) -> None:
        """Tokens drawn later have other lengths than windows in memory are planned from, and know no joined rows."""
        if self.join_tokens:
            raise UserError(
                "data.join_tokens joins tokens that are the same in each epoch: set the tokenizer's sampling to null"
            )
        if not self.streaming and self.batcher.cuts:
            raise UserError(
                f"data.batcher={type(self.batcher).__name__} cuts targets whose tokens are drawn anew "
                "(sampling of a tokenizer): set data.streaming=true, or sampling=null"
            )

    def _cleaner(self, split: str, filters: list[Filter]) -> Cleaner:
        return Cleaner(self.reader, filters, self._rows(split).place if self.strict else None)

    def _rows(self, split: str) -> Rows:
        if split not in self._opened:
            self._opened[split] = self.corpus.rows(split, streaming=self.streaming)
            self._opened[split].require(*self.reader.columns.values(), optional=self.reader.optional_columns)
        return self._opened[split]
