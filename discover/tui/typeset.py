"""A law as mathematics in plain characters: fractions over and under a bar, exponents raised, Greek letters.

In: a law's tree. Out: lines of Unicode text. Stays out: meaning; brackets follow the tree, not a simplifier.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeGuard

from discover.law import Call, Expression, Law, Number, Symbol

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
_BELOW, _ABOVE = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"), str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_NAMES = {"log": "ln", "log10": "log₁₀", "log2": "log₂", "gamma": "Γ", "sigmoid": "σ", "atan": "arctan"}
_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4
_TALLEST = 24  # lines; a tree that would grow further is written with slashes


@dataclass(frozen=True)
class _Box:
    """A rectangle of characters; `base` is the line that its neighbours stand on; `binding` as of an operator.

    `factors` are the parts of a product, for where it has to be broken.
    """

    lines: tuple[str, ...]
    base: int
    binding: int = _ATOM
    factors: tuple[_Box, ...] = ()

    @property
    def width(self) -> int:
        return len(self.lines[0])

    @property
    def below(self) -> int:
        return len(self.lines) - 1 - self.base


def typeset(law: Law, target: str = "", width: int = 0) -> tuple[str, ...]:
    """`target = law`, in as many lines as it takes.

    Args:
        width: Characters to the right edge; the sum is broken before terms that would pass it. 0 for no edge. Of a term
            that is wider the product is broken; what is wider still stays whole.
    """
    names = {name: _symbol(name) for name in (*law.inputs, *law.parameters)}
    looks = list(names.values())
    names = {name: look if looks.count(look) == 1 else name for name, look in names.items()}
    expression, flat = law.expression, _height(law.expression) > _TALLEST
    told = _symbol(target)
    if width and target and _is_exponential(expression) and _box(expression, names, flat).width + len(told) + 3 > width:
        told, expression = f"ln {told}", expression.arguments[0]  # an exponent cannot be broken, this sum can
    heading = _text(f"{told} = " if target else "")
    indent = _text(" " * (heading.width if heading.width < width // 3 else 2))
    rows: list[_Box] = []
    row = heading
    for box in _terms(expression, names, flat):
        pieces = [box] if not width or indent.width + box.width <= width else [*box.factors] or [box]
        for piece in pieces:
            if width and row not in (heading, indent) and row.width + piece.width > width:
                rows.append(row)
                row = indent
            row = _beside(row, piece)
    rows.append(row)
    apart = any(len(box.lines) > 1 for box in rows)  # else an exponent seems to belong to the row above
    lines = [line.rstrip() for box in rows for line in (*box.lines, *([""] if apart else []))]
    return tuple(lines[:-1] if apart else lines)


def _is_exponential(node: Expression) -> TypeGuard[Call]:
    return isinstance(node, Call) and node.function == "exp"


def _terms(node: Expression, names: dict[str, str], flat: bool) -> list[_Box]:
    """The boxes of a sum's terms with their signs; of anything else, one box."""
    if not (isinstance(node, Call) and node.function in ("add", "sub")):
        return [_box(node, names, flat)]
    boxes = []
    for place, term in enumerate(node.arguments):
        sign = "-" if node.function == "sub" and place else "+"
        if isinstance(term, Call) and term.function == "neg":
            sign, term = ("+" if sign == "-" else "-"), term.arguments[0]
        elif isinstance(term, Number) and term.value < 0:
            sign, term = ("+" if sign == "-" else "-"), Number(-term.value)
        box = _bound(_box(term, names, flat), _PRODUCT)
        lead = _text((f" {sign} " if place else "") if sign == "+" else (" − " if place else "−"))
        whole = _beside(lead, box)
        factors = (_beside(lead, box.factors[0]), *box.factors[1:]) if box.factors else ()
        boxes.append(_Box(whole.lines, whole.base, whole.binding, factors))
    return boxes


def _box(node: Expression, names: dict[str, str], flat: bool) -> _Box:
    if isinstance(node, Number):
        return _number(node.value)
    if isinstance(node, Symbol):
        return _text(names.get(node.name, node.name))
    function, arguments = node.function, node.arguments
    if function in ("add", "sub"):
        return _as(_beside(*_terms(node, names, flat)), _SUM)
    boxes = [_box(argument, names, flat) for argument in arguments]
    if function == "neg":
        return _as(_beside(_text("−"), _bound(boxes[0], _PRODUCT)), _SUM)
    if function == "mul":
        return _product(boxes)
    if function == "div":
        return _fraction(boxes[0], boxes[1], flat)
    if function == "pow":
        return _power(boxes[0], boxes[1], flat)
    if function == "exp":
        return _power(_text("e"), boxes[0], flat)
    if function == "sqrt":
        return _beside(_text("√"), _bound(boxes[0], _ATOM))
    if function == "abs":
        return _fenced(boxes[0], "│", "│")
    inside = boxes[0]
    for box in boxes[1:]:
        inside = _beside(inside, _text(", "), box)
    return _beside(_text(_NAMES.get(function, function)), _fenced(inside))


