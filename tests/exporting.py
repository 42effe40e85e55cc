"""A recording with everything in it, as a session on the simulated camera leaves it."""

from roi_core.card import Card, LiveCard
from roi_core.rois import Circle, Polygon, RoiSet
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_core.sources.simulated import Simulated

FRAMES = 300
ON = (
    "motion.enabled=true", "cnmf.enabled=true", "cnmf.cell_radius=4", "cnmf.buffer=5", "roi.dff=true",
    "recorder.movie=true", "recorder.disk_reserve=1",
)  # fmt: skip
CARD = Card().with_texts(
    "subject.subject_id=m017", "subject.species=Mus musculus", "subject.sex=F", "subject.age=P90D",
    "subject.strain=C57BL/6J", "subject.genotype=Thy1-GCaMP6f", "imaging.indicator=GCaMP6f",
    "imaging.region=CA1", "imaging.plane=200 um below the pia", "imaging.microscope=Bergamo II",
    "imaging.objective=Nikon 16x", "imaging.excitation_nm=920", "imaging.emission_nm=525",
    "imaging.um_per_px=1.5", "session.description=A test of the export.",
    "session.experimenter=Cajal, Santiago; Golgi, Camillo", "session.lab=Lab", "session.institution=Uni",
    "session.protocol=P1", "session.notes=Nothing else.",
)  # fmt: skip


def recorded(path, *texts, card=CARD, frames=FRAMES):
    """Record the tiny simulated scene (64 wide, 48 high) with two regions; return the path."""
    live = LiveSettings(Settings().with_texts(*ON, *texts))
    rois = RoiSet().add(Circle(20, 15, 4, name="soma"))
    rois = rois.add(Polygon([(40, 30), (50, 30), (45, 40)], name="dendrite"))
    source = Simulated("tiny", live, paced=False, seed=3, length=frames)
    session = Session(source, live, rois, card=LiveCard(card))
    session.record(path, essential=True)
    session.note("the animal woke up")
    session.start()
    session.wait()
    return path
