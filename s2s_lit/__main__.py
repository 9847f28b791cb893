"""The program `s2s`: one verb a command. Heavy imports wait for the verb that needs them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from s2s_lit.cli.arguments import CONFIGURABLE, make_parser
from s2s_lit.errors import PeerError, UserError

OF_SLURM = ("SLURM_NTASKS", "SLURM_PROCID")
"""Variables by which Lightning would take this program for one process of several, and requeue its job by itself."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; errors that the user can mend, those of files too, are one message and status 2."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments, overrides = make_parser().parse_known_args(words)
    for name in OF_SLURM:  # who trains together is known by torchrun's, and a requeued job by its id
        os.environ.pop(name, None)
    arguments.words = words  # a training that takes several processes starts each of them with the same
    if overrides and arguments.verb not in CONFIGURABLE:
        make_parser().error(f"unrecognized arguments: {' '.join(overrides)}")
    try:
        return _verb(arguments.verb)(arguments, overrides)
    except PeerError as error:
        return error.status
    except UserError as error:
        print(f"s2s: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if os.environ.get("RANK", "0") == "0":  # of several processes one says it
            print("s2s: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, e.g. `head`
        sys.stderr.close()
        return 1
    except OSError as error:  # a file that is not there, a folder that may not be written, a full disk
        where = "" if error.filename is None else f"{error.filename}: "
        print(f"s2s: error: {where}{error.strerror or error}", file=sys.stderr)
        return 2


def _verb(name: str) -> Callable[[argparse.Namespace, list[str]], int]:
    """The function of that name in the module of that name."""
    name = name.replace("-", "_")
    verb: Callable[[argparse.Namespace, list[str]], int] = getattr(import_module(f"s2s_lit.cli.{name}"), name)
    return verb


if __name__ == "__main__":
    sys.exit(main())