def _product(boxes: list[_Box]) -> _Box:
    factors = [_bound(boxes[0], _PRODUCT)]
    factors += [_beside(_text("·"), _bound(box, _POWER)) for box in boxes[1:]]
    whole = _beside(*factors)
    return _Box(whole.lines, whole.base, _PRODUCT, tuple(factors))


def _fraction(above: _Box, below: _Box, flat: bool) -> _Box:
    if flat:
        return _as(_beside(_bound(above, _PRODUCT), _text("/"), _bound(below, _POWER)), _PRODUCT)
    width = max(above.width, below.width) + 2
    lines = [line.center(width) for line in above.lines] + ["─" * width] + [line.center(width) for line in below.lines]
    return _Box(tuple(lines), len(above.lines), _POWER)


def _power(base: _Box, exponent: _Box, flat: bool) -> _Box:
    base = _bound(base, _ATOM)
    raised = exponent.lines[0].translate(_ABOVE).replace("−", "⁻")
    if len(base.lines) == len(exponent.lines) == 1 and re.fullmatch("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", raised):
        return _as(_beside(base, _text(raised)), _POWER)
    if flat:
        return _as(_beside(base, _text("^"), _bound(exponent, _ATOM)), _POWER)
    blank = " " * base.width
    lines = [blank + line for line in exponent.lines] + [line + " " * exponent.width for line in base.lines]
    return _Box(tuple(lines), base.base + len(exponent.lines), _POWER)


def _number(value: float) -> _Box:
    digits, _, exponent = f"{value:.6g}".replace("-", "−").partition("e")
    if not exponent:
        return _Box((digits,), 0, _SUM if value < 0 else _ATOM)
    power = str(int(exponent.replace("−", "-"))).translate(_ABOVE)
    return _Box((f"{digits}×10{power}",), 0, _SUM if value < 0 else _PRODUCT)


def _symbol(name: str) -> str:
    match = re.fullmatch(r"([A-Za-z]+?)_?([0-9]*)_?", name)
    if match is None:
        return name
    stem, index = match.groups()
    if stem in _GREEK or len(stem) == 1:
        return _GREEK.get(stem, stem) + index.translate(_BELOW)
    return name


def _text(text: str) -> _Box:
    return _Box((text,), 0)


def _as(box: _Box, binding: int) -> _Box:
    return _Box(box.lines, box.base, binding)


def _bound(box: _Box, around: int) -> _Box:
    """In brackets where it binds less tightly than what it stands in."""
    return _fenced(box) if box.binding < around else box


def _fenced(box: _Box, left: str = "⎛⎜⎝", right: str = "⎞⎟⎠") -> _Box:
    n = len(box.lines)
    if n == 1:
        pair = ("(", ")") if len(left) == 3 else (left, right)
        return _Box((f"{pair[0]}{box.lines[0]}{pair[1]}",), 0)
    if len(left) == 1:
        left, right = left * 3, right * 3
    sides = [(left[0], right[0]), *[(left[1], right[1])] * (n - 2), (left[2], right[2])]
    return _Box(tuple(a + line + b for (a, b), line in zip(sides, box.lines, strict=True)), box.base)


def _beside(*boxes: _Box) -> _Box:
    above, below = max(box.base for box in boxes), max(box.below for box in boxes)
    lines = [""] * (above + below + 1)
    for box in boxes:
        blank = " " * box.width
        padded = [blank] * (above - box.base) + list(box.lines) + [blank] * (below - box.below)
        lines = [line + part for line, part in zip(lines, padded, strict=True)]
    return _Box(tuple(lines), above)


def _height(node: Expression) -> int:
    """Lines that the tree takes at most."""
    if not isinstance(node, Call):
        return 1
    heights = [_height(argument) for argument in node.arguments]
    if node.function in ("div", "pow"):
        return sum(heights) + (node.function == "div")
    return max(heights) + (node.function == "exp")
