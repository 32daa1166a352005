"""What the language models of a run may spend, and what they have spent; a limit is never passed.

The most that a call can cost is set aside before it is made and settled afterwards, so that calls under way at the same
time cannot pass a limit together. Silence is settled at the most: the server may have charged for it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Spending:
    """Calls, tokens (in and out), US dollars."""

    calls: int = 0
    tokens: int = 0
    dollars: float = 0.0

    def __add__(self, other: Spending) -> Spending:
        return Spending(self.calls + other.calls, self.tokens + other.tokens, self.dollars + other.dollars)

    def __sub__(self, other: Spending) -> Spending:
        return Spending(self.calls - other.calls, self.tokens - other.tokens, self.dollars - other.dollars)


@dataclass(frozen=True)
class Limits:
    """The most that a run may spend; None for no limit."""

    calls: int | None = None
    tokens: int | None = None
    dollars: float | None = None

    def passed_by(self, spending: Spending) -> str:
        """The option whose limit `spending` passes: "" for none."""
        if self.calls is not None and spending.calls > self.calls:
            return f"--max-calls {self.calls}"
        if self.tokens is not None and spending.tokens > self.tokens:
            return f"--max-tokens {self.tokens}"
        if self.dollars is not None and spending.dollars > self.dollars * (1.0 + 1e-12):
            return f"--max-cost {self.dollars:g}"
        return ""


class Ledger:
    """One run's account; may be used from several threads."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.spent = Spending()
        self._reserved = Spending()
        self._lock = threading.Lock()

    @property
    def reserved(self) -> Spending:
        """Set aside for calls under way."""
        return self._reserved

    def reserve(self, tokens: int, dollars: float) -> str:
        """Sets aside the most that a call can cost; "" where that was possible, else the option in its way."""
        with self._lock:
            wanted = self._reserved + Spending(1, tokens, dollars)
            if hindrance := self.limits.passed_by(self.spent + wanted):
                return hindrance
            self._reserved = wanted
            return ""

    def settle(self, reserved: Spending, spent: Spending) -> None:
        """Puts what a call cost in the place of what was set aside for it."""
        with self._lock:
            self._reserved -= reserved
            if not self._reserved.calls:  # no cent is left over from rounding
                self._reserved = replace(self._reserved, dollars=0.0)
            self.spent += spent
