"""The shape of a cell's V: the source that is compiled, interpreted, against numpy."""

import numpy as np
import pytest

from ccd_fastcore._reference_levels import FILTERS, Half, LevelState, _shape


def taught(w: np.ndarray, half_cycles: int, size: int = 64) -> LevelState:
    """A state whose half-cycles follow these weights, 1 ohm of level each."""
    rng, s = np.random.default_rng(0), LevelState()
    for _ in range(half_cycles):
        h = Half()
        h.n, h.level_ohm = size, 1.0
        h.answers = rng.uniform(0.5, 1.5, (size, FILTERS)).tolist()
        h.ohm = (w[0] + np.array(h.answers) @ w[1:]).tolist()
        h.shape, h.level = list(h.ohm), [1.0] * size
        _shape.teach(s, h)
    return s


def fitted(s: LevelState) -> list[float]:
    h = Half()
    _shape._fit(s, h)
    weights: list[float] = h.weights
    return weights


def test_weights_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    w = np.arange(1.0, FILTERS + 2)
    monkeypatch.setattr(_shape, "PULL", 1e-12)
    assert fitted(taught(w, 10)) == pytest.approx(w, rel=1e-6)


def test_the_pull_does_not_shift_their_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    w = np.arange(1.0, FILTERS + 2)
    monkeypatch.setattr(_shape, "PULL", 1e6)
    usual = np.array([0.6, *np.full(FILTERS, 0.4 / FILTERS)])
    assert fitted(taught(w, 8)) == pytest.approx(w.sum() * usual, rel=0.05)  # but as large as they were


def test_little_data_keep_the_usual_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_shape, "PULL", 1e6)
    assert fitted(taught(np.full(FILTERS + 1, 5.0), 1, size=4)) == pytest.approx(
        [0.6, *[0.4 / FILTERS] * FILTERS], rel=1e-2
    )


def test_each_decade_of_time_teaches_as_much() -> None:
    for size in range(1, 65):
        s = taught(np.ones(FILTERS + 1), 1, size)
        expected = np.unique(np.round(np.geomspace(1, size, 24)).astype(int)) - 1
        all_answers = np.random.default_rng(0).uniform(0.5, 1.5, (size, FILTERS))
        assert s.answers[0][: s.picked[0]] == all_answers[expected].tolist()


def test_the_last_eight_are_remembered() -> None:
    s = taught(np.ones(FILTERS + 1), 10)
    for at in range(8):
        A = np.column_stack([np.ones(s.picked[at]), s.answers[at][: s.picked[at]]])
        y = np.array(s.y[at][: s.picked[at]])
        assert np.array(s.equations[at]) == pytest.approx(np.column_stack([A.T @ A, A.T @ y]))


def test_equations_are_solved_as_numpy_does() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        A, b, h = rng.uniform(-1, 1, (FILTERS + 1, FILTERS + 1)), rng.uniform(-1, 1, FILTERS + 1), Half()
        h.equations = np.column_stack([A, b]).tolist()
        _shape._solve(h)
        assert h.weights == pytest.approx(np.linalg.solve(A, b), rel=1e-6)


def left(s: LevelState, sign: int, values: dict[int, float]) -> None:
    """A half-cycle that has these values beside its shape, in these bins."""
    h = Half()
    h.n, h.sign, h.level_ohm = len(values), sign, 1.0
    h.ohm[: h.n], h.bins[: h.n], h.shape[: h.n] = values.values(), values, [1.0] * h.n
    _shape.teach_bend(s, h)


def bent(s: LevelState, sign: int = 1, rho: float = 0.0) -> list[tuple[float, float, float]]:
    h = Half()
    h.sign, h.rho = sign, rho
    _shape.bend(s, h)
    return [(h.at[k], h.usual[k], h.scatter[k]) for k in range(h.known)]


def test_the_bend_is_a_median_and_its_scatter_where_three_tell() -> None:
    s = LevelState()
    assert bent(s) == []
    for sign, value in ((1, 1.0), (-1, 1.5), (1, 1.1)):
        left(s, sign, {2: value})
    left(s, -1, {30: 9.0})
    assert bent(s) == [(2, 1.1, pytest.approx(1.4826 * 0.1))]  # bin 30 is one half-cycle's alone
    left(s, 1, {30: 9.0})
    assert bent(s)[1] == (30, 3.0, 0.0)


def test_where_the_directions_lie_apart_each_has_its_own() -> None:
    s = LevelState()
    for k in range(8):
        left(s, 1 if k % 2 else -1, {0: 1.0 + k % 2})
    assert bent(s, 1, 0.1)[0][1] == 2.0 and bent(s, -1, 0.1)[0][1] == 1.0
    assert bent(s)[0][1] == 1.5


def test_the_last_six_tell() -> None:
    s = LevelState()
    for k in range(9):
        left(s, 1, {0: 1.0 + 0.1 * k})
    assert bent(s)[0][1] == pytest.approx(1.55) == bent(s, 1, 0.1)[0][1]


def test_straight_lines_are_numpys() -> None:
    rng = np.random.default_rng(2)
    xs, ys = np.cumsum(rng.uniform(0.1, 1, 12)).tolist(), rng.uniform(-1, 1, 12).tolist()
    for x in [-1.0, *xs, *rng.uniform(0, 8, 50).tolist()]:
        assert _shape.interpolated(x, xs, ys, 12) == pytest.approx(np.interp(x, xs, ys), rel=1e-12)
