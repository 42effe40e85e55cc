"""The session card: what a recording is of, who made it and with what; enough for a valid NWB file.

It is written into the group ``/session`` of a recording, one attribute per field, and asked for by the window
and by ``--card``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import field_validator

from roi_core.errors import SettingsError
from roi_core.form import Block, Form, Live, describe, field

__all__ = ["Card", "LiveCard"]

LINE: Final = 200
"""Characters that a line of the card holds at most."""
PAGE: Final = 8000
"""Characters of the notes."""


def _line(text: str) -> Any:
    return field("", text, max_length=LINE)


class Subject(Block):
    """The animal."""

    subject_id: str = _line("Name of the animal, such as m017; no two animals of a lab share one.")
    species: str = _line("Latin name, such as Mus musculus.")
    strain: str = _line("Strain, such as C57BL/6J.")
    genotype: str = _line("Genotype, such as Thy1-GCaMP6f.")
    sex: Literal["", "M", "F", "U", "O"] = field("", "Sex: male, female, unknown or other.")
    age: str = _line("Age at recording as a duration: P90D is 90 days, P12W weeks, P6M months, P1Y a year.")

    @field_validator("species")
    @classmethod
    def _species_is_latin(cls, text: str) -> str:
        latin, taxon = r"[A-Z][a-z]+ [a-z]+.*", r"https?://purl\.obolibrary\.org/obo/NCBITaxon_\d+"
        if text and re.fullmatch(f"{latin}|{taxon}", text) is None:
            raise ValueError("write the Latin name, such as Mus musculus or Rattus norvegicus")
        return text

    @field_validator("age")
    @classmethod
    def _age_is_a_duration(cls, text: str) -> str:
        parts = r"P(?=\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?"
        if text and re.fullmatch(f"{parts}(/({parts})?)?", text, re.ASCII) is None:
            raise ValueError("write a duration such as P90D (90 days), P12W (weeks) or P6M (months)")
        return text


class Imaging(Block):
    """What is imaged and how."""

    indicator: str = _line("What makes the cells glow, such as GCaMP8m.")
    region: str = _line("Part of the brain, such as CA1 or primary visual cortex.")
    plane: str = _line("Where the picture lies, such as layer 2/3, 180 um below the pia.")
    microscope: str = _line("The instrument, such as UCLA Miniscope v4 or its maker and model.")
    objective: str = _line("The lens, such as Nikon 16x / 0.8 NA.")
    excitation_nm: float | None = field(None, "Wavelength of the exciting light.", unit="nm", ge=200, le=2500)
    emission_nm: float | None = field(None, "Wavelength that is collected.", unit="nm", ge=200, le=2500)
    um_per_px: float | None = field(None, "Side of a camera pixel in the tissue.", unit="um", gt=0, le=1000)


class Visit(Block):
    """The session and who is there."""

    description: str = _line("What the session is about, in a sentence.")
    experimenter: str = _line("Who records: Last, First; several are parted by a semicolon.")
    lab: str = _line("The laboratory.")
    institution: str = _line("The university or institute.")
    protocol: str = _line("Number or name of the approved protocol.")
    notes: str = field("", "Anything else worth keeping.", max_length=PAGE)


NEEDED: Final = (
    "subject.subject_id", "subject.species", "subject.sex", "subject.age", "imaging.indicator",
    "imaging.region", "imaging.microscope", "imaging.excitation_nm", "imaging.emission_nm",
    "session.description",
)  # fmt: skip
"""What an NWB file, and an archive that takes it (DANDI), cannot do without; the frames tell the rest."""


class Card(Form):
    """The whole card; everything may be left empty. Field names are unique over all blocks."""

    what: ClassVar[str] = "card"
    example: ClassVar[str] = "subject.subject_id=m017"

    subject: Subject = Subject()
    imaging: Imaging = Imaging()
    session: Visit = Visit()

    def flat(self) -> dict[str, Any]:
        """Return every field by its own name; '' or None is not known."""
        return {setting.name: setting.value for setting in describe(self)}

    @classmethod
    def of(cls, flat: dict[str, Any]) -> Card:
        """Return the card with these fields, by their own names; names that are not known are left out."""
        tree: dict[str, dict[str, Any]] = {}
        for setting in describe(cls()):
            if setting.name in flat:
                tree.setdefault(setting.path.partition(".")[0], {})[setting.name] = flat[setting.name]
        card = cls()
        try:
            return cls.from_tree(tree)
        except SettingsError:  # by other rules, of another version: keep what still can be
            for block, fields in tree.items():
                for name, value in fields.items():
                    try:
                        card = card.with_value(f"{block}.{name}", value)
                    except SettingsError:
                        continue
            return card

    @classmethod
    def kept(cls, attributes: Mapping[str, Any]) -> Card:
        """Return the card that a recording keeps as these attributes of its group ``/session``."""
        found = {name: _plain(value) for name, value in attributes.items()}
        return cls.of({name: value for name, value in found.items() if value == value})

    def filled(self, other: Card) -> Card:
        """Return this card, with what it leaves empty taken from another."""
        ours = {name: value for name, value in self.flat().items() if value not in ("", None)}
        return Card.of(other.flat() | ours)

    def hints(self) -> tuple[str, ...]:
        """Return a sentence for each field that is taken as it is, and that archives want otherwise."""
        people = [name.strip() for name in self.session.experimenter.split(";") if name.strip()]
        odd = [name for name in people if name.count(",") != 1 or not all(map(str.strip, name.split(",")))]
        if not odd:
            return ()
        told = ", ".join(map(repr, odd))
        return (
            f"experimenter: NWB archives want Last, First, such as Doe, Jane; several are parted by a "
            f"semicolon ({told} is kept as it is)",
        )

    def missing(self) -> tuple[str, ...]:
        """Return the fields, by their own names, that NWB needs and that are empty."""
        return tuple(path.partition(".")[2] for path in NEEDED if self.get(path) in ("", None))


def _plain(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


class LiveCard(Live[Card]):
    """The card in force, swapped whole; see `Live`."""

    def __init__(self, card: Card | None = None) -> None:
        super().__init__(card or Card())
