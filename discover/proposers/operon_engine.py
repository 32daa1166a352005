"""The program that runs Operon, in a process of its own: it has crashed before, and must not take a run with it.

In: on standard input one JSON object a line, {"rows", "target", "seed", "evaluations", "population", "longest",
"seconds"}. Out: on standard output one line each, {"models": [[postfix, predictions], ...]}, the best model of every
length. A model is a list of nodes, operands before their operator as the engine keeps them: a number, [weight, input]
or the name of an operation. Nothing of the project is imported here: it starts fast. It leaves when its standard
input ends, which it does when the run that started it is gone.

Source: Operon, Burlacu, Kronberger and Kommenda 2020; local search of the constants as in Kommenda et al. 2020.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

_SYMBOLS = ("Add", "Sub", "Mul", "Div", "Pow", "Constant", "Variable")
_LOCAL_STEPS = 5  # of Levenberg-Marquardt for every offspring
_DEEPEST = 10
_MOST_MODELS = 24


def models(job: Mapping[str, Any]) -> list[tuple[list[Any], list[float]]]:
    """The Pareto front over R2 and length that one engine run of fixed length gives, best fit first.

    Args:
        job: `rows` (row, input), `target` (row,), and the run's settings.

    Returns:
        Models in postfix with their values (row,) on the rows, before any scale and offset.
    """
    import numpy as np
    import pyoperon as op

    # Every object stays referenced to the end of the run: the engine holds plain pointers to them.
    table = np.asfortranarray(np.column_stack([np.array(job["rows"], float), np.array(job["target"], float)]))
    dataset = op.Dataset(table)
    variables = sorted(dataset.Variables, key=lambda v: v.Index)
    target, inputs = variables[-1], [v.Hash for v in variables[:-1]]
    column = {v.Hash: v.Index for v in variables}
    everything = op.Range(0, dataset.Rows)
    problem = op.Problem(dataset)
    problem.TrainingRange, problem.TestRange = everything, op.Range(dataset.Rows - 1, dataset.Rows)
    problem.Target, problem.InputHashes = target, inputs
    problem.ConfigurePrimitiveSet(sum(int(getattr(op.NodeType, name)) for name in _SYMBOLS))
    primitives = problem.PrimitiveSet
    creator = op.BalancedTreeCreator(primitives, inputs, 0.0)
    coefficients = op.NormalCoefficientInitializer()
    coefficients.ParameterizeDistribution(0, 1)
    dispatch = op.DispatchTable()
    fitter = op.LMOptimizer(dispatch, problem, _LOCAL_STEPS, dataset.Rows)
    fit, length = op.Evaluator(problem, dispatch, op.R2(), True), op.LengthEvaluator(problem)
    evaluator = op.MultiEvaluator(problem)
    for each in (fit, length):
        each.Budget = job["evaluations"]
        evaluator.Add(each)
    evaluator.Budget = job["evaluations"]
    comparison = op.CrowdedComparison()
    selectors = [op.TournamentSelector(comparison) for _ in range(2)]
    for selector in selectors:
        selector.TournamentSize = 5
    longest = job["longest"]
    crossover = op.SubtreeCrossover(0.9, _DEEPEST, longest)
    point = op.NormalOnePointMutation()
    point.ParameterizeDistribution(0, 1)
    mutations = [
        point,
        op.ChangeVariableMutation(inputs),
        op.ChangeFunctionMutation(primitives),
        op.ReplaceSubtreeMutation(creator, coefficients, _DEEPEST, longest),
        op.InsertSubtreeMutation(creator, coefficients, _DEEPEST, longest),
        op.RemoveSubtreeMutation(primitives),
    ]
    mutation = op.MultiMutation()
    for each in mutations:
        mutation.Add(each, 1)
    local = op.CoefficientOptimizer(fitter)
    generator = op.BasicOffspringGenerator(evaluator, crossover, mutation, *selectors, local)
    trees = op.UniformLengthTreeInitializer(creator)
    trees.ParameterizeDistribution(primitives.FunctionArityLimits()[0] + 1, min(15, longest))
    trees.MinDepth, trees.MaxDepth = 1, 1000
    config = op.GeneticAlgorithmConfig(
        generations=100_000,
        max_evaluations=job["evaluations"],
        local_iterations=_LOCAL_STEPS,
        population_size=job["population"],
        pool_size=job["population"],
        p_crossover=1.0,
        p_mutation=0.25,
        p_local=1.0,
        p_lamarck=1.0,
        epsilon=1e-6,
        seed=job["seed"],
        max_time=job["seconds"],
    )
    sorter, reinserter = op.RankSorter(), op.KeepBestReinserter(comparison)
    algorithm = op.NSGA2Algorithm(config, problem, trees, coefficients, generator, reinserter, sorter)
    random = op.RandomGenerator(np.uint64(job["seed"]))
    algorithm.Run(random, None, 1, False)
    front = sorted(algorithm.BestFront, key=lambda individual: individual.GetFitness(0))
    found = []
    for individual in front[:_MOST_MODELS]:
        tree = individual.Genotype
        values = np.asarray(op.Evaluate(dispatch, tree, dataset, everything), dtype=float).ravel()
        if np.isfinite(values).all():
            found.append((postfix(tree.Nodes, column), [float(v) for v in values]))
    return found


def postfix(nodes: Sequence[Any], column: Mapping[int, int]) -> list[Any]:
    """A tree's nodes as JSON values, every number in full: the engine's own printer rounds and cuts."""
    found: list[Any] = []
    for node in nodes:
        if node.IsVariable:
            found.append([float(node.Value), column[node.HashValue]])
        elif node.IsConstant:
            found.append(float(node.Value))
        else:
            found.append(f"{str(node.Type).rsplit('.', 1)[-1].lower()}/{node.Arity}")
    return found


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else prints must not land between the answers
    jobs: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for line in sys.stdin:
            jobs.put(line)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        job = json.loads(jobs.get())
        answers.write(json.dumps({"models": models(job)}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
