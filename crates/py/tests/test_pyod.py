"""`crible.pyod` in place of `pyod.models`."""

import importlib
import inspect

import numpy as np
import pytest
from crible import pyod
from scipy.stats import spearmanr

#: How alike rankings have to be; none where both draw by chance, their definitions differ, or, as MCD does on clusters,
#: they settle on one of several answers.
ALIKE = {
    "ABOD": None,
    "CBLOF": None,
    "COF": None,
    "COPOD": 0.99,
    "ECOD": 0.99,
    "GMM": 0.9,
    "HBOS": 0.9,
    "IForest": 0.8,
    "INNE": 0.8,
    "KDE": 0.99,
    "KNN": 0.99,
    "LODA": None,
    "LOF": 0.99,
    "MCD": None,
    "OCSVM": 0.99,
    "PCA": None,
}


def rows():
    draw = np.random.default_rng(20261130)
    centres = draw.normal(0, 4, (3, 5))
    rows = centres[draw.integers(0, 3, 600)] + draw.normal(size=(600, 5))
    rows[::60] = draw.uniform(-12, 12, (10, 5))
    return rows, np.arange(600) % 60 == 0


def theirs(name):
    return getattr(importlib.import_module(f"pyod.models.{name.lower()}"), name)


@pytest.mark.parametrize("name", pyod.__all__)
def test_parameters_are_pyod_s(name):
    def listed(kind):
        return {key: one.default for key, one in inspect.signature(kind.__init__).parameters.items() if key != "self"}

    assert listed(getattr(pyod, name)) == listed(theirs(name))


@pytest.mark.parametrize("name", pyod.__all__)
def test_an_example_of_pyod_s_runs(name):
    """A benchmark in which only the import changes."""
    train, odd = rows()
    ours, other = getattr(pyod, name)(contamination=0.02), theirs(name)(contamination=0.02)
    for one in (ours, other):
        one.fit(train)
        assert one.labels_.shape == one.decision_scores_.shape == (600,)
        assert one.labels_.sum() <= 12
        assert one.predict(train).shape == (600,)
        assert one.predict_proba(train).shape == (600, 2)
        assert one.decision_function(train).shape == (600,)
    least = ALIKE[name]
    if least is not None:
        assert spearmanr(ours.decision_scores_, other.decision_scores_).statistic > least

    # What is odd is found: half of it among as many of the highest scores at least, or as much as theirs finds.
    def found(scores):
        return odd[np.argsort(-scores)[:10]].sum()

    assert found(ours.decision_scores_) >= min(5, found(other.decision_scores_))


def test_nothing_is_ignored_in_silence():
    train, _ = rows()
    with pytest.raises(ValueError, match="max_features is 0.5"):
        pyod.IForest(max_features=0.5).fit(train)
    with pytest.raises(ValueError, match="metric is 'cosine'"):
        pyod.KNN(metric="cosine").fit(train)
    with pytest.raises(ValueError, match="return_confidence"):
        pyod.ECOD().fit(train).predict(train, return_confidence=True)
    same = [pyod.IForest(random_state=7, n_jobs=jobs).fit(train).decision_scores_ for jobs in (1, 2, -1)]
    assert (same[0] == same[1]).all() and (same[0] == same[2]).all()
    assert (pyod.IForest(random_state=8).fit(train).decision_scores_ != same[0]).any()
