"""Planning: decisions from a law: which inputs make the target best, with or without a budget; what to measure next.

In: a task, a law with its bootstrap and near-tied laws, a cost as an expression. Out: optima with intervals, candidate
runs ranked. Stays out: held-out rows, printing.
"""

from discover.planning.decision import Decision, decide
from discover.planning.near_optimum import rows_near_optimum
from discover.planning.next_run import NextRun, next_runs
from discover.planning.optimum import Optimum, optimum
from discover.planning.question import Question, ask

__all__ = ["Decision", "NextRun", "Optimum", "Question", "ask", "decide", "next_runs", "optimum", "rows_near_optimum"]
