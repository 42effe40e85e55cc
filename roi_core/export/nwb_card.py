"""The session card and the rest of what NWB wants to know, as its containers."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pynwb import NWBFile
from pynwb.file import Subject
from pynwb.ophys import OpticalChannel

from roi_core import __version__

if TYPE_CHECKING:
    from roi_core.card import Card
    from roi_core.export.task import Wishes
    from roi_core.recording import Recording

__all__ = ["card_of", "file_of", "plane_of", "tell_missing"]

log = logging.getLogger(__name__)

UNKNOWN: Final = "unknown"
"""What stands where NWB demands a word and nobody gave one."""
NOBODY: Final = {
    "subject_id": UNKNOWN, "sex": "U", "age": "P0D/",
    "species": "http://purl.obolibrary.org/obo/NCBITaxon_32644",
}  # fmt: skip
"""An animal of which nothing is known, as NWB can say it: of any age, of the taxon 'unidentified'."""


def card_of(recording: Recording, wishes: Wishes) -> Card:
    """Return the recording's card, or what it was amended to, with what is empty taken from the one given."""
    own = recording.card if wishes.amended is None else wishes.amended
    card = own.filled(wishes.card)
    before = own.flat()
    if taken := [name for name, value in card.flat().items() if value != before[name]]:
        log.info("%s: taken from the card that is given: %s", recording.path, ", ".join(taken))
    return card


def tell_missing(recording: Recording, card: Card, remedy: str) -> None:
    """Warn of the fields that NWB and archives want and nobody filled in, and of a date that nobody knows."""
    if not recording.dated:
        log.warning(
            "%s does not tell when its frames were taken: session_start_time in NWB is when they were "
            "processed", recording.path,
        )  # fmt: skip
    missing = card.missing()
    if missing:
        log.warning(
            "%s: the session card does not tell %s; NWB gets %r there, or what means that (nan, "
            "an age from P0D, the taxon 'unidentified'), and archives such as DANDI may refuse it. %s",
            recording.path, ", ".join(missing), UNKNOWN, remedy,
        )  # fmt: skip


def file_of(recording: Recording, card: Card) -> NWBFile:
    """Return the file with its session and subject, nothing measured in it yet."""
    known, visit = recording.attributes, card.session
    start = datetime.fromisoformat(known["start_iso8601"])
    people = [name.strip() for name in visit.experimenter.split(";") if name.strip()]
    return NWBFile(
        session_description=visit.description or UNKNOWN,
        identifier=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{known['start_iso8601']} {recording.path.stem}")),
        session_start_time=start,
        session_id=recording.path.stem,
        experimenter=people or None,
        experiment_description=visit.description or None,
        lab=visit.lab or None,
        institution=visit.institution or None,
        protocol=visit.protocol or None,
        notes=visit.notes or None,
        keywords=["calcium imaging", "ROI Stream"],
        data_collection=_collected(known),
        subject=_subject(card),
        was_generated_by=[["roi_stream", __version__]],
    )


def _collected(known: dict[str, Any]) -> str:
    lost = known.get("frames_dropped")
    count = "an unknown number of" if lost is None else lost
    return (
        f"{known.get('frames_seen')} frames from {known.get('source')}, "
        f"{count} frames lost (told by: {known.get('loss_basis')}); "
        f"ended: {known.get('finish_reason')}; recorded with {known.get('created_with')}"
    )


def _subject(card: Card) -> Subject:
    """Return the animal, also when nothing is known of it: NWB wants one."""
    given = {name: value for name, value in card.subject.model_dump().items() if value}
    words = (given.get(name) for name in ("strain", "genotype", "species"))
    return Subject(**(NOBODY | given), description=", ".join(word for word in words if word) or UNKNOWN)


def plane_of(file: NWBFile, card: Card, rate: float) -> Any:
    """Add the instrument and the imaging plane, and return the plane."""
    imaging = card.imaging
    lens = f", objective {imaging.objective}" if imaging.objective else ""
    device = file.create_device(
        name="Microscope", description=f"{imaging.microscope or UNKNOWN}{lens}", manufacturer=None
    )
    channel = OpticalChannel(
        name="OpticalChannel",
        description=f"light of {imaging.indicator or UNKNOWN}",
        emission_lambda=_number(imaging.emission_nm),
    )
    spacing = None if imaging.um_per_px is None else [imaging.um_per_px * 1e-6] * 2
    return file.create_imaging_plane(
        name="ImagingPlane",
        optical_channel=channel,
        description=imaging.plane or UNKNOWN,
        device=device,
        excitation_lambda=_number(imaging.excitation_nm),
        imaging_rate=rate,
        indicator=imaging.indicator or UNKNOWN,
        location=imaging.region or UNKNOWN,
        **({} if spacing is None else {"grid_spacing": spacing, "grid_spacing_unit": "meters"}),
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
