"""Parts inside of parts: made where their sizes are known, or handed over ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from torch import nn

from s2s_lit.errors import SettingError

Part = TypeVar("Part", bound=nn.Module)


def made(part: Callable[..., Part], **sizes: int) -> Part:
    """The part that a factory makes of these sizes; or the part itself if it is ready, which must have these sizes.

    A configuration yields factories, `made(GeneralAttention, query_size=8, encoder_size=6)`. Who puts a network
    together in Python may give a module, `made(GeneralAttention(8, 6), query_size=8, encoder_size=6)`.

    Args:
        part: A factory, called with the sizes in their order; or a module that has them as attributes.
        sizes: The sizes by name.

    Raises:
        SettingError: A ready part has other sizes.
    """
    if isinstance(part, nn.Module):
        return fitting(cast(Part, part), **sizes)
    return part(*sizes.values())


def fitting(part: Part, **sizes: int) -> Part:
    """The same part, if it has these sizes.

    Raises:
        SettingError: It has others.
    """
    for name, needed in sizes.items():
        given = getattr(part, name)
        if given != needed:
            raise SettingError(f"{type(part).__name__} was made with {name}={given}, but {name}={needed} fits here")
    return part
