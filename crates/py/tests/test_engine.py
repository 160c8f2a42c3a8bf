"""The engine: one payment at a time, a frame at a time, saved, loaded, shared."""

import pickle
import threading
import uuid

import crible
import numpy as np
import pytest


@pytest.fixture(scope="module")
def parts(sample):
    return crible.read(sample).split("2025-02-15")


@pytest.fixture(scope="module")
def saved(parts):
    engine = crible.Engine.fit(parts[0])
    return engine.save(), engine.save_state()


def bits(values):
    return np.asarray(values, dtype="float64").view("int64").tolist()


def test_one_at_a_time_or_together(parts, saved):
    after = parts[1]
    one, many = (crible.Engine.load(saved[0], state=saved[1]) for _ in range(2))
    table = many.observe_many(after)
    observed = [one.observe(after[at]) for at in range(len(after))]
    by_id = dict(zip(table["id"], bits(table["score"])))
    assert [by_id[seen.payment.id] for seen in observed] == bits([seen.score for seen in observed])
    assert one.save_state() == many.save_state()
    assert set(table["severity"]) <= {"low", "medium", "high", "critical"}


def test_another_process_goes_on(parts, saved, tmp_path):
    engine = crible.Engine.load(saved[0], state=saved[1])
    engine.save(tmp_path / "model"), engine.save_state(tmp_path / "state")
    again = crible.Engine.load(tmp_path / "model", state=tmp_path / "state")
    pickled = pickle.loads(pickle.dumps(engine))
    payment = parts[1][0]
    assert bits([again.observe(payment).score]) == bits([engine.observe(payment).score])
    assert bits([pickled.observe(payment).score]) == bits([engine.observe(payment).score])
    assert engine.model_id == again.model_id and engine.watermark == again.watermark
    assert not (tmp_path / "model.part").exists()


def test_a_repeat_has_the_verdict_it_had(parts, saved):
    engine = crible.Engine.load(saved[0], state=saved[1])
    first = engine.observe(parts[1][0])
    again = engine.observe(parts[1][0])
    assert again.is_repeat and not first.is_repeat
    assert bits([first.score, first.tail]) == bits([again.score, again.tail])
    assert len(again.explain()) == 0


def test_reasons_belong_to_what_was_observed(parts, saved):
    engine = crible.Engine.load(saved[0], state=saved[1])
    seen = [engine.observe(parts[1][at]) for at in range(200)]
    strangest = max(seen, key=lambda one: one.score)
    reasons = engine.explain(strangest, 5)
    assert 0 < len(reasons) <= 5 and all(0 <= reason.share <= 1 for reason in reasons)
    assert reasons[0].feature in engine.columns
    assert len(strangest.row) == len(engine.columns) and len(strangest.detectors) == len(engine.detectors)
    other = crible.Engine.fit(parts[1], replay=False)
    engine.replace_model(other.save())
    with pytest.raises(crible.CribleError, match="replaced"):
        strangest.explain()


