"""Laws: what they are, how text becomes one, and how one becomes numbers.

In: text and input names. Out: immutable `Law`s, their key, complexity, values and Jacobians.
Stays out: data, fitting, scores.
"""

from discover.law.expression import Call, Expression, Number, Symbol, symbols, to_text, walk
from discover.law.grammar import GRAMMAR, Function
from discover.law.law import Law
from discover.law.parser import is_name, law_of, parse, parse_expression

__all__ = [
    "GRAMMAR",
    "Call",
    "Expression",
    "Function",
    "Law",
    "Number",
    "Symbol",
    "is_name",
    "law_of",
    "parse",
    "parse_expression",
    "symbols",
    "to_text",
    "walk",
]
