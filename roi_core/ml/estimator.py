"""Online CNMF as a scikit-learn estimator and transformer.

Every parameter stands for a setting of the same name; all others are reached by path=value words. A stream
has an order, so the rows of X are frames of one recording, one after the other.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from scipy.sparse import csc_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from roi_core.frame import Status
from roi_core.ml.chain import Chain, Picture, arranged, fixed, picture, settings_of
from roi_core.ml.history import History, Traces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.frame import Activity
    from roi_core.settings import Settings

__all__ = ["OnlineCNMF"]

SMALLEST: Final = 16
"""Sides that the stages need, px; a smaller picture (a line scan) is repeated at its edges."""


class OnlineCNMF(TransformerMixin, BaseEstimator):
    """Cells, their calcium and their spikes, found in frames as they come.

    X is (n, height, width): an array of numpy, or one of xarray whose axes are named frame, height and
    width, or time, y and x in this order. With ``frame_shape`` it may also be (n, height * width), one frame
    a row. `partial_fit` and `transform` also take a single frame (height, width). Integers and floats are
    taken as they are.

    `fit` begins anew; `partial_fit` goes on, and gives the same as `fit` of all frames at once, to the bit.
    `fit_transform` returns ``calcium_``, which knows what came before and after each frame. `transform`
    takes each frame by itself and learns nothing: it returns the demixed traces above their baselines,
    (n, K), so it is no `fit_transform` without the fit.

    As in a session, cells learn nothing from frames that are dark, saturated, a copy of the one before, or of
    a place that motion correction doubts.

    Parameters
    ----------
    rate : frames per second
    cell_radius : radius of a typical cell, px
    preset : "2p", "1p" or "photometry"
    motion : whether frames are moved to fit a template
    max_shift : largest shift that is corrected, px from where the scene usually is
    min_snr : what the highest transient of a cell must reach
    max_cells : components kept at most
    decay : decay time of the indicator, s; 0 estimates it
    bin : pixels averaged in each direction before analysis; 0 chooses
    frame_shape : (height, width) of the frames in the rows of a two-dimensional X; one of them may be -1
    settings : more settings as path=value words, such as "cnmf.lag=0.2 motion.patch=64"; they win

    Attributes
    ----------
    ids_ : (K,) names of the accepted cells; never used twice
    footprints_ : csc_matrix (height * width, K), 1 at the brightest pixel
    raw_, calcium_, spikes_ : (n, K) float32 of all frames learned, NaN where nothing is known of a cell
    shifts_ : (n, 2) by how many px (dy, dx) each frame was moved
    n_features_in_ : height * width
    frame_shape_ : (height, width)
    """

    def __init__(
        self,
        *,
        rate: float = 30.0,
        cell_radius: float = 5.0,
        preset: str = "2p",
        motion: bool = True,
        max_shift: float = 10.0,
        min_snr: float = 1.5,
        max_cells: int = 2000,
        decay: float = 0.0,
        bin: int = 0,
        frame_shape: tuple[int, int] | None = None,
        settings: str = "",
    ) -> None:
        self.rate = rate
        self.cell_radius = cell_radius
        self.preset = preset
        self.motion = motion
        self.max_shift = max_shift
        self.min_snr = min_snr
        self.max_cells = max_cells
        self.decay = decay
        self.bin = bin
        self.frame_shape = frame_shape
        self.settings = settings

    # -- learning ------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: object = None) -> Self:
        """Learn from the frames X, and from nothing before them."""
        frames = self._frames(X, new=True, least=2)
        self._begin(frames.shape[1:])
        return self._learn(frames)

    def partial_fit(self, X: Any, y: object = None) -> Self:
        """Learn from one more frame, or several; parameters changed since the last ones hold from here."""
        new = not self.__sklearn_is_fitted__()
        frames = self._frames(X, new=new, least=1)
        if new:
            self._begin(frames.shape[1:])
        else:
            self._follow()
        return self._learn(frames)

    def fit_transform(self, X: Any, y: object = None) -> NDArray[np.float32]:
        """Learn from the frames X; return the calcium (n, K) of the cells found in them."""
        return self.fit(X).calcium_

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return the demixed traces (n, K) of the cells found, in frames taken one by one; learn nothing."""
        check_is_fitted(self)
        frames = self._frames(X, new=False, least=1)
        places = np.flatnonzero(self._accepted())
        out = np.empty((len(frames), len(places)), np.float32)
        for row, frame in zip(out, frames, strict=True):
            row[:] = self._chain.look(self._padded(frame))[places]
        return out

    def _settings(self) -> Settings:
        return settings_of(self.get_params(deep=False))

    def _begin(self, shape: tuple[int, ...]) -> None:
        h, w = self.frame_shape_ = shape[0], shape[1]
        settings, self._asked = self._settings(), self.get_params(deep=False)
        least = SMALLEST * max(1, settings.prepare.bin)
        self._pad = (_margins(h, least), _margins(w, least))
        self._chain = Chain((h + sum(self._pad[0]), w + sum(self._pad[1])), float(self.rate), settings)
        self._history, self._shifts = History(), list[tuple[float, float]]()
        self._last: Activity

    def _follow(self) -> None:
        """Let the settings be those of the parameters, unless they cannot change any more."""
        if self.get_params(deep=False) == self._asked:
            return
        settings, chain = self._settings(), self._chain
        now, before = fixed(settings) | {"rate": self.rate}, fixed(chain.settings) | {"rate": chain.rate}
        for name, value in now.items():
            if value != before[name]:
                raise ValueError(f"{name} = {value!r}: cannot change from {before[name]!r} without a new fit")
        chain.settings, self._asked = settings, self.get_params(deep=False)

    def _learn(self, frames: NDArray[Any]) -> Self:
        for frame in frames:
            shift, self._last = self._chain.step(self._padded(frame))
            self._shifts.append(shift)
            self._history.add(self._last)
        return self

    # -- frames --------------------------------------------------------------------------------------------

    def _frames(self, X: Any, new: bool, least: int) -> NDArray[Any]:
        """Return X as (n, height, width), or say in scikit-learn's words why it cannot be that."""
        X = arranged(X)
        shape = None
        if getattr(X, "ndim", 2) == 3:
            X = np.asarray(X)
            shape = X.shape[1:]
            X = X.reshape(len(X), shape[0] * shape[1])
        elif self.frame_shape is None:
            X = check_array(X, dtype="numeric", input_name="X")
            shape = X.shape
            X = X.reshape(1, -1)
        X = validate_data(self, X, reset=new, dtype="numeric", ensure_min_samples=least)
        shape = self._sides(X.shape[1]) if shape is None else shape
        if not new and tuple(shape) != self.frame_shape_:
            raise ValueError(
                f"X has frames of shape {tuple(shape)}, but those learned were {self.frame_shape_}"
            )
        frames: NDArray[Any] = X.reshape(-1, *shape)
        return frames

    def _sides(self, features: int) -> tuple[int, int]:
        """Return (height, width) of rows of so many px."""
        try:
            h, w = np.zeros(features, bool).reshape(self.frame_shape or ()).shape
        except (TypeError, ValueError):
            raise ValueError(
                f"frame_shape = {self.frame_shape!r} does not fit rows of {features} px; "
                "give (height, width), one of which may be -1"
            ) from None
        return h, w

    def _padded(self, frame: NDArray[Any]) -> Picture:
        """Return a copy of a frame as the stages take it."""
        array = picture(
            frame.astype(np.uint16) if frame.dtype.kind == "b" or frame.dtype == np.uint8 else frame
        )
        return np.pad(array, self._pad, "edge") if np.any(self._pad) else array.copy()

    # -- what was found ------------------------------------------------------------------------------------

    def _accepted(self) -> NDArray[np.bool_]:
        """Return which of the living components are cells."""
        return np.equal(self._last.components.status[: len(self._last.ids)], Status.ACCEPTED)

    def _traces(self) -> Traces:
        return self._history.traces(tuple(self.ids_.tolist()), self._chain.finish())

    @property
    def ids_(self) -> NDArray[np.int64]:
        """(K,) names of the accepted cells."""
        self._check("ids_")
        return np.array(self._last.ids, np.int64)[self._accepted()]

    @property
    def footprints_(self) -> csc_matrix:
        """(height * width, K) brightness of each cell, 1 at its brightest pixel."""
        self._check("footprints_")
        c = self._last.components
        h, w = c.shape
        whole = csc_matrix((c.data, c.indices, c.indptr), (h * w, len(c.ids)))
        inside = np.arange(h * w).reshape(h, w)
        (top, _), (left, _) = self._pad
        inside = inside[top : top + self.frame_shape_[0], left : left + self.frame_shape_[1]]
        return csc_matrix(whole[:, : len(self._last.ids)][:, self._accepted()][inside.ravel()])

    @property
    def raw_(self) -> NDArray[np.float32]:
        """(n, K) demixed traces above their baselines."""
        self._check("raw_")
        return self._traces().raw

    @property
    def calcium_(self) -> NDArray[np.float32]:
        """(n, K) calcium, refined by what came after each frame."""
        self._check("calcium_")
        return self._traces().calcium

    @property
    def spikes_(self) -> NDArray[np.float32]:
        """(n, K) spikes, refined by what came after each frame."""
        self._check("spikes_")
        return self._traces().spikes

    @property
    def shifts_(self) -> NDArray[np.float64]:
        """(n, 2) px (dy, dx) by which each frame was moved."""
        self._check("shifts_")
        return np.array(self._shifts).reshape(-1, 2)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the columns: cell and its id."""
        check_is_fitted(self)
        return np.array([f"cell{cell}" for cell in self.ids_], object)

    # -- what scikit-learn asks ----------------------------------------------------------------------------

    def _check(self, name: str) -> None:
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(f"there is no {name} before OnlineCNMF was fitted")

    def __sklearn_is_fitted__(self) -> bool:
        return "_last" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Keep the stages as one block: arrays that joblib maps read-only could not learn on."""
        state = dict(super().__getstate__())
        if "_chain" in state:
            state["_chain"] = pickle.dumps(state["_chain"], pickle.HIGHEST_PROTOCOL)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the stages again."""
        if "_chain" in state:
            state = state | {"_chain": pickle.loads(state["_chain"])}
        super().__setstate__(state)


def _margins(side: int, least: int) -> tuple[int, int]:
    """Return how many px to add before and behind."""
    more = max(0, least - side)
    return more // 2, more - more // 2