def test_handles_answer_as_one_engine_does(parts, saved):
    after = parts[1]
    one = crible.Engine.load(saved[0], state=saved[1])
    expected = {after[at].id: one.observe(after[at]).score for at in range(len(after))}
    engine = crible.Engine.load(saved[0], state=saved[1])
    handle = engine.share()
    with pytest.raises(ValueError, match="was shared"):
        engine.observe(after[0])
    turn, lock, got = iter(range(len(after))), threading.Lock(), {}

    def work(mine):
        while True:
            # The order in which handles take effect is the order in which they begin.
            with lock:
                at = next(turn, None)
                if at is None:
                    return
                seen = mine.observe(after[at])
            got[seen.payment.id] = seen.score

    threads = [threading.Thread(target=work, args=(handle.clone(),)) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert got == expected
    assert handle.save_state() == one.save_state()


def test_engines_of_other_accounts_merge(sample, tmp_path):
    lines = sample.read_text().splitlines(keepends=True)
    half = [[line for line in lines[1:] if (line.split(",")[2] < "A000030") == first] for first in (True, False)]
    for name, part in zip(("a", "b"), half):
        (tmp_path / f"{name}.csv").write_text("".join([lines[0], *part]))
    key = tmp_path / "key"
    key.write_text("0123456789abcdef0123456789abcdef")
    model = crible.Engine.fit(crible.read(sample, key_file=key), replay=False).save()
    left, right = crible.Engine.load(model), crible.Engine.load(model)
    left.observe_many(crible.read(tmp_path / "a.csv", key_file=key))
    right.observe_many(crible.read(tmp_path / "b.csv", key_file=key))
    left.merge(right.save_state())
    with pytest.raises(crible.CribleError, match="account"):
        left.merge(right.save_state())


def test_payments_are_made_of_pseudonyms():
    key = crible.Key("0123456789abcdef0123456789abcdef")
    account = key.account(" A1 ")
    identity = uuid.UUID(int=7)
    made = [
        crible.Payment(
            identity, "2024-05-01T10:00:00Z", account, "-12.50", "EUR", counterparty=key.counterparty("shop")
        ),
        crible.Payment(7, 1_714_557_600_000_000, account, -12.5, "EUR", counterparty=key.counterparty("shop")),
        crible.Payment(
            "0" * 31 + "7",
            np.datetime64("2024-05-01T10:00:00"),
            key.account("A1"),
            "-12.5",
            "EUR",
            counterparty=key.counterparty("shop"),
        ),
    ]
    assert made[0] == made[1] == made[2] and len({hash(one) for one in made}) == 1
    assert made[0].amount == "-12.50" and made[0].micros == 1_714_557_600_000_000
    for wrong in (dict(), dict(text="0123456789abcdef", path="key"), dict(text="short")):
        with pytest.raises(ValueError):
            crible.Key(**wrong)
    with pytest.raises(FileNotFoundError):
        crible.Key(path="no-such.key")
    for wrong, name in [
        (dict(account="A1"), "account"),
        (dict(amount="1.234"), "amount"),
        (dict(currency="euro"), "currency"),
        (dict(id="x"), "id"),
        (dict(time="yesterday"), "time"),
        (dict(time=float("nan")), "time"),
        (dict(latitude=91.0, longitude=0.0), "position"),
        (dict(latitude=1.0), "latitude"),
    ]:
        given = {"id": 1, "time": 0, "account": account, "amount": 1, "currency": "EUR", **wrong}
        with pytest.raises(ValueError, match=name) as error:
            crible.Payment(**given)
        assert "A1" not in str(error.value)


def test_what_is_no_model_is_refused(saved, tmp_path):
    model, state = saved
    for wrong in (b"", b"CRIBLE", model[:-1], model[:50] + bytes([model[50] ^ 1]) + model[51:], state):
        with pytest.raises(crible.CribleError, match="no saved model"):
            crible.Engine.load(wrong)
    engine = crible.Engine.load(model, state=state)
    for wrong in (b"", state[:-1], model):
        with pytest.raises(crible.CribleError):
            engine.load_state(wrong)
    assert engine.save_state() == state
    with pytest.raises(FileNotFoundError):
        crible.Engine.load(tmp_path / "absent")
    with pytest.raises(TypeError):
        crible.Engine("model")


def test_late_and_early_payments_are_refused(parts, saved):
    engine = crible.Engine.load(saved[0], state=saved[1])
    before, account = engine.watermark, parts[0][0].account
    with pytest.raises(crible.CribleError, match="late"):
        engine.observe(crible.Payment(1, "2025-01-01", account, -1, "USD"))
    with pytest.raises(crible.CribleError, match="early"):
        engine.observe(crible.Payment(2, "2031-01-01", account, -1, "USD"))
    assert engine.watermark == before and not engine.is_cold
    assert (
        engine.observe(parts[1][0]).score == crible.Engine.load(*saved[:1], state=saved[1]).observe(parts[1][0]).score
    )
