"""What the control charts show of a long session."""

import numpy as np

from roi_stream_gui.panels.quality import telling


def test_a_short_excursion_is_seen_at_any_span():
    values = np.full(7200, 5.0)
    values[3333] = 100.0
    values[10:20] = np.nan
    for step in (1, 7, 24):
        shown = telling(values, step)
        assert values[shown].max(where=np.isfinite(values[shown]), initial=0) == 100.0
        assert (np.diff(shown) > 0).all()
        assert len(shown) == -(-7200 // step)


def test_what_is_not_known_is_thinned_all_the_same():
    assert telling(np.full(10, np.nan), 4).tolist() == [0, 4, 8]
