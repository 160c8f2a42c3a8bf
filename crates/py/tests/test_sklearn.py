"""scikit-learn takes the detectors for its own."""

import crible
import numpy as np
import pytest
from crible import detectors, pyod
from sklearn.base import clone, is_outlier_detector
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

ALL = [getattr(detectors, name) for name in detectors.__all__ if name != "Detector"]

#: Where PyOD's conventions and scikit-learn's differ, the detectors have PyOD's.
EXCEPTIONS = {
    "check_outliers_train": "PyOD's labels: 1 is an outlier and 0 is not, where scikit-learn has -1 and 1",
    "check_outliers_fit_predict": "PyOD's labels: 1 is an outlier and 0 is not, where scikit-learn has -1 and 1",
}


class Reachability(detectors.OPTICS):
    """scikit-learn's checks set parameters of its own class on whatever is called OPTICS."""


@pytest.mark.filterwarnings("ignore:Estimator .* does not inherit")
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_check_estimator(kind):
    kind = Reachability if kind is detectors.OPTICS else kind
    checked = check_estimator(kind(), expected_failed_checks=EXCEPTIONS, on_fail="raise", on_skip=None)
    assert len(checked) > 30


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_clones_and_parameters(kind):
    detector = kind(contamination=0.2)
    copy = clone(detector)
    assert copy.get_params() == detector.get_params() and copy is not detector
    assert copy.set_params(contamination=0.3).contamination == 0.3
    assert is_outlier_detector(detector)
    with pytest.raises(ValueError, match="Invalid parameter 'mood'"):
        detector.set_params(mood=1)
    with pytest.raises(NotFittedError):
        detector.decision_function([[1.0]])
    with pytest.raises(crible.NotFittedError):
        detector.predict([[1.0]])


FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


def labelled():
    draw = np.random.default_rng(5)
    rows = np.vstack([draw.normal(size=(300, 3)), draw.uniform(-6, 6, (30, 3))])
    return rows, np.arange(330) >= 300


def test_a_grid_search_by_labels():
    rows, odd = labelled()
    grid = {"n_trees": [5, 50], "max_samples": [32, 128]}
    search = GridSearchCV(detectors.IsolationForest(), grid, scoring="roc_auc", cv=FOLDS).fit(rows, odd)
    assert search.best_score_ > 0.8 and set(search.best_params_) == set(grid)
    scores = search.best_estimator_.decision_function(rows)
    assert roc_auc_score(odd, scores) > 0.8


def test_a_grid_search_in_processes():
    rows, odd = labelled()
    search = GridSearchCV(detectors.KNN(threads=1), {"n_neighbors": [3, 9]}, scoring="roc_auc", cv=FOLDS, n_jobs=2)
    assert search.fit(rows, odd).best_score_ > 0.8


def test_the_end_of_a_pipeline():
    rows, odd = labelled()
    pipeline = make_pipeline(StandardScaler(), detectors.HBOS(contamination=0.1))
    labels = pipeline.fit_predict(rows)
    assert set(labels) == {0, 1} and (pipeline.predict(rows) == labels).all()
    assert roc_auc_score(odd, pipeline.decision_function(rows)) > 0.8
    assert pipeline.get_params()["hbos__contamination"] == 0.1


@pytest.mark.filterwarnings("ignore:Estimator .* does not inherit")
def test_pyod_s_names_are_checked_too():
    for kind in (pyod.IForest, pyod.KNN, pyod.ECOD):
        check_estimator(kind(), expected_failed_checks=EXCEPTIONS, on_fail="raise", on_skip=None)
