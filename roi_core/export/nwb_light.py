"""Whether a recording shows light of one photon or of two: NWB has a kind of series for each."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

from roi_core.export.units import setting

if TYPE_CHECKING:
    from roi_core.card import Card
    from roi_core.recording import Recording

__all__ = ["is_one_photon"]

log = logging.getLogger(__name__)

USUAL: Final = "2p"
"""What ``cnmf.preset`` is when nobody chose it."""
INFRARED: Final = 680
"""nm; light of two photons is longer than this, light of one is shorter."""
ONE: Final = re.compile(r"miniscope|(\bone|\b1)[ -]?p(hoton)?\b|wide[ -]?field|epi[ -]?fluorescence")
TWO: Final = re.compile(r"(\btwo|\b2|\bthree|\b3|\bmulti)[ -]?p(hoton)?\b")


def is_one_photon(recording: Recording, card: Card) -> bool:
    """Tell by what is certain, then by ``cnmf.preset`` if it was used or chosen, then by the card.

    Where none of them says so it is two-photon, with a warning.
    """
    preset, found = setting(recording, "cnmf", "preset", USUAL), recording.cells is not None
    instrument = card.imaging.microscope.lower()
    said = f"{recording.attributes.get('source', '')} {instrument}".lower()
    miniscope = "miniscope" in said and not TWO.search(instrument)
    if miniscope or recording.channel_names or preset == "photometry":
        return True
    if preset != USUAL or found or setting(recording, "cnmf", "enabled", False):
        return bool(preset != USUAL)
    if card.imaging.excitation_nm is not None:
        return card.imaging.excitation_nm < INFRARED
    if TWO.search(instrument) or ONE.search(instrument):
        return not TWO.search(instrument)
    log.warning(
        "%s does not tell whether its light was of one photon or of two: NWB gets a TwoPhotonSeries; if that "
        "is wrong, fill in excitation_nm on the session card and export again",
        recording.path,
    )
    return False
