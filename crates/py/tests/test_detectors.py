"""Every detector: what it promises, by the conventions of scikit-learn and PyOD."""

import pickle

import crible
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from crible import detectors

ALL = [getattr(detectors, name) for name in detectors.__all__ if name != "Detector"]


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(20261130)
    rows = draw.normal(size=(600, 4))
    rows[:6] = draw.uniform(7, 9, (6, 4))
    return rows


def bits(values):
    return np.asarray(values, dtype="float64").view("int64").tolist()


def test_there_is_a_class_for_every_detector_and_parameter():
    by_name = {one._name: one for one in ALL}
    assert sorted(by_name) == sorted(crible._crible.detector_names())
    for name, one in by_name.items():
        ours = {parameter for parameter in one._parameter_names() if parameter not in detectors._base._OURS}
        assert ours == set(crible._crible.parameters(name)), name


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_detector_keeps_what_it_promises(kind, rows, command, tmp_path):
    detector = kind(contamination=0.01).fit(rows)
    scores = detector.decision_function(rows)
    assert scores.shape == (600,) and np.isfinite(scores).all()
    assert bits(scores) == bits(detector.decision_scores_)
    # Whatever the batch, order and layout.
    some = np.array([5, 3, 400, 3])
    assert bits(detector.decision_function(rows[some])) == bits(scores[some])
    assert bits(detector.decision_function(rows[5:6])) == bits(scores[5:6])
    assert bits(detector.decision_function(np.asfortranarray(rows))) == bits(scores)
    assert bits(detector.decision_function(rows[::-2])) == bits(scores[::-2])
    assert bits(detector.set_params(threads=1).decision_function(rows)) == bits(scores)
    # Saved and loaded.
    again = pickle.loads(pickle.dumps(detector))
    assert bits(again.decision_function(rows)) == bits(scores) and repr(again) == repr(detector)
    detector.save(tmp_path / "model")
    loaded = kind(contamination=0.01).load(tmp_path / "model")
    assert bits(loaded.decision_function(rows)) == bits(scores) and loaded.threshold_ == detector.threshold_
    # Labels and probabilities.
    assert detector.labels_.sum() <= 6 and set(detector.labels_) <= {0, 1}
    assert (detector.predict(rows) == detector.labels_).all()
    for method in ("tail", "linear", "unify"):
        proba = detector.predict_proba(rows, method=method)
        assert proba.shape == (600, 2) and np.allclose(proba.sum(axis=1), 1) and (proba >= 0).all(), method
    assert (np.diff(detector.tail(rows)[np.argsort(scores)]) <= 0).all()
    assert detector.contributions(rows[:3]).shape == (3, 4)
    assert 0 < len(detector.explain(rows, row=2, n=2)) <= 2


def test_scores_are_those_of_the_command(rows, command, tmp_path):
    frame = pl.DataFrame(rows, schema=[f"x{at}" for at in range(4)])
    frame.write_parquet(tmp_path / "table.parquet")
    for name in ("isolation_forest:n_trees=20", "ecod", "knn:n_neighbors=3", "ensemble"):
        out = tmp_path / "scores.parquet"
        command("detect", tmp_path / "table.parquet", "--detector", name, "--out", out)
        written = pl.read_parquet(out)
        kind = {one._name: one for one in ALL}[name.split(":")[0]]
        params = {"n_trees": 20} if "forest" in name else {"n_neighbors": 3} if "knn" in name else {}
        detector = kind(**params).fit(frame)
        assert bits(detector.decision_scores_) == bits(written["score"].to_numpy()), name
        if name != "ensemble":
            assert bits(detector.tail(frame)) == bits(written["tail"].to_numpy()), name


def test_an_ensemble_of_ones_own(rows):
    named = detectors.Ensemble(["ecod", "isolation_forest:n_trees=20"], seed=1).fit(rows)
    made = detectors.Ensemble([detectors.ECOD(), detectors.IsolationForest(n_trees=20)], seed=1).fit(rows)
    assert bits(named.decision_scores_) == bits(made.decision_scores_)
    assert named.labels_[:6].all()
    with pytest.raises(ValueError, match="no detector `ecodd`"):
        detectors.Ensemble(["ecodd"]).fit(rows)


def mixed(n=400):
    draw = np.random.default_rng(3)
    amount = draw.normal(50, 5, n)
    amount[7] = 900.0
    amount[::40] = np.nan
    shop = ["baker", "grocer", "florist"] * n
    shop = shop[:n]
    shop[11] = "casino"
    shop[12] = None
    return {"amount": amount, "shop": shop, "online": [at % 3 == 0 for at in range(n)]}


def test_words_and_nulls_are_the_same_in_every_frame(command, tmp_path):
    data = mixed()
    frame = pl.DataFrame({**data, "amount": pl.Series(data["amount"]).fill_nan(None)})
    frames = {
        "polars": frame,
        "pandas": pd.DataFrame(data),
        "pandas of objects": pd.DataFrame({**data, "shop": pd.Series(data["shop"], dtype=object)}),
        "pandas of categories": pd.DataFrame({**data, "shop": pd.Categorical(data["shop"])}),
        "pyarrow": frame.to_arrow(),
        "categories": frame.with_columns(pl.col("shop").cast(pl.Categorical)),
        "dictionary": pa.table(
            {
                **{name: frame.to_arrow()[name] for name in ("amount", "online")},
                "shop": frame.to_arrow()["shop"].dictionary_encode(),
            }
        ).select(frame.columns),
    }
    expected = detectors.ECOD().fit(frame)
    assert list(expected.feature_names_in_) == ["amount", "shop", "online"]
    assert expected.labels_[7] and expected.decision_scores_[11] > np.median(expected.decision_scores_)
    for name, one in frames.items():
        assert bits(detectors.ECOD().fit(one).decision_scores_) == bits(expected.decision_scores_), name
        assert bits(expected.decision_function(one)) == bits(expected.decision_scores_), name
    frame.write_parquet(tmp_path / "mixed.parquet")
    out = tmp_path / "scores.parquet"
    command("detect", tmp_path / "mixed.parquet", "--detector", "ecod", "--out", out)
    assert bits(pl.read_parquet(out)["score"].to_numpy()) == bits(expected.decision_scores_)
    # A word that was never seen is scored, and nothing is refused.
    assert expected.decision_function(frame.with_columns(shop=pl.lit("zoo"))).shape == (400,)
    (reason,) = expected.explain(frame, row=11, n=1)
    assert (reason.feature, reason.text) == ("shop", "shop is casino")
    loaded = pickle.loads(pickle.dumps(expected))
    assert bits(loaded.decision_function(frame)) == bits(expected.decision_scores_)


