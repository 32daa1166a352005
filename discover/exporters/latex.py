"""LaTeX: the formula as a display, and a table of its parameters with all their digits."""

from __future__ import annotations

import re
from collections.abc import Mapping

from discover.exporters.fitted import FittedLaw
from discover.exporters.infix import ADD, ATOM, BINDING, MUL, POW
from discover.law import GRAMMAR, Call, Expression, Number, Symbol, walk

_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi|psi|"
    "omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega"
)
_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    character: "\\" + character for character in "&%$#_{}"
}


def export(fitted: FittedLaw) -> str:
    """A LaTeX fragment (amsmath): its origin as comments, the formula, the parameters of each cell."""
    law = fitted.law
    names = symbol_names((*law.inputs, *law.parameters))
    lines = [f"% {line}" for line in fitted.heading()]
    lines += [r"\[", f"  {upright(fitted.target)} = {to_latex(law.expression, names)}", r"\]"]
    if any(isinstance(node, Call) and node.function == "sigmoid" for node in walk(law.expression)):
        lines.append(r"where $\sigma\left(x\right) = \frac{1}{1 + e^{-x}}$.")
    chosen = [word for word, needed in (("group", fitted.by_group), ("target", fitted.by_target)) if needed]
    columns = [*chosen, *(f"${names[name]}$" for name in law.parameters)]
    lines.append(rf"\begin{{tabular}}{{{'l' * len(chosen)}{'r' * len(law.parameters)}}}")
    lines.append(" & ".join(columns) + r" \\ \hline")
    for number, cell in enumerate(fitted.cells):
        words = [_escaped(getattr(cell, word)) for word in chosen]
        values = [f"${number_text(value)}$" for value in fitted.values(number).values()]
        lines.append(" & ".join([*words, *values]) + r" \\")
    return "\n".join([*lines, r"\end{tabular}", ""])


def to_latex(node: Expression, names: Mapping[str, str]) -> str:
    """The formula in math mode; factors are set apart by a thin space, numbers keep all their digits."""

    def text(node: Expression, around: int) -> str:
        if isinstance(node, Number):
            written = number_text(node.value)
            binding = ADD if node.value < 0 else MUL if "times" in written else ATOM
        elif isinstance(node, Symbol):
            return names[node.name]
        else:
            written = operation(node)
            # A power never stands bare under another one: e^{x}^{2} is not LaTeX.
            binding = POW if node.function == "div" else BINDING.get(node.function, POW)
        return rf"\left({written}\right)" if binding < around else written

    def operation(node: Call) -> str:
        first, *rest = node.arguments
        if node.function == "div":
            return rf"\frac{{{text(first, 0)}}}{{{text(rest[0], 0)}}}"
        if node.function == "pow":
            return f"{text(first, ATOM)}^{{{text(rest[0], 0)}}}"
        if node.function == "neg":
            return f"-{text(first, MUL)}"
        if node.function == "add":
            return text(first, ADD) + "".join(term(argument) for argument in rest)
        if node.function == "sub":
            return f"{text(first, ADD)} - {text(rest[0], MUL)}"
        if node.function == "mul":
            written = text(first, MUL)
            for factor in rest:
                piece = text(factor, POW)  # "a -N" would read as a difference
                written += (r" \cdot " if piece[0].isdigit() else r" \, ") + piece
            return written
        return GRAMMAR[node.function].latex.format(*(text(argument, 0) for argument in node.arguments))

    def term(node: Expression) -> str:
        if isinstance(node, Call) and node.function == "neg":
            return f" - {text(node.arguments[0], MUL)}"
        return f" + {text(node, MUL)}"

    return text(node, 0)


def number_text(value: float) -> str:
    r"""The shortest digits that read back as `value`: 1.5e-07 becomes 1.5 \times 10^{-7}."""
    digits, _, exponent = repr(float(value)).removesuffix(".0").partition("e")
    return rf"{digits} \times 10^{{{int(exponent)}}}" if exponent else digits


def symbol_names(names: tuple[str, ...]) -> dict[str, str]:
    r"""Each name in math mode: alpha_N is \alpha_{N}, num_params is upright; no two look the same."""
    pretty = {name: _pretty(name) for name in names}
    looks = list(pretty.values())
    return {name: look if looks.count(look) == 1 else upright(name) for name, look in pretty.items()}


def _pretty(name: str) -> str:
    parts = re.fullmatch(r"([A-Za-z]+?)_?([0-9]*|(?<=_)[A-Za-z0-9]+)_?", name)
    if parts is None:
        return upright(name)
    stem, index = parts.groups()
    if _GREEK.fullmatch(stem):
        base = "\\" + stem
    elif len(stem) == 1:
        base = stem if stem != "e" else r"\mathit{e}"  # a bare e is the base of the exponential
    else:
        return upright(name)
    if not index:
        return base
    return f"{base}_{{{index}}}" if index.isdigit() or len(index) == 1 else rf"{base}_{{\mathrm{{{index}}}}}"


def upright(name: str) -> str:
    return rf"\mathrm{{{_escaped(name)}}}"


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)
