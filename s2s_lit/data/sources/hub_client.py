"""One repository of the Hugging Face Hub, as `datasets` finds it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from s2s_lit.data.sources.hub_file import TOO_OFTEN
from s2s_lit.data.sources.rows import reason_of
from s2s_lit.errors import UserError

if TYPE_CHECKING:  # importing it takes a second, which is spent when data is read
    from datasets import DatasetBuilder

T = TypeVar("T")

_PATIENCE_S = 8.0  # for the Hub to answer


class UnreachableError(UserError):
    """The Hub does not answer, or is not to be asked (HF_HUB_OFFLINE)."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"The Hugging Face Hub cannot be reached, so {path!r} cannot be read ({reason}): train on the built-in "
            "corpus (DATA=builtin), or point DATA_DIR at a local copy of the repository."
        )


class HubRepository:
    """A data set of the Hub, at one revision.

    Args:
        path: Its name, `owner/name`.
        name: The configuration, where it has several.
        revision: A branch, a tag or a commit; None is the main branch.
    """

    def __init__(self, path: str, name: str | None = None, revision: str | None = None) -> None:
        self.path = path
        self.name = name
        self.revision = revision or "main"

    def builder(self) -> DatasetBuilder:
        """What knows the splits of the configuration and their files.

        Raises:
            UnreachableError: there is no answer within seconds.
            UserError: there is no such repository, revision or configuration, or it is not open to this user.
        """
        commit = self._asked(lambda: _within_seconds(self._commit))
        return self._asked(lambda: self._builder_at(commit))

    def _commit(self) -> str:
        """Asks once: `datasets` itself tries again for half a minute where there is no network."""
        from huggingface_hub import HfApi, get_token

        info = HfApi().dataset_info(self.path, revision=self.revision, timeout=_PATIENCE_S)
        if info.gated and not get_token():
            raise UserError(self._gated())
        return info.sha or self.revision

    def _builder_at(self, commit: str) -> DatasetBuilder:
        import datasets
        from datasets.exceptions import DatasetNotFoundError
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError

        with suppress(EntryNotFoundError):  # so that the cache knows the revision by this name, too
            hf_hub_download(self.path, "README.md", repo_type="dataset", revision=self.revision)
        try:
            # the address, not the name: a local folder of that name is not meant
            return datasets.load_dataset_builder(f"hf://datasets/{self.path}", self.name, revision=commit)
        except DatasetNotFoundError as error:
            raise error.__cause__ or error from None
        except FileNotFoundError as error:
            raise UserError(
                f"The repository {self.path!r} holds no file that can be read (data.corpus.path)."
            ) from error
        except (ValueError, TypeError, KeyError, RuntimeError) as error:  # a configuration, or what the README says
            raise UserError(self._refused(error)) from error

    def _refused(self, error: Exception) -> str:
        known = re.search(r"(?:Available|configs): \[(.*)\]", str(error))
        if known:
            lacking = f"no configuration {self.name!r}" if self.name else "several configurations"
            return f"The data set {self.path!r} has {lacking}; there are {known[1]} (data.corpus.name)."
        if "scripts are no longer supported" in str(error):
            return (
                f"The data set {self.path!r} is read by a program of its own, which is not run: take the copy that the "
                "Hub made of it (data.corpus.revision: refs/convert/parquet)."
            )
        return f"The data set {self.path!r} cannot be read: {reason_of(error)} (data.corpus.path)"

    def downloaded(self, addresses: Sequence[str]) -> list[str]:
        """The paths of files in the Hub's cache; those that are not there are downloaded."""
        from datasets import DownloadManager

        paths: Any = self._asked(lambda: DownloadManager(dataset_name=self.path).download(list(addresses)))
        return [str(path) for path in paths]

    def cached_folder(self) -> Path | None:
        """The folder of the files that were downloaded before, if there are any."""
        from huggingface_hub import constants, scan_cache_dir
        from huggingface_hub.errors import CacheNotFound

        try:
            repositories = scan_cache_dir(constants.HF_HUB_CACHE).repos
        except CacheNotFound:
            return None
        own = (each for each in repositories if (each.repo_type, each.repo_id) == ("dataset", self.path))
        snapshots = [snapshot for each in own for snapshot in each.revisions]
        named = [each for each in snapshots if self.revision == each.commit_hash or self.revision in each.refs]
        return next((each.snapshot_path for each in named), None)

    def _asked(self, question: Callable[[], T]) -> T:
        """The Hub's answer; its refusals as one sentence.

        Raises:
            UnreachableError: there is none.
        """
        from huggingface_hub import errors

        try:
            return question()
        except errors.GatedRepoError as error:
            raise UserError(self._gated()) from error
        except errors.RevisionNotFoundError as error:
            raise UserError(
                f"The data set {self.path!r} has no revision {self.revision!r} (data.corpus.revision)."
            ) from error
        except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
            raise UserError(
                f"The Hub has no data set {self.path!r}, or it is private and needs `hf auth login` (data.corpus.path)."
            ) from error
        except errors.HfHubHTTPError as error:
            status = error.response.status_code
            if status == 429:
                raise UserError(f"The Hugging Face Hub answers that {TOO_OFTEN}") from error
            if status < 500:
                raise UserError(f"The Hub refuses {self.path!r}: HTTP {status} (data.corpus.path).") from error
            raise UnreachableError(self.path, f"HTTP {status}") from error
        except UserError:
            raise
        except Exception as error:  # what its HTTP client raises depends on the client's version
            raise UnreachableError(self.path, reason_of(error)) from error

    def _gated(self) -> str:
        return (
            f"The data set {self.path!r} is gated: accept its terms at its page on the Hub, then log in with "
            "`hf auth login` (or set HF_TOKEN)."
        )


def _within_seconds(call: Callable[[], T]) -> T:
    """What `call` returns or raises; a name server may hang longer than any timeout of a connection.

    Raises:
        TimeoutError: it takes too long.
    """
    outcome: list[T] = []
    failure: list[Exception] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as error:
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(_PATIENCE_S)
    if failure:
        raise failure[0]
    if not outcome:
        raise TimeoutError(f"no answer within {_PATIENCE_S:.0f} seconds")
    return outcome[0]