def test_names_are_kept_and_checked(rows):
    frame = pd.DataFrame(rows, columns=list("abcd"))
    detector = detectors.HBOS().fit(frame)
    assert list(detector.feature_names_in_) == list("abcd") and detector.n_features_in_ == 4
    with pytest.raises(ValueError, match="same order"):
        detector.decision_function(frame[list("bacd")])
    with pytest.raises(ValueError, match="unseen at fit time:\n- e"):
        detector.decision_function(frame.rename(columns={"d": "e"}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        assert bits(detector.decision_function(rows)) == bits(detector.decision_scores_)
    plain = detectors.HBOS().fit(rows)
    with pytest.warns(UserWarning, match="was fitted without feature names"):
        assert bits(plain.decision_function(frame)) == bits(plain.decision_scores_)
    with pytest.raises(ValueError, match="expected a frame"):
        detectors.HBOS().fit(mixed_frame()).decision_function(rows[:, :3])


def mixed_frame():
    return pd.DataFrame(mixed())


@pytest.mark.parametrize(
    "wrong, error, text",
    [
        ([1.0, 2.0], ValueError, "Expected 2D array, got 1D"),
        (3.0, ValueError, "Expected 2D array, got scalar"),
        (np.zeros((2, 2, 2)), ValueError, "Expected 2D array, got 3D"),
        (np.zeros((0, 3)), ValueError, r"0 sample\(s\)"),
        (np.zeros((3, 0)), ValueError, r"0 feature\(s\)"),
        ([[1.0, float("nan")]], ValueError, "NaN"),
        ([[1.0, float("inf")]], ValueError, "inf"),
        ([["a", "b"]], ValueError, "expected numbers; words are taken in a frame"),
        (np.array([[1 + 2j]]), ValueError, "Complex"),
        ([[1.0], [2.0, 3.0]], ValueError, "no matrix"),
        (np.array([["2024-01-01"]], dtype="datetime64[D]"), ValueError, "expected numbers"),
        (np.array([[object()]]), TypeError, "real number"),
        (pd.DataFrame({"a": [pd.Timestamp("2024-01-01")]}), ValueError, "column `a`"),
        (pd.DataFrame({"a": [1.0, float("inf")]}), ValueError, "column `a`, row 1"),
        (pl.DataFrame({"a": [[1]]}), ValueError, "column `a`"),
        (pl.DataFrame(), ValueError, "0"),
        (None, ValueError, "Expected 2D array"),
    ],
)
def test_what_is_no_matrix_is_refused(wrong, error, text):
    with pytest.raises(error, match=text):
        detectors.IsolationForest().fit(wrong)
    fitted = detectors.ECOD().fit([[1.0, 2.0], [2.0, 1.0], [0.0, 0.0]])
    with pytest.raises((ValueError, TypeError)):
        fitted.decision_function(wrong)


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda: detectors.IsolationForest(n_trees=0), "parameter `n_trees` is 0"),
        (lambda: detectors.IsolationForest(n_trees="many"), "n_trees"),
        (lambda: detectors.KNN(scale="metres"), "deviations or raw"),
        (lambda: detectors.KNN(contamination=0.7), "contamination is 0.7"),
        (lambda: detectors.KNN(contamination=float("nan")), "contamination is nan"),
        (lambda: detectors.LODA(seed=-1), "seed is -1"),
        (lambda: detectors.LODA(threads=0), "threads is 0"),
    ],
)
def test_parameters_are_checked_when_they_are_used(make, text, rows):
    with pytest.raises(ValueError, match=text):
        make().fit(rows)


def test_what_is_no_saved_detector_is_refused(rows):
    saved = detectors.ECOD().fit(rows).save()
    for wrong in (b"", saved[:-1], saved[:40] + bytes([saved[40] ^ 1]) + saved[41:]):
        with pytest.raises(crible.CribleError, match="no saved detector"):
            detectors.ECOD().load(wrong)


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("name", ["ECOD", "HBOS", "IsolationForest", "KMeans", "LODA", "PCA", "SampledKNN"])
def test_a_float64_array_is_read_where_it_lies(name, layout, script):
    """A fit of 192 MB, and the scores, take less than half of that besides: no copy is made."""
    done = script(
        """
import resource, sys, numpy as np
from crible import detectors
rows = np.empty((500_000, 48), order=sys.argv[2])
for at in range(48):
    rows[:, at] = np.arange(500_000) % (1009 + at)
detector = getattr(detectors, sys.argv[1])(threads=2).fit(rows[:1000])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
detector.fit(rows)
detector.decision_function(rows)
print(peak() - before)
""",
        name,
        layout,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 85, f"{name} {layout}: {done.stdout}"
