"""Births, unions, moves and deaths in any order leave everything in step."""

from contextlib import suppress

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from roi_core.cnmf.merge import Pair
from roi_core.errors import ComponentError
from roi_core.frame import Order, Status, Verb
from roi_core.ledger import Fate
from roi_core.rois import Circle
from tests.cells import blob, run
from tests.checks import check
from tests.core.test_cnmf_census import PLAIN, SHAPE, born, finder_of


class Life(RuleBasedStateMachine):
    """All that may happen to the cells of a session, in any order."""

    @initialize(seed=st.integers(0, 99))
    def begin(self, seed):
        self.random = np.random.default_rng(seed)
        self.settings = PLAIN
        self.finder = finder_of()
        self.row, self.ever, self.told = 0, set(), set()

    @property
    def cells(self):
        return self.finder.census.cells

    def any_cell(self, data):
        return data.draw(st.integers(0, self.cells.count - 1))

    @rule(number=st.integers(1, 6), dark=st.booleans())
    def frames(self, number, dark):
        for _ in range(number):
            picture = self.random.normal(50, 0 if dark else 3, SHAPE).astype(np.float32)
            (answer,) = run(self.finder, [picture], self.settings, self.row)
            self.row += 1
            self.check_answer(answer)

    def check_answer(self, answer):
        cells, n = self.cells, self.cells.count
        assert answer.ids == tuple(cells.t.ids[:n])
        for name in ("raw", "calcium", "spikes", "settled_calcium", "settled_spikes"):
            assert getattr(answer, name).shape == (n,)
        assert (np.isfinite(answer.raw) == (answer.fate is Fate.ANALYSED)).all(), (
            "a dark picture has no trace"
        )
        assert np.isfinite(answer.calcium).all()
        assert np.isfinite(answer.spikes).all()
        seen = answer.components
        assert tuple(seen.ids[:n]) == answer.ids
        assert len(set(seen.ids.tolist())) == len(seen.ids)
        assert {int(i) for i in seen.ids} == self.ever, "nobody is forgotten"
        assert len(seen.status) == len(seen.reason) == len(seen.born) == len(seen.r) == len(seen.ids)
        assert len(seen.indptr) == len(seen.ids) + 1
        assert (np.diff(seen.indptr) >= 0).all()
        if len(seen.indices):
            assert 0 <= seen.indices.min()
            assert seen.indices.max() < SHAPE[0] * SHAPE[1]
        assert np.isfinite(seen.data).all()
        for part in answer.backfill:
            assert len(part.raw) == len(part.calcium) == len(part.spikes)
            assert 0 <= part.row <= part.row + len(part.raw) <= self.row
        for kind, data in answer.events:
            if kind == "birth":
                assert data["id"] not in self.told
                self.told.add(data["id"])

    @rule(y=st.integers(-3, 42), x=st.integers(-3, 46))
    def birth(self, y, x):
        before = self.cells.count
        known = self.finder.census.next_id
        result = born(self.finder, y, x, self.random, self.row)
        assert self.cells.count == before + (result is not None)
        if result is not None:
            assert known not in self.ever
            self.ever.add(known)

    @precondition(lambda self: self.cells.count > 0)
    @rule(data=st.data(), status=st.sampled_from([Status.REMOVED, Status.MERGED]))
    def death(self, data, status):
        i = self.any_cell(data)
        dead = int(self.cells.t.ids[i])
        self.finder.census.remove(i, status)
        assert dead not in self.cells.t.ids[: self.cells.count]

    @precondition(lambda self: self.cells.count > 1)
    @rule(data=st.data(), join=st.booleans())
    def union(self, data, join):
        i = self.any_cell(data)
        others = [int(j) for j in self.cells.t.near[i] if j >= 0]
        if others:
            self.finder.census.unite(Pair(i, data.draw(st.sampled_from(others)), join))

    @precondition(lambda self: self.cells.count > 0)
    @rule(data=st.data(), dy=st.integers(-2, 2), dx=st.integers(-2, 2))
    def drift(self, data, dy, dx):
        """A footprint that is learned beside the middle of its box."""
        i = self.any_cell(data)
        t = self.cells.t
        y, x = t.centres[i]
        if 4 <= y + dy < 36 and 4 <= x + dx < 40:
            t.boxes[i] = blob(self.cells.field.side, 1.2, dy, dx)
            self.cells.settle(i)
            self.finder.census.recentre(i)

    @precondition(lambda self: self.cells.count > 0)
    @rule(
        data=st.data(), verdict=st.sampled_from([0, Status.ACCEPTED, Status.REJECTED]), frozen=st.booleans()
    )
    def by_hand(self, data, verdict, frozen):
        i = self.any_cell(data)
        self.cells.t.verdict[i], self.cells.t.frozen[i] = verdict, frozen

    @rule(data=st.data(), verb=st.sampled_from(Verb), y=st.integers(-3, 42), x=st.integers(-3, 46))
    def verb(self, data, verb, y, x):
        """Any verb, also about components that there are not."""
        known = self.finder.census.next_id
        ids = data.draw(st.lists(st.integers(1, known + 1), min_size=1, max_size=3))
        order = Order(verb, tuple(ids[:1] if verb is Verb.SPLIT else ids), Circle(x, y, 3))
        with suppress(ComponentError):
            self.finder.obey(order, self.row)
        self.ever.update(range(known, self.finder.census.next_id))

    @rule()
    def pause(self):
        self.finder.pause()
        self.row += 5

    @rule(radius=st.sampled_from([2.0, 3.0, 4.5]))
    def resize(self, radius):
        self.settings = self.settings.with_value("cnmf.cell_radius", radius)
        self.finder._follow(self.settings)
        assert self.cells.field.radius == radius

    @rule(seed=st.integers(0, 9), high=st.booleans())
    def thresholds(self, seed, high):
        values = {"min_snr": 50 if high else 0, "min_r": float(high), "merge_r": seed / 9}
        for name, value in values.items():
            self.settings = self.settings.with_value(f"cnmf.{name}", value)

    @invariant()
    def everything_is_in_step(self):
        census, cells = self.finder.census, self.cells
        ids = cells.t.ids[: cells.count].tolist()
        assert len(set(ids)) == len(ids)
        assert set(ids) <= self.ever
        assert not set(ids) & set(census.view.gone)
        assert set(ids) | set(census.view.gone) == self.ever
        assert max(self.ever, default=0) < census.next_id
        assert census.deconvolver.count == cells.count
        assert census.past._values.shape[1] >= cells.count
        check(cells, whole=False)


Life.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestLife = Life.TestCase
