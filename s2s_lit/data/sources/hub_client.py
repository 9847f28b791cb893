"""One repository of the Hugging Face Hub: its files' names, their downloads, their URLs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from s2s_lit.data.sources.rows import reason_of
from s2s_lit.errors import UserError

if TYPE_CHECKING:
    from huggingface_hub import DatasetInfo

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
        revision: A branch, a tag or a commit; None is the main branch.
    """

    def __init__(self, path: str, revision: str | None) -> None:
        self.path = path
        self.revision = revision or "main"
        self._commit = self.revision

    def names(self) -> list[str]:
        """The paths of all files.

        Raises:
            UnreachableError: there is no answer within seconds.
            UserError: there is no such repository or revision, or it is not open to this user.
        """
        info = self._asked(lambda: _within_seconds(self._info))
        if getattr(info, "gated", False) and not self.headers():
            raise UserError(self._gated())
        self._commit = info.sha or self.revision
        return [file.rfilename for file in info.siblings or ()]

    def _info(self) -> DatasetInfo:
        from huggingface_hub import HfApi

        return HfApi().dataset_info(self.path, revision=self.revision, timeout=_PATIENCE_S)

    def download(self, name: str) -> str:
        """The path of a file in the Hub's cache; it is downloaded if it is not there."""
        from huggingface_hub import hf_hub_download

        return self._asked(lambda: hf_hub_download(self.path, name, repo_type="dataset", revision=self.revision))

    def url(self, name: str) -> str:
        from huggingface_hub import hf_hub_url

        return hf_hub_url(self.path, name, repo_type="dataset", revision=self._commit)

    def headers(self) -> dict[str, str]:
        """What tells the Hub who asks; empty if nobody is logged in."""
        from huggingface_hub import get_token

        token = get_token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def cached_folder(self) -> Path | None:
        """The folder of the files that were downloaded before, if there are any."""
        from huggingface_hub import constants, scan_cache_dir
        from huggingface_hub.errors import CacheNotFound

        try:
            repositories = scan_cache_dir(constants.HF_HUB_CACHE).repos
        except CacheNotFound:
            return None
        own = (each for each in repositories if (each.repo_type, each.repo_id) == ("dataset", self.path))
        snapshots = (snapshot for each in own for snapshot in each.revisions)
        wanted = (each for each in snapshots if self.revision == each.commit_hash or self.revision in each.refs)
        return next((each.snapshot_path for each in wanted), None)

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
                raise UserError(
                    "The Hugging Face Hub answers that it was asked too often (429): wait some minutes, or log in "
                    "(hf auth login), which allows more."
                ) from error
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
