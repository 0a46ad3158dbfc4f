"""How far a long step is: the one shape in which the library tells it to whoever draws it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (done, total), in bytes or pieces, as often as a step likes."""
