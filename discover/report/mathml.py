"""A formula as MathML, which browsers typeset by themselves: no script, no font, no picture.

In: a tree. Out: markup in which every name was escaped. A sum comes as one element for each term, so that a long law
breaks between its terms as text does.
"""

from __future__ import annotations

import html
import re

from discover.law import Call, Expression, Number, Symbol

_GREEK = dict(
    zip(
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "omicron",
            "pi",
            "rho",
            "sigma",
            "tau",
            "upsilon",
            "phi",
            "chi",
            "psi",
            "omega",
        ],
        "αβγδεζηθικλμνξοπρστυφχψω",
        strict=True,
    )
)
_SUM, _PRODUCT, _POWER, _ATOM = range(4)


def to_mathml(expression: Expression, left: str = "") -> str:
    """`left = expression` as a row of <math> elements, one for each term of the outermost sum."""
    terms: list[tuple[str, Expression]] = []
    _terms(expression, "+", terms)
    parts = []
    for place, (sign, term) in enumerate(terms):
        lead = _lead(sign, place)
        head = _name(left) + _operator("=") if left and not place else ""
        parts.append(f'<math display="inline"><mrow>{head}{lead}{_text(term, _PRODUCT)}</mrow></math>')
    return f'<span class="law">{"".join(parts)}</span>'


def name_mathml(name: str) -> str:
    """A name alone, as it stands in the formula."""
    return f"<math>{_name(name)}</math>"


def _terms(node: Expression, sign: str, found: list[tuple[str, Expression]]) -> None:
    flipped = "-" if sign == "+" else "+"
    if isinstance(node, Call) and node.function == "add":
        for argument in node.arguments:
            _terms(argument, sign, found)
    elif isinstance(node, Call) and node.function == "sub":
        _terms(node.arguments[0], sign, found)
        _terms(node.arguments[1], flipped, found)
    elif isinstance(node, Call) and node.function == "neg":
        _terms(node.arguments[0], flipped, found)
    elif isinstance(node, Number) and node.value < 0:
        found.append((flipped, Number(-node.value)))
    else:
        found.append((sign, node))


def _lead(sign: str, place: int) -> str:
    """The sign before a term: between two terms it has room on both sides, before the first it belongs to it."""
    if place == 0:
        return "<mo>−</mo>" if sign == "-" else ""
    return _operator("−" if sign == "-" else "+")


def _text(node: Expression, around: int) -> str:
    """The node, in brackets where it binds less tightly than what stands around it."""
    if isinstance(node, Number):
        return _number(node.value) if node.value >= 0 or around == _SUM else _bracketed(_number(node.value))
    if isinstance(node, Symbol):
        return _name(node.name)
    written, binding = _call(node)
    return _bracketed(written) if binding < around else f"<mrow>{written}</mrow>"


def _call(node: Call) -> tuple[str, int]:
    first, *rest = node.arguments
    name = node.function
    if name in ("add", "sub", "neg"):
        terms: list[tuple[str, Expression]] = []
        _terms(node, "+", terms)
        written = ""
        for place, (sign, term) in enumerate(terms):
            written += _lead(sign, place) + _text(term, _PRODUCT)
        return written, _SUM
    if name == "mul":
        written = _text(first, _PRODUCT)
        for factor in rest:
            between = _operator("·") if isinstance(factor, Number) else "<mo>&#8290;</mo><mspace width='0.12em'/>"
            written += between + _text(factor, _POWER if _is_negative(factor) else _PRODUCT)
        return written, _PRODUCT
    if name == "div":
        return f"<mfrac><mrow>{_text(first, _SUM)}</mrow><mrow>{_text(rest[0], _SUM)}</mrow></mfrac>", _PRODUCT
    if name == "pow":
        return f"<msup>{_text(first, _ATOM)}<mrow>{_text(rest[0], _SUM)}</mrow></msup>", _POWER
    if name == "sqrt":
        return f"<msqrt>{_text(first, _SUM)}</msqrt>", _POWER
    if name == "exp":
        return f"<msup><mi>e</mi><mrow>{_text(first, _SUM)}</mrow></msup>", _POWER
    if name == "abs":
        return f"<mo>|</mo>{_text(first, _SUM)}<mo>|</mo>", _ATOM
    arguments = "<mo>,</mo>".join(_text(argument, _SUM) for argument in node.arguments)
    return f"<mi>{html.escape(name)}</mi><mo>&#8289;</mo>{_bracketed(arguments)}", _POWER


def _is_negative(node: Expression) -> bool:
    return isinstance(node, Call) and node.function == "neg"


def _bracketed(written: str) -> str:
    return f'<mrow><mo fence="true">(</mo>{written}<mo fence="true">)</mo></mrow>'


def _operator(sign: str) -> str:
    return f'<mo form="infix">{sign}</mo>'


def _number(value: float) -> str:
    digits, _, exponent = f"{value:.6g}".partition("e")
    if not exponent:
        return f"<mn>{digits.replace('-', '−')}</mn>"
    power = f"<msup><mn>10</mn><mn>{int(exponent)}</mn></msup>".replace("-", "−")
    return f"<mrow><mn>{digits.replace('-', '−')}</mn><mo>×</mo>{power}</mrow>"


def _name(name: str) -> str:
    """alpha_N as a Greek letter with an index, num_params upright."""
    parts = re.fullmatch(r"([A-Za-z]+?)_?([0-9]*|(?<=_)[A-Za-z0-9]+)_?", name)
    stem, index = parts.groups() if parts else (name, "")
    if stem in _GREEK:
        base = f"<mi>{_GREEK[stem]}</mi>"
    elif len(stem) == 1 and stem != "e":
        base = f"<mi>{stem}</mi>"
    else:
        return f'<mi mathvariant="normal">{html.escape(name)}</mi>'
    return f"<msub>{base}<mi mathvariant='normal'>{html.escape(index)}</mi></msub>" if index else base
