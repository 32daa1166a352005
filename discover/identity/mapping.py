"""What parameters of one law are in terms of another's, and which are frozen, read off from fitted members.

In: parameters of members of one law, and those with which another law is the same functions. Out: short formulas such
as `B = A*D0**a`, each true of every member to five digits; names frozen at a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from discover.law import Call, Expression, Number, Symbol, to_text

_SAME = 1e-5  # relative
_NUMBERS = (0.0, 1.0, -1.0, 2.0, 0.5, -0.5, 3.0, -2.0, 1.0 / 3.0, 4.0, 6.0, 10.0)


def formulas(
    names: Sequence[str], members: np.ndarray, others: Sequence[str], fitted: np.ndarray
) -> dict[str, Expression]:
    """For each of `others` that is a short formula of `names` in every member, that formula.

    Args:
        members: (member, parameter) in the order of `names`.
        fitted: (member, parameter) in the order of `others`.
    """
    offers = list(_offers(names, members))
    found = {}
    for j, name in enumerate(others):
        due = fitted[:, j]
        for expression, values in offers:
            if np.isfinite(values).all() and (np.abs(values - due) <= _SAME * np.abs(due) + 1e-9).all():
                found[name] = expression
                break
    return found


def _offers(names: Sequence[str], members: np.ndarray) -> Iterator[tuple[Expression, np.ndarray]]:
    """Formulas of rising length with their values (member,)."""

    def call(name: str, *arguments: Expression) -> Expression:
        return Call(name, arguments)

    ones = np.ones(len(members))
    single = [(Symbol(name), members[:, i]) for i, name in enumerate(names)]
    with np.errstate(all="ignore"):
        yield from single
        for number in _NUMBERS:
            yield Number(number), number * ones
        for a, x in single:
            yield call("neg", a), -x
            yield call("div", Number(1.0), a), 1.0 / x
            yield call("exp", a), np.exp(x)
            yield call("log", a), np.log(x)
            yield call("neg", call("log", a)), -np.log(x)
            yield call("exp", call("neg", a)), np.exp(-x)
            yield call("pow", a, Number(2.0)), x * x
            yield call("sqrt", a), np.sqrt(x)
            for number in (2.0, 0.5, 3.0, 6.0, -2.0, 10.0):
                yield call("mul", Number(number), a), number * x
            for number in (1.0, -1.0):
                yield call("add", a, Number(number)), x + number
            yield call("sub", Number(1.0), a), 1.0 - x
        for i, (a, x) in enumerate(single):
            for k, (b, y) in enumerate(single):
                if i < k:
                    yield call("mul", a, b), x * y
                    yield call("add", a, b), x + y
                    yield call("neg", call("mul", a, b)), -x * y
                if i != k:
                    yield call("sub", a, b), x - y
                    yield call("div", a, b), x / y
                    yield call("neg", call("div", a, b)), -x / y
                    yield call("pow", a, b), x**y
                    yield call("pow", a, call("neg", b)), x**-y
                    yield call("pow", a, call("div", Number(1.0), b)), x ** (1.0 / y)
                    yield call("pow", a, call("div", Number(-1.0), b)), x ** (-1.0 / y)
                    yield call("mul", a, call("exp", b)), x * np.exp(y)
                    yield call("mul", a, call("log", b)), x * np.log(y)
                    yield call("neg", call("mul", a, call("log", b))), -x * np.log(y)
        for i, (a, x) in enumerate(single):
            for k, (b, y) in enumerate(single):
                for m, (c, z) in enumerate(single):
                    if len({i, k, m}) < 3:
                        continue
                    yield call("mul", a, call("pow", b, c)), x * y**z
                    yield call("div", a, call("pow", b, c)), x / y**z
                    yield call("neg", call("mul", a, call("pow", b, c))), -x * y**z
                    yield call("sub", call("mul", a, b), c), x * y - z
                    yield call("sub", a, call("mul", b, call("log", c))), x - y * np.log(z)
                    yield call("add", a, call("mul", b, call("log", c))), x + y * np.log(z)
                    yield call("mul", a, call("sub", b, c)), x * (y - z)
                    if i < k:
                        yield call("mul", a, b, c), x * y * z
                        yield call("div", call("mul", a, b), c), x * y / z
                        yield call("pow", call("mul", a, b), c), (x * y) ** z
                        yield call("add", a, b, c), x + y + z
                    yield call("div", a, call("mul", b, c)), x / (y * z)
                    yield call("pow", call("div", a, b), c), (x / y) ** z


def frozen(names: Sequence[str], fitted: np.ndarray) -> list[str]:
    """What parameters have in common over all members: "g = 1", "k -> 0", "alpha = beta".

    Args:
        fitted: (member, parameter) of a general law that is a special one at every member.
    """
    told = []
    fixed: set[str] = set()
    for j, name in enumerate(names):
        values = fitted[:, j]
        middle = float(np.median(values))
        near = [number for number in _NUMBERS if (np.abs(values - number) <= _SAME * max(1.0, abs(number))).all()]
        if near:
            told.append(f"{name} = {to_text(Number(round(near[0], 6)))}")
        elif (np.abs(values) < 1e-3).all() and (np.abs(values) < 1e-4).any():
            told.append(f"{name} -> 0")
        elif (np.abs(values) > 1e4).all():
            told.append(f"{name} -> infinity")
        elif len(values) > 1 and (np.abs(values - middle) <= _SAME * abs(middle)).all():
            told.append(f"{name} = {middle:.6g}")
        else:
            continue
        fixed.add(name)
    if any(each.endswith(" -> infinity") for each in told):  # beside it, what has vanished went there with it
        told = [each.replace(" = 0", " -> 0") if each.endswith(" = 0") else each for each in told]
    rest = [(name, fitted[:, j]) for j, name in enumerate(names) if name not in fixed]
    for i, (name, x) in enumerate(rest):
        for other, y in rest[i + 1 :]:
            if (np.abs(x - y) <= _SAME * np.abs(x)).all():
                told.append(f"{name} = {other}")
            elif (np.abs(x + y) <= _SAME * np.abs(x)).all():
                told.append(f"{name} = -{other}")
            elif (np.abs(x * y - 1.0) <= _SAME).all():
                told.append(f"{name} = 1/{other}")
    return told


def text_of(mapping: dict[str, Expression]) -> str:
    return ", ".join(f"{name} = {to_text(expression)}" for name, expression in mapping.items())
