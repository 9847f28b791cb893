"""OpenNMT-py's half of `opennmt.py`, which starts it with the Python that has OpenNMT-py.

It prints its number of parameters; then, for each `train` or `search` that it reads, the seconds of the processor that
this took.
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from typing import Any

import pyonmttok
import torch
from onmt import opts
from onmt.constants import DefaultTokens
from onmt.model_builder import build_model
from onmt.trainer import build_trainer
from onmt.translate import GNMTGlobalScorer
from onmt.translate.translator import Translator
from onmt.utils.optimizers import Optimizer
from onmt.utils.parse import ArgumentParser
from onmt.utils.statistics import Statistics

SPECIALS = [DefaultTokens.PAD, DefaultTokens.UNK, DefaultTokens.BOS, DefaultTokens.EOS]  # in s2s_lit's order
NETWORK = """
    --encoder_type brnn --enc_layers 1 --dec_layers 1 --hidden_size 512 --word_vec_size 256
    --global_attention general --input_feed 1 --dropout 0.3
    --optim adam --learning_rate 0.002 --max_grad_norm 1 --label_smoothing 0.1
    --data none --src_vocab none
""".split()
SEARCH = "--beam_size 5 --length_penalty wu --alpha 1 --max_length_ratio 0 --model none --src none".split()


def main() -> None:
    given = torch.load(sys.argv[1])
    torch.set_num_threads(1)
    vocabulary = pyonmttok.build_vocab_from_tokens([*SPECIALS, *map(str, range(len(SPECIALS), given["vocab_size"]))])
    vocabularies = {"src": vocabulary, "tgt": vocabulary, "decoder_start_token": DefaultTokens.BOS}
    options = read(NETWORK, opts.train_opts)
    ArgumentParser.update_model_opts(options)
    options.data = {}
    model = build_model(options, options, vocabularies, None, -1)
    trainer = build_trainer(options, -1, model, vocabularies, Optimizer.from_opt(model, options))
    translation = read(SEARCH, opts.translate_opts)
    scorer = GNMTGlobalScorer.from_opt(translation)
    translator = Translator.from_opt(model, vocabularies, translation, options, scorer)
    print(sum(parameter.numel() for parameter in model.parameters()), flush=True)
    for line in sys.stdin:
        kind = line.strip()
        since = time.process_time()
        if kind == "train":
            train(trainer, given[kind])
        else:
            search(translator, given[kind])
        print(time.process_time() - since, flush=True)


def read(words: list[str], options: Any) -> Namespace:
    parser = ArgumentParser()
    options(parser)
    return parser.parse_args(words)


def train(trainer: Any, batches: list[dict[str, torch.Tensor]]) -> None:
    trainer.model.train()
    for batch in batches:
        trainer._gradient_accumulation([batch], len(batch["src"]), Statistics(), Statistics())


def search(translator: Translator, batches: list[dict[str, Any]]) -> None:
    translator.model.eval()
    for batch in batches:
        translator.min_length = translator.max_length = batch["length"]
        translator.translate_batch(batch, attn_debug=False)


if __name__ == "__main__":
    main()
