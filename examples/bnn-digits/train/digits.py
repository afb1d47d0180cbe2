"""Handwritten-looking digits made by a program: strokes that are bent, turned, stretched and shifted at random, drawn with a pen of random width.

No file of somebody else's is involved. `make(count, seed)` gives the same images for the same seed.
"""
import numpy as np

SIDE = 16

# Strokes of each digit in a square of side 1, x to the right and y down.
STROKES = {
    0: [[(.5, .0), (.15, .2), (.1, .6), (.3, .95), (.6, 1.), (.85, .75), (.88, .35), (.7, .08), (.5, .0)]],
    1: [[(.3, .2), (.55, .0), (.55, 1.)]],
    2: [[(.15, .25), (.35, .03), (.65, .03), (.82, .25), (.7, .5), (.4, .75), (.15, 1.), (.88, 1.)]],
    3: [[(.15, .12), (.45, .0), (.75, .1), (.78, .32), (.5, .47), (.8, .62), (.82, .85), (.5, 1.), (.15, .9)]],
    4: [[(.6, .0), (.12, .65), (.9, .65)], [(.65, .35), (.65, 1.)]],
    5: [[(.82, .0), (.25, .0), (.2, .42), (.55, .38), (.82, .55), (.8, .85), (.5, 1.), (.15, .92)]],
    6: [[(.7, .0), (.35, .25), (.15, .65), (.25, .95), (.6, 1.), (.82, .8), (.7, .55), (.4, .52), (.18, .7)]],
    7: [[(.1, .0), (.88, .0), (.6, .4), (.42, 1.)]],
    8: [[(.5, .46), (.2, .3), (.25, .08), (.5, .0), (.75, .08), (.8, .3), (.5, .46), (.15, .7), (.25, .95), (.5, 1.), (.75, .95), (.85, .7),
         (.5, .46)]],
    9: [[(.8, .3), (.6, .48), (.3, .45), (.18, .22), (.4, .0), (.7, .05), (.82, .3), (.75, .7), (.5, 1.)]],
}


def draw(digit, rng):
    """One image [SIDE, SIDE] of 0 .. 255."""
    angle, shear = rng.normal(0, .16), rng.normal(0, .18)
    width, height = rng.uniform(6.5, 10.5), rng.uniform(9., 12.5)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.array([[width, shear * width], [0, height]])
    middle = (SIDE - 1) / 2 + rng.uniform(-1.2, 1.2, 2)
    pen = rng.uniform(.55, 1.15)
    y, x = np.mgrid[:SIDE, :SIDE]
    at = np.stack([x, y], -1).reshape(-1, 1, 2)
    distance = np.full(SIDE * SIDE, np.inf)
    for stroke in STROKES[digit]:
        points = (np.array(stroke) - .5 + rng.normal(0, .045, (len(stroke), 2))) @ turn.T + middle
        a, along = points[:-1], np.diff(points, axis=0)
        share = np.clip(((at - a) * along).sum(-1) / np.maximum((along * along).sum(-1), 1e-9), 0, 1)
        nearest = a + share[..., None] * along
        distance = np.minimum(distance, np.sqrt(((at - nearest) ** 2).sum(-1)).min(1))
    ink = np.clip(1.2 - (distance - pen), 0, 1) * rng.uniform(.75, 1.) + rng.normal(0, .06, distance.shape)
    return (np.clip(ink, 0, 1) * 255).round().astype(np.uint8).reshape(SIDE, SIDE)


def make(count, seed):
    """Images [count, 1, SIDE, SIDE] of 0 .. 255, and their digits."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count)
    return np.stack([draw(int(d), rng) for d in labels])[:, None], labels
