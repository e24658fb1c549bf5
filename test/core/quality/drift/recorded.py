"""Writes recorded.json beside it: distances as SciPy and Evidently compute them.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 pandas==2.3.3 evidently==0.7.23
    venv/bin/python test/core/quality/drift/recorded.py
"""

import json
import pathlib

import evidently
import numpy
import pandas
import scipy
from evidently.legacy.calculations.stattests import jensenshannon_stat_test, psi_stat_test, wasserstein_stat_test
from evidently.legacy.core import ColumnType
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

random = numpy.random.default_rng(20261128)


def rows_of(counts):
    return pandas.Series(numpy.repeat([f"class {at}" for at in range(len(counts))], counts))


def counted(values):
    found, counts = numpy.unique(values, return_counts=True)
    return [[float(value), int(count)] for value, count in zip(found, counts)]


def of_labels(name, reference, current):
    reference, current = [int(count) for count in reference], [int(count) for count in current]
    left, right = rows_of(reference), rows_of(current)
    evidently_js = jensenshannon_stat_test.func(left, right, ColumnType.Categorical, 0.1)[0]
    scipy_js = jensenshannon(reference, current)
    assert abs(evidently_js - scipy_js) < 1e-9
    psi = psi_stat_test.func(left, right, ColumnType.Categorical, 0.1)[0]
    return {"name": name, "reference": reference, "current": current, "js": float(scipy_js), "psi": float(psi)}


def of_values(name, reference, current):
    left, right = pandas.Series(reference, dtype=float), pandas.Series(current, dtype=float)
    return {
        "name": name,
        "reference": counted(reference),
        "current": counted(current),
        "ks": float(ks_2samp(left, right).statistic),
        "wasserstein": float(wasserstein_stat_test.func(left, right, ColumnType.Numerical, 0.1)[0]),
        "distance": float(wasserstein_distance(left, right)),
    }


def drawn(shares, rows):
    shares = numpy.asarray(shares, dtype=float)
    return random.multinomial(rows, shares / shares.sum())


many = random.dirichlet(numpy.ones(77))
labels = [
    of_labels("alike", [500, 300, 200], [50, 30, 20]),
    of_labels("one of three gone", [500, 300, 200], [620, 380, 0]),
    of_labels("one of three new", [620, 380, 0], [500, 300, 200]),
    of_labels("nothing shared", [10, 0], [0, 10]),
    of_labels("both leave one empty", [400, 0, 100], [300, 0, 200]),
    of_labels("a share below a ten thousandth", [99_995, 5, 0], [99_000, 0, 1_000]),
    of_labels("one row", [700, 300], [1, 0]),
    of_labels("77 classes, the same", drawn(many, 10_003), drawn(many, 1_000)),
    of_labels("77 classes, others", drawn(many, 10_003), drawn(random.dirichlet(numpy.ones(77)), 1_000)),
    of_labels("bins of confidence", drawn(numpy.arange(1, 21) ** 3, 5_000), drawn(numpy.arange(1, 21) ** 2, 900)),
]

# On a grid, so that values come more than once, as they do in a sketch.
grid = lambda values: numpy.round(values, 1)
values = [
    of_values("alike", [1, 2, 3, 4], [1, 1, 2, 2, 3, 3, 4, 4]),
    of_values("apart", [1, 2, 3], [11, 12, 13]),
    of_values("one value", [5, 5, 5], [5, 5]),
    of_values("a reference without spread", [5, 5, 5], [5, 6]),
    of_values("the same normal", grid(random.normal(10, 3, 2_000)), grid(random.normal(10, 3, 500))),
    of_values("a shifted normal", grid(random.normal(0, 1, 2_000)), grid(random.normal(0.5, 1, 700))),
    of_values("a wider normal", grid(random.normal(-4, 1, 900)), grid(random.normal(-4, 2, 800))),
    of_values("lengths", numpy.round(random.lognormal(4, 0.6, 3_000)), numpy.round(random.lognormal(4.3, 0.9, 400))),
    of_values("around zero", grid(random.standard_t(3, 1_500)), grid(-numpy.abs(random.standard_t(3, 600)))),
    of_values("one row", grid(random.normal(0, 1, 300)), [0.3]),
]

made_with = {"numpy": numpy.__version__, "scipy": scipy.__version__, "evidently": evidently.__version__}
recorded = {"made_with": made_with, "labels": labels, "values": values}
path = pathlib.Path(__file__).with_name("recorded.json")
path.write_text(json.dumps(recorded, indent=None, separators=(",", ":")) + "\n")
