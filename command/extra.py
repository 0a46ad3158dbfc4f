"""Which optional packages a command needs, said before anything heavy is imported."""

from __future__ import annotations

from importlib.util import find_spec

from ..engine.errors import DependencyError


def need_torch(what: str = "models need") -> None:
    """Say which packages of the extra `train` are missing.

    Args:
        what: subject and verb of the message.

    Raises:
        DependencyError: one is.
    """
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise DependencyError(f"{what} {' and '.join(missing)}: pip install 'pagemill[train]'")
