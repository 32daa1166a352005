"""How figures look, and how they become SVG for a page or a file of their own.

Ink is written as `currentColor`: an SVG inside a page takes the page's colour, light or dark. Text from outside is
never read as markup: `text.parse_math` is off, and Matplotlib escapes it for SVG.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from discover.errors import DiscoverError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, FAINT = "#161b22", "#8b949e"
# Told apart by most colour-blind eyes, and readable on white and on near-black (after Wong 2011).
COLOURS = ("#1f77d0", "#d9730d", "#2a9d5f", "#b34fc5", "#c8a415", "#d1495b", "#3aa6b9", "#7a6ff0")
MANY = 1500  # marks from which on a figure holds them as a picture
_DPI = 160
_STYLE: dict[str, Any] = {
    "text.parse_math": False, "axes.unicode_minus": False, "svg.fonttype": "none", "font.size": 9.5,
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"],
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": FAINT, "axes.linewidth": 0.8,
    "axes.labelcolor": INK, "text.color": INK, "xtick.color": FAINT, "ytick.color": FAINT,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "axes.titlesize": 10, "axes.titlecolor": INK,
    "axes.grid": True, "grid.color": FAINT, "grid.alpha": 0.22, "grid.linewidth": 0.6, "axes.axisbelow": True,
    "legend.frameon": False, "legend.fontsize": 8.5, "figure.dpi": _DPI, "savefig.dpi": _DPI,
    "figure.constrained_layout.use": True,
}  # fmt: skip


@contextmanager
def style() -> Iterator[Callable[..., Figure]]:
    """Gives what makes a figure; within it, Matplotlib draws as our pages look.

    Raises:
        DiscoverError: Matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise DiscoverError("report: needs Matplotlib; install it: pip install matplotlib") from None
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **_STYLE, "backend": matplotlib.rcParams["backend"]}):
        yield Figure


def to_svg(figure: Figure, name: str) -> str:
    """The figure as an <svg> element for a page; `name` keeps its ids apart from those of other figures."""
    import matplotlib

    written = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    for pattern in (r'id="', r'xlink:href="#', r"url\(#"):
        text = re.sub(pattern, lambda found: found.group() + name + "-", text)
    return text.replace(INK, "currentColor")


def to_file(figure: Figure, form: str) -> bytes:
    """The figure as the bytes of a file, "svg" or "png", on white."""
    written = io.BytesIO()
    figure.savefig(written, format=form, facecolor="white", metadata={"Date": None} if form == "svg" else None)
    return written.getvalue()


def log_ticks(axis: Any) -> None:
    """Ticks of a logarithmic axis as 10⁹, without mathematical markup; 2 and 5 as well on a short axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    narrow = low > 0 and high / low < 50
    axis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0) if narrow else (1.0,), numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
    axis.set_minor_formatter(NullFormatter())


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float) -> str:
    """1e9 as 10⁹, 2e9 as 2·10⁹; numbers near one as they are."""
    if 1e-3 <= abs(value) < 1e4 or value == 0:
        return f"{value:g}"
    digits, _, exponent = f"{value:.0e}".partition("e")
    raised = "10" + str(int(exponent)).translate(_RAISED)
    return raised if digits == "1" else f"{digits}·{raised}"
