"""Online CNMF on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.cnmf import footprints, picture, statistics, traces
from roi_core.cnmf.background import Glow
from roi_core.cnmf.deconvolve import Deconvolver
from roi_core.cnmf.detect import Detector
from roi_core.cnmf.state import Cells, renew_gram

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Proto:
    def __init__(self, shape, rate, settings):
        c = settings.cnmf
        self.shape, self.rate, self.settings = shape, rate, settings
        self.radius = c.cell_radius
        self.q = q = 2 if self.radius >= 4 else 1
        self.reach = round(2 * self.radius)
        R = self.reach
        h, w = shape
        self.padded = np.zeros((h + 2 * R + 1, w + 2 * R + 1), np.float32)
        self.input = self.padded[R : R + h, R : R + w]
        self.mean = np.zeros(shape, np.float32)
        self.line = np.zeros(w, np.float32)
        self.bshape = (h // q, w // q)
        self.binned = np.zeros(self.bshape, np.float32)
        self.bm = R // q + 3
        self.bside = 2 * R // q + 3
        self.glow = Glow(self.bshape, self.radius / q)
        self.pix = self.glow.grid.pixels()
        self.cells = Cells(R)
        self.lag = round(c.lag * rate)
        self.deconv = Deconvolver(rate, self.lag)
        self.ring = np.zeros((round(c.buffer * rate), self.bshape[0] + 2 * self.bm, self.bshape[1] + 2 * self.bm), np.float32)
        self.noise = np.zeros(self.bshape, np.float32)
        self.detector = Detector(self.bshape, self.bm, self.radius / q, rate)
        self.patches = np.zeros((0, self.bside, self.bside), np.float32)
        self.corners = np.zeros((0, 2), np.int64)
        self.under = (np.zeros((0, 4), np.int64), np.zeros((0, 3, 4), np.float32))
        self.seen = 0
        self.next = 0
        self.born = np.zeros(0, int)
        self.r = np.zeros(0, np.float32)
        self.sizes = np.zeros(0, np.float32)
        self.peak = np.zeros(0, np.float32)
        self.evid = np.zeros(0, np.float32)
        self.own = np.zeros((2 * R + 1,) * 2, np.float32)
        self.shape_buf = np.zeros((2 * R + 1,) * 2, np.float32)
        self.pred = np.zeros(0, np.float32)
        self.backfill = []
        self.backfill_s = []
        self.uid = np.zeros(0, int)
        self.nid = 0
        self.shift = (0.0, 0.0)
        self.blind = np.zeros(4)
        self.hist = np.zeros((len(self.ring), 4096), np.float32)
        self.merged = {}
        self.drifted = set()

    def step(self):
        c = self.cells
        n = c.count
        t = self.seen
        eta = max(1 / (t + 1), 1 / (self.settings.cnmf.memory * self.rate))
        h, w = self.shape
        top, left = (max(0, int(np.ceil(v))) for v in self.shift)
        bottom, right = (max(0, int(np.ceil(-v))) for v in self.shift)
        seen = (top, h - bottom, left, w - right)
        self.blind = np.maximum(self.blind * (1 - 1 / (60 * self.rate)), (top, bottom, left, right))
        picture.centre(self.padded, self.reach, self.mean, eta, seen, self.q, self.line, self.binned)
        if t == 0:
            self.binned[:] = 0
            self.padded[:] = 0
        self.glow.step(self.binned)
        glow = np.zeros((n, 3), np.float32)
        traces.planes(n, self.glow.nodes.ravel(), *self.under, glow)
        if n:
            prod = np.empty(n, np.float32)
            traces.project(n, self.padded, c.boxes, c.centres, glow, c.mass, prod)
            c.floor[:n] = self.deconv.baseline - 4 * self.deconv.noise - c.mean[:n]
            traces.demix(n, prod, c.near, c.gram, c.floor, c.trace, 1e-3)
            F = c.mean[:n] + c.trace[:n]
            c.mean[:n] += eta * c.trace[:n]
            statistics.gather(n, self.padded, c.centres, glow, self.pred, c.trace, c.near, c.images, c.links, c.power, c.energy)
            self.deconv.step(F.astype(np.float32), self.settings.cnmf)
            calcium = self.deconv.calcium
            self.pred = np.where(calcium > 0.5 * self.deconv.noise, calcium, 0).astype(np.float32)
            statistics.agree(n, self.pred, c.near, 1 / (60 * self.rate), c.sync, c.first, c.second)
            self.hist[t % len(self.hist), :n] = F
            self.peak = np.maximum(self.peak * (1 - 1 / (120 * self.rate)), np.nan_to_num(self.deconv.settled_calcium))
        now = self.ring[t % len(self.ring)]
        before = self.ring[(t - 1) % len(self.ring)]
        picture.residual(self.binned, self.bm, self.glow.nodes, *self.pix, now)
        picture.subtract(n, now, self.patches, self.corners, c.trace)
        q, m = self.q, self.bm
        if top: now[: m - (-top // q)] = 0
        if left: now[:, : m - (-left // q)] = 0
        if bottom: now[now.shape[0] - m + (-bottom // q) :] = 0
        if right: now[:, now.shape[1] - m + (-right // q) :] = 0
        if t > 1:
            picture.track_noise(now, before, max(1 / t, 1 / (20 * self.rate)), self.noise, self.bm)
        self.seen += 1
        for _ in range(max(1, -(-n // 100)) if n and self.settings.cnmf.shapes else 0):
            self.visit(self.next % n)
            self.next += 1
        if self.seen % self.detector.step == 0:
            fr = np.arange(self.seen - self.detector.step, self.seen)
            mm = self.bm
            res = self.ring[fr % len(self.ring), mm:-mm, mm:-mm].mean(0)
            self.glow.learn_maps(res, fr)
            if self.seen % 60 == 0:
                self.glow.bend(np.exp(-60 / (self.settings.cnmf.memory * self.rate)))
                self.glow.learn()
            self.detect()

    def visit(self, i):
        c = self.cells
        if c.power[i] <= 0 or c.energy[i] <= 0:
            return
        age = self.seen - c.visited[i]
        c.visited[i] = self.seen
        keep = np.float32(np.exp(-age / (self.settings.cnmf.memory * self.rate)))
        c.images[i] *= keep
        c.links[i] *= keep
        c.power[i] *= keep
        c.energy[i] *= keep
        footprints.own_image(i, c.boxes, c.centres, c.near, c.images, c.links, c.power, self.own)
        footprints.level_rim(self.own, 1.7 * self.radius)
        y, x = c.centres[i]
        sigma = np.sqrt(self.noise[min(y // self.q, self.bshape[0] - 1), min(x // self.q, self.bshape[1] - 1)]) * self.q
        noise = sigma * np.sqrt(c.energy[i]) / c.power[i] * 0.4
        size = footprints.cleaned(self.own, noise, 0.12, self.radius, 1.9 * self.radius, self.shape_buf)
        self.evid[i] = c.power[i] / (self.deconv.noise[i] * np.sqrt(c.energy[i]))
        if size < 4:
            return
        # quality
        R = self.reach
        yy, xx = np.mgrid[-R : R + 1, -R : R + 1]
        near = np.hypot(yy, xx) <= 1.9 * self.radius
        import cv2
        b = cv2.GaussianBlur(self.own, (0, 0), 1.0)[near]
        a = self.shape_buf[near]
        self.r[i] = np.corrcoef(a, b)[0, 1]
        self.sizes[i] = (self.shape_buf > 0.2 * self.shape_buf.max()).sum()
        c.boxes[i] = self.shape_buf / np.sqrt((self.shape_buf**2).sum())
        c.mass[i] = self.moments(c.boxes[i])
        renew_gram(i, c.boxes, c.centres, c.near, c.gram)
        self.place(i)
        m = c.mass[i] / c.mass[i, 0]
        if abs(m[1]) > 1.0 or abs(m[2]) > 1.0:
            self.drifted.add(int(self.uid[i]))

    def place(self, i, fresh=False):
        c, q = self.cells, self.q
        y, x = c.centres[i] - self.reach
        if not fresh:
            footprints.mark(self.glow.cover, self.patches[i], self.corners[i, 0] - self.bm, self.corners[i, 1] - self.bm, -1)
        self.corners[i] = (y // q + self.bm, x // q + self.bm)
        footprints.bin_box(c.boxes[i], y % q, x % q, q, self.patches[i])
        footprints.mark(self.glow.cover, self.patches[i], self.corners[i, 0] - self.bm, self.corners[i, 1] - self.bm, 1)

    def detect(self):
        peaks = self.detector.look(self.ring, self.seen, self.noise)
        length = min(self.seen - 1, len(self.ring) - 1)
        for p in peaks[:6]:
            cand = self.detector.fit(p, self.ring, self.seen, length, self.noise)
            if cand is None:
                continue
            cy, cx = (cand.y + len(cand.shape) / 2 - self.bm) * self.q, (cand.x + len(cand.shape) / 2 - self.bm) * self.q
            b = self.blind + 2
            if not (b[0] <= cy < self.shape[0] - b[1] and b[2] <= cx < self.shape[1] - b[3]):
                continue
            if self.duplicate(cand):
                continue
            self.add(cand)
            self.detector.forget(cand, self.ring, self.seen, self.noise)

        if self.seen % (3 * self.detector.step) == 0:
            self.tidy()
        for u in list(self.drifted):
            w = np.flatnonzero(self.uid == u)
            if len(w): self.recentre(int(w[0]))
        self.drifted.clear()

    def recentre(self, i):
        c = self.cells
        m = c.mass[i] / c.mass[i, 0]
        dy, dx = int(round(m[1])), int(round(m[2]))
        y, x = c.centres[i] + (dy, dx)
        if not (0 <= y < self.shape[0] and 0 <= x < self.shape[1]) or (dy == 0 and dx == 0):
            return
        footprints.mark(self.glow.cover, self.patches[i], self.corners[i, 0] - self.bm, self.corners[i, 1] - self.bm, -1)
        for a in (c.boxes, c.images):
            old = a[i].copy()
            a[i] = 0
            S = c.side
            a[i, max(0, -dy) : S - max(0, dy), max(0, -dx) : S - max(0, dx)] = old[max(0, dy) : S - max(0, -dy), max(0, dx) : S - max(0, -dx)]
        c.centres[i] = y, x
        c.boxes[i] /= np.sqrt((c.boxes[i] ** 2).sum())
        c.mass[i] = self.moments(c.boxes[i])
        c.connect()
        self.place(i, fresh=True)
        nd, wt = self.place_glow(y, x)
        self.under[0][i], self.under[1][i] = nd[0], wt[0]

    def tidy(self):
        c = self.cells
        n = c.count
        var = np.maximum(c.second[:n] - c.first[:n] ** 2, 1e-9)
        best = None
        for i in range(n):
            for m, j in enumerate(c.near[i]):
                if j < 0:
                    break
                if j < i:
                    continue
                cos = c.gram[i, m]
                if cos < 0.15:
                    continue
                corr = (c.sync[i, m] - c.first[i] * c.first[j]) / np.sqrt(var[i] * var[j])
                young = min(self.seen - self.born[i], self.seen - self.born[j])
                if young < 2 * self.rate:
                    continue
                close = np.hypot(*(c.centres[i] - c.centres[j])) < 0.5 * self.radius and cos > 0.3
                if (close or cos > 0.75) and corr < 0.5:
                    sparse = [self.peak[k] / np.sqrt(c.second[k] + 1e-9) for k in (i, j)]
                    self.keep(np.delete(np.arange(n), i if sparse[0] < sparse[1] else j))
                    return
                if cos > 0.75 or (corr > 0.8 - 0.6 * cos and cos > .2):
                    if best is None or cos + corr > best[0]:
                        best = (cos + corr, i, int(j))
        if best is not None:
            self.merge(best[1], best[2])
        n = c.count
        age = self.seen - self.born
        dead = (age > 10 * self.rate) & ((self.evid < 4) | (self.r < 0.4) | (self.sizes < 8)) & (c.visited[:n] > self.born)
        if dead.any():
            self.keep(np.flatnonzero(~dead))

    def merge(self, i, j):
        c = self.cells
        if c.power[j] > c.power[i]:
            i, j = j, i
        y, x = c.centres[i]
        dy, dx = c.centres[j] - c.centres[i]
        S = c.side
        other = np.zeros((S, S), np.float32)
        img = np.zeros((S, S), np.float32)
        ys, xs = slice(max(0, dy), min(S, S + dy)), slice(max(0, dx), min(S, S + dx))
        yo, xo = slice(max(0, -dy), min(S, S - dy)), slice(max(0, -dx), min(S, S - dx))
        other[ys, xs] = c.boxes[j][yo, xo]
        wi, wj = np.sqrt(c.power[i]), np.sqrt(c.power[j])
        # weights by calcium rms
        ri, rj = np.sqrt(c.second[i]), np.sqrt(c.second[j])
        box = c.boxes[i] * ri + other * rj
        box /= np.sqrt((box**2).sum())
        gi, gj = (box * c.boxes[i]).sum(), (box * other).sum()
        self.merged.setdefault(int(self.uid[i]), []).append(int(self.uid[j]))
        n = min(self.seen, len(self.hist) - 1, int(self.seen - max(self.born[i], self.born[j])))
        order = np.arange(self.seen - n, self.seen) % len(self.hist)
        F = self.hist[order, i] * gi + self.hist[order, j] * gj
        footprints.mark(self.glow.cover, self.patches[i], self.corners[i, 0] - self.bm, self.corners[i, 1] - self.bm, -1)
        c.boxes[i] = box
        c.mass[i] = self.moments(box)
        c.mean[i] = c.mean[i] * gi + c.mean[j] * gj
        c.trace[i] = c.trace[i] * gi + c.trace[j] * gj
        p = float(c.power[i] + c.power[j])
        c.images[i] = box * p
        c.power[i] = c.energy[i] = p
        c.links[i] = 0
        for k in range(c.count):
            c.links[k][c.near[k] == i] = 0
        self.place(i, fresh=True)
        self.deconv.append(F[None].astype(np.float32))
        order = np.arange(c.count + 1)
        order[i] = c.count
        self.deconv.keep(order[:-1])
        self.keep(np.delete(np.arange(c.count), j))

    def keep(self, order):
        c = self.cells
        gone = np.setdiff1d(np.arange(c.count), order)
        for i in gone:
            footprints.mark(self.glow.cover, self.patches[i], self.corners[i, 0] - self.bm, self.corners[i, 1] - self.bm, -1)
        c.keep(order)
        self.deconv.keep(order)
        k = len(order)
        self.patches[:k] = self.patches[order]
        self.corners[:k] = self.corners[order]
        self.under = (self.under[0][order], self.under[1][order])
        self.hist[:, :k] = self.hist[:, order]
        for name in ("born", "uid", "r", "sizes", "peak", "evid", "pred"):
            setattr(self, name, getattr(self, name)[order])

    def duplicate(self, cand):
        c = self.cells
        s = cand.shape.shape[0]
        for i in range(c.count):
            dy, dx = self.corners[i] - (cand.y, cand.x)
            if abs(dy) >= s or abs(dx) >= s:
                continue
            full = np.zeros((3 * s + 40, 3 * s + 40), np.float32)
            full[s : s + s, s : s + s] = cand.shape
            p = self.patches[i]
            sub = full[s + dy : s + dy + len(p), s + dx : s + dx + len(p)]
            if sub.shape != p.shape:
                continue
            cos = (sub * p).sum() / np.sqrt((cand.shape**2).sum() * (p**2).sum())
            if cos > 0.65:
                return True
        return False

    def moments(self, box):
        r = np.arange(-self.reach, self.reach + 1)
        return box.sum(), (box.sum(1) * r).sum(), (box.sum(0) * r).sum()

    def place_glow(self, cy, cx):
        q, g = self.q, self.glow.grid
        y, x = (cy + 0.5) / q - 0.5, (cx + 0.5) / q - 0.5
        (yl,), (yf,) = g.at(0, np.array([y]))
        (xl,), (xf,) = g.at(1, np.array([x]))
        my, mx = g.middles()
        hy, hx = (my[yl + 1] - my[yl]) * q, (mx[xl + 1] - mx[xl]) * q
        at = yl * g.shape[1] + xl
        nd = np.array([[at, at + 1, at + g.shape[1], at + g.shape[1] + 1]])
        wt = [[(1 - yf) * (1 - xf), (1 - yf) * xf, yf * (1 - xf), yf * xf],
              [-(1 - xf) / hy, -xf / hy, (1 - xf) / hy, xf / hy],
              [-(1 - yf) / hx, (1 - yf) / hx, -yf / hx, yf / hx]]
        return nd, np.array([wt], np.float32)

    def add(self, cand):
        import cv2
        c, q, R = self.cells, self.q, self.reach
        s = cand.shape.shape[0]
        full = cv2.resize(cand.shape, (s * q, s * q), interpolation=cv2.INTER_LINEAR) if q > 1 else cand.shape
        # position of full's first pixel in analysis px
        fy, fx = (cand.y - self.bm) * q, (cand.x - self.bm) * q
        yy, xx = np.mgrid[: s * q, : s * q]
        m = full.sum()
        cy = int(round(fy + (yy * full).sum() / m))
        cx = int(round(fx + (xx * full).sum() / m))
        cy, cx = min(max(cy, 0), self.shape[0] - 1), min(max(cx, 0), self.shape[1] - 1)
        box = np.zeros((2 * R + 1, 2 * R + 1), np.float32)
        for y in range(s * q):
            for x in range(s * q):
                Y, X = fy + y, fx + x
                v, u = Y - cy + R, X - cx + R
                if 0 <= v <= 2 * R and 0 <= u <= 2 * R and 0 <= Y < self.shape[0] and 0 <= X < self.shape[1]:
                    box[v, u] = full[y, x]
        norm = np.sqrt((box**2).sum())
        trace = cand.trace * norm
        c.append(box[None], np.array([[cy, cx]]), self.seen)
        i = c.count - 1
        if len(self.patches) < len(c.mass):
            new = np.zeros((len(c.mass), self.bside, self.bside), np.float32)
            new[:i] = self.patches[:i]
            self.patches = new
            nc = np.zeros((len(c.mass), 2), np.int64)
            nc[:i] = self.corners[:i]
            self.corners = nc
        c.mass[i] = self.moments(c.boxes[i])
        self.place(i, fresh=True)
        nd, wt = self.place_glow(cy, cx)
        self.under = (np.concatenate([self.under[0], nd]), np.concatenate([self.under[1], wt]))
        raw, ca, sp = self.deconv.append(trace[None].astype(np.float32))
        pos = np.maximum(ca[0], 0)
        power = 0.3 * float((np.nan_to_num(pos) ** 2).sum()) + 1e-3
        c.images[i] = c.boxes[i] * power
        c.power[i] = c.energy[i] = power
        self.born = np.append(self.born, self.seen)
        self.backfill.append(ca[0])
        self.backfill_s.append(sp[0])
        self.uid = np.append(self.uid, self.nid)
        self.nid += 1
        self.r = np.append(self.r, np.float32(cand.r))
        self.sizes = np.append(self.sizes, np.float32(0))
        self.peak = np.append(self.peak, np.float32(0))
        self.evid = np.append(self.evid, np.float32(0))
        self.pred = np.append(self.pred, np.float32(0))
