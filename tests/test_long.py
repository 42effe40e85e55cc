"""Half an hour of 512x512, as fast as it goes: no growth, no slowing down, no cell lost or doubled."""

import pytest

from benchmarks import long


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_half_an_hour_is_as_its_first_minutes():
    """The field drifts, shakes and bleaches; all that follows is compared with the fourth to sixth minute."""
    source, settings = long.camera(30, "dense", "512x512", 10)
    _, first, *later = long.watch(source, settings)
    cells = len(source.truth.radii)
    assert (cells, first.minute, len(later)) == (498, 6, 8)
    assert min(row.found for row in later) >= max(first.found - 2, 0.97 * cells), "none is lost"
    assert max(row.doubled for row in later) <= 5, "none is doubled"
    assert later[-1].ever <= 1.1 * cells, "few die and are born again"
    assert max(row.mb for row in later) < first.mb + 40
    assert min(row.median_ms for row in later[-3:]) < 1.5 * first.median_ms
