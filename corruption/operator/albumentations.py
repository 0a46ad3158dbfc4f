"""albumentations' functional layer: pixels in, pixels out, every parameter given.

The only file that imports it. Its 2.0.8 is the last release under the MIT licence. Its bridge to
torch, which would load torch where that is installed, is kept out while it loads.
"""

from __future__ import annotations

import os
import sys

from ...engine.errors import DependencyError

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
_BRIDGE = "albumentations.pytorch"
_blocked = _BRIDGE not in sys.modules
if _blocked:
    sys.modules[_BRIDGE] = None  # type: ignore[assignment]
try:
    from albumentations.augmentations.geometric import functional as geometric
    from albumentations.augmentations.pixel import functional as pixel
except ImportError as err:
    raise DependencyError("corruption needs albumentations: pip install 'pagemill[train]'") from err
finally:
    if _blocked:
        del sys.modules[_BRIDGE]

__all__ = ["geometric", "pixel"]
