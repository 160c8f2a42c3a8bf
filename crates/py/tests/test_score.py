"""`crible.score` gives what the command gives, to the bit."""

import json

import crible
import numpy as np
import pyarrow.parquet as pq
import pytest

SETTINGS = {
    "default": ([], {}),
    "held out": (["--fit-until", "2025-02-10"], {"until": "2025-02-10"}),
    "detectors": (
        ["--detectors", "ecod,isolation_forest:n_trees=20", "--seed", "3"],
        {"detectors": ["ecod", "isolation_forest:n_trees=20"], "seed": 3},
    ),
    "severity": (["--min-severity", "low", "--budget", "3/day"], {"min_severity": "low", "budget": 3}),
    "all": (["--all", "--budget", "5", "--warm-up", "7d"], {"all": True, "budget": "5/day", "warm_up": "7d"}),
}


def same(table, written):
    """That a table holds the bits of a Parquet file, column by column."""
    assert len(table) == written.num_rows
    for name in written.column_names:
        ours, theirs = table[name], written.column(name)
        if isinstance(ours, list):
            assert ours == theirs.to_pylist(), name
        elif name in ("row", "rank", "payments"):
            assert ours.tolist() == theirs.to_pylist(), name
        else:
            bits = theirs.to_numpy().astype("float64").view("int64")
            assert np.array_equal(ours.view("int64"), bits), name


@pytest.mark.parametrize("name", SETTINGS)
def test_the_command_gives_the_same(name, sample, command, tmp_path):
    arguments, settings = SETTINGS[name]
    alerts, scores = tmp_path / "alerts.parquet", tmp_path / "scores.parquet"
    command("score", sample, *arguments, "--out", alerts, "--scores", scores)
    result = crible.score(sample, **settings)
    same(result.alerts, pq.read_table(alerts))
    same(result.scores, pq.read_table(scores))
    assert len(result.alerts) > 0


def test_lines_are_those_of_the_command(sample, command, tmp_path):
    out = tmp_path / "alerts.jsonl"
    command("score", sample, "--out", out)
    assert crible.score(sample).to_jsonl() == out.read_text()


def test_handbook(handbook, command, tmp_path):
    alerts, scores = tmp_path / "alerts.parquet", tmp_path / "scores.parquet"
    command("score", handbook, "--out", alerts, "--scores", scores)
    result = crible.score(handbook)
    same(result.alerts, pq.read_table(alerts))
    same(result.scores, pq.read_table(scores))


def test_threads_and_configuration_change_no_bit(sample, tmp_path):
    config = tmp_path / "crible.toml"
    config.write_text('seed = 0\nwarm_up = "14d"\n')
    one, more = crible.score(sample, threads=1, config=config), crible.score(sample, threads=3)
    assert one.to_jsonl() == more.to_jsonl()
    assert np.array_equal(one.scores["score"].view("int64"), more.scores["score"].view("int64"))


def test_reasons_are_those_of_the_alerts(sample):
    result = crible.score(sample)
    lines = [json.loads(line) for line in result.to_jsonl().splitlines()]
    for at, line in enumerate(lines):
        reasons = result.explain(at)
        assert [reason.text for reason in reasons] == [reason["text"] for reason in line["reasons"]]
        assert [reason.share for reason in reasons] == [reason["share"] for reason in line["reasons"]]
    with pytest.raises(IndexError):
        result.explain(len(lines))
    with pytest.raises(IndexError):
        result.explain(-1)


def test_several_files_are_named(sample, command, tmp_path):
    text = sample.read_text().splitlines(keepends=True)
    (tmp_path / "a.csv").write_text("".join(text[:3000]))
    (tmp_path / "b.csv").write_text("".join([text[0], *text[3000:]]))
    scores = tmp_path / "out" / "scores.parquet"
    command("score", tmp_path / "a.csv", tmp_path / "b.csv", "--out", tmp_path / "out", "--scores", scores)
    result = crible.score([tmp_path / "a.csv", tmp_path / "b.csv"])
    same(result.scores, pq.read_table(scores))
    assert (
        set(result.scores["file"]) == {str(tmp_path / "a.csv"), str(tmp_path / "b.csv")}
        or len(set(result.scores["file"])) == 2
    )


