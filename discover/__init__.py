"""discover: finds the scaling law behind a table of training runs.

    from discover import ScalingLawRegressor, discover, fit, load_task

What these names stand for is imported when it is asked for, so that `import discover` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from discover.api import discover, fit
    from discover.regressor import ScalingLawRegressor
    from discover.task import load_task

__version__ = "0.1.0"

_HOMES = {
    "ScalingLawRegressor": "discover.regressor",
    "discover": "discover.api",
    "fit": "discover.api",
    "load_task": "discover.task",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


__all__ = ["ScalingLawRegressor", "__version__", "discover", "fit", "load_task"]
