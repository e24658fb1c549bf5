"""Writes recorded.json beside it: answers with their truths, and what scikit-learn and SciPy make of them.

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
    venv/bin/python test/core/quality/feedback/recorded.py
"""

import json
import pathlib
import random

import numpy as np
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

BINS = 20


def case(name, classes, rows, right, seed, never_true=(), never_predicted=()):
    draw = random.Random(seed)
    actual, predicted, confidence = [], [], []
    for _ in range(rows):
        truth = draw.choice([label for label in classes if label not in never_true])
        guess = truth if draw.random() < right else draw.choice(classes)
        if guess in never_predicted:
            guess = classes[0]
        actual.append(truth)
        predicted.append(guess)
        # In whole 1/1024, as they are summed here, and off the edges of bins, which scikit-learn counts to the bin below.
        confidence.append(draw.randrange(1, 1024, 2) / 1024)
    return {"name": name, "actual": actual, "predicted": predicted, "confidence": confidence, **expected(actual, predicted, confidence)}


def expected(actual, predicted, confidence):
    labels = sorted(set(actual) | set(predicted))
    precision, recall, f1, support = precision_recall_fscore_support(actual, predicted, labels=labels, zero_division=0)
    correct = [int(a == p) for a, p in zip(actual, predicted)]
    interval = binomtest(sum(correct), len(correct)).proportion_ci(method="wilson")
    accuracy, mean = calibration_curve(correct, confidence, n_bins=BINS, strategy="uniform")
    counts = np.histogram(confidence, bins=np.linspace(0, 1, BINS + 1))[0]
    counts = counts[counts > 0]
    return {
        "accuracy": accuracy_score(actual, predicted),
        "interval": [interval.low, interval.high],
        "macroF1": f1_score(actual, predicted, labels=labels, average="macro", zero_division=0),
        "classes": [
            {"label": label, "precision": p, "recall": r, "f1": f, "support": int(s)}
            for label, p, r, f, s in zip(labels, precision.tolist(), recall.tolist(), f1.tolist(), support.tolist())
        ],
        "confusion": confusion_matrix(actual, predicted, labels=labels).tolist(),
        "calibration": [
            {"confidence": m, "accuracy": a, "count": int(c)} for m, a, c in zip(mean.tolist(), accuracy.tolist(), counts.tolist())
        ],
        "expectedCalibrationError": float(np.sum(np.abs(accuracy - mean) * counts) / len(correct)),
    }


THREE = ["negative", "neutral", "positive"]
CASES = [
    case("three classes", THREE, 200, 0.7, 1),
    case("mostly wrong", THREE, 120, 0.1, 2),
    case("all right", THREE, 30, 1.0, 3),
    case("one row", THREE, 1, 1.0, 4),
    case("a class that is never true", THREE, 80, 0.6, 5, never_true=("neutral",)),
    case("a class that is never predicted", THREE, 80, 0.6, 6, never_predicted=("positive",)),
    case("thirty classes", [f"class-{n:02}" for n in range(30)], 400, 0.5, 7),
]

pathlib.Path(__file__).with_name("recorded.json").write_text(json.dumps({"cases": CASES}) + "\n")