@pytest.mark.parametrize("name", ["default", "held out", "all"])
def test_a_stream_is_scored_as_what_is_held(name, sample, tmp_path):
    _, settings = SETTINGS[name]
    text = sample.read_text().splitlines(keepends=True)
    (tmp_path / "a.csv").write_text("".join(text[:3500]))
    (tmp_path / "b.csv").write_text("".join([text[0], *text[3000:], text[7].replace(text[7].split(",")[1], "no date")]))
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    held = crible.score(paths, **settings)
    streamed = crible.score(paths, hold=7_000, **settings)
    assert streamed.to_jsonl() == held.to_jsonl() and len(held.alerts) > 0
    assert len(streamed) == len(held) == len(held.transactions)
    assert streamed.scores.columns == held.scores.columns
    for name in held.scores.columns:
        ours, theirs = streamed.scores[name], held.scores[name]
        same_bits = ours == theirs if isinstance(ours, list) else (ours.view("int64") == theirs.view("int64")).all()
        assert same_bits, name
    assert streamed.files == held.files and list(streamed.rejects.rows()) == list(held.rejects.rows())
    assert len(streamed.rejects) == 1
    assert streamed.engine.save() == held.engine.save() and streamed.engine.watermark == held.engine.watermark
    assert streamed.plot().get_ylabel() == "score"
    with pytest.raises(crible.CribleError, match="streamed"):
        streamed.transactions


def test_large_files_are_streamed(sample, tmp_path):
    """What is more than 512 MiB of text is: here zeros that take no room, after which nothing can be read."""
    large = tmp_path / "large.csv"
    large.write_bytes(sample.read_bytes())
    with large.open("r+b") as file:
        file.truncate((512 << 20) + 1)
    assert crible._crible.streams([str(large)], None) and not crible._crible.streams([str(sample)], None)
    assert crible._crible.streams([str(sample)], 10)


def test_only_files_are_streamed(sample, tmp_path):
    with pytest.raises(ValueError, match="hold"):
        crible.score(crible.read(sample), hold=100)
    with pytest.raises(ValueError, match="hold: - can be read once"):
        crible.score("-", hold=100)
    (tmp_path / "none.csv").write_text(sample.read_text().splitlines(keepends=True)[0])
    with pytest.raises(crible.CribleError, match="no transaction could be read from 1 file"):
        crible.score(tmp_path / "none.csv", hold=100)


def test_a_configuration_says_how_far_ahead_rows_may_be_dated(sample, command, tmp_path):
    """As for the command, whose reading it changes too."""
    rows = sample.read_text().splitlines(keepends=True)
    _, _, rest = rows[1].split(",", 2)
    (tmp_path / "ahead.csv").write_text("".join([*rows, f"T999999999,2025-03-09T00:00:00Z,{rest}"]))
    config = tmp_path / "crible.toml"
    config.write_text('[state]\nahead = "60d"\n')
    accepted = []
    for more in ([], ["--config", config]):
        out = tmp_path / f"scores{len(more)}.parquet"
        command("score", tmp_path / "ahead.csv", *more, "--out", tmp_path / f"alerts{len(more)}.jsonl", "--scores", out)
        result = crible.score(tmp_path / "ahead.csv", config=config if more else None)
        same(result.scores, pq.read_table(out))
        accepted.append(len(result))
    assert accepted[1] == accepted[0] + 1
    history = crible.Engine.fit(tmp_path / "ahead.csv", config=config)
    assert history.watermark.date().isoformat() == "2025-03-09"


def test_a_notebook_shows_alerts_and_a_plot(sample):
    result = crible.score(sample)
    html = result._repr_html_()
    assert "<table>" in html and result.alerts["reason_1"][0].split("<")[0][:20] in html
    assert repr(result).startswith(f"<crible.Scored: {len(result.alerts)} alerts on {len(result.transactions)}")
    assert "<td" in result.explain(0)._repr_html_()
    import matplotlib

    matplotlib.use("agg")
    assert result.plot().get_ylabel() == "score"
    axes = result.explain(0).plot()
    assert [text.get_text() for text in axes.get_yticklabels()] == [reason.text for reason in result.explain(0)]
