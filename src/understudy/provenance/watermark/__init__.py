r"""The invisible mark: a 48-bit id in the luma of every frame, found again after scaling, cropping and coding.

**What is added.** With the pixel (x, y) of a picture whose shorter side is s, and the period p = s / 5,

    Y'(x, y) = Y(x, y) + g(x, y) P(x, y),
    P(x, y)  = c Re sum_k z_k exp(2 pi i (u_k (x + 1/2) + v_k (y + 1/2)) / p).

P is a texture of unit variance that repeats every p pixels: a sum of waves at whole numbers (u, v) of cycles a
period, one of each pair +-(u, v), in the band 3 <= |(u, v)| <= 13, that is 15 to 65 cycles over the shorter
side. That is low enough for video coders to keep and high enough to stay clear of shapes and shading. The
period is bound to the picture's size and not to its pixels, so scaling a picture scales the mark with it.

**What the waves say.** 32 of them, the *pilots*, have known phases z_k = 1.6 exp(i phi_k) and say where the
texture lies. The others carry one QPSK symbol each, z_k = (+-1 +-i) / sqrt 2: two coded bits.
All are turned by the phase of a shift that is derived from the id, so that two marks in one picture do not coincide.
The payload is a version (4 bits), the id (48) and a CRC-32 of both; a convolutional code of rate 1/3 with
constraint length 9 (generators 557, 663, 711 octal: the strongest of that length, Larsen 1973) turns its 84
bits and 8 tail bits into 276 coded bits, which fill all symbols in a scrambled order, some of them twice.

**How strong.** g is small where the eye would see a texture (even surfaces) and larger where there is texture
already: g = q clip(g0 + k a, g0, g1), with a the least local mean of second differences at two scales around a
pixel, so that an even surface beside an edge counts as even, and q <= 1 such that no frame's luma is changed by more
than a PSNR of 42 dB. A fixed dither pattern is added before rounding,
so that a mark of less than one grey level survives as a mean. g depends on the frame alone (live,
on one of every three) and P and the dither on nothing that changes in time: on a still picture the mark stands
still, it can't flicker.

**How it is found.** Of every frame, scaled to a working size, the local mean is taken off and the rest divided
by its local deviation to the power 1.5 (a matched filter weighs by strength over variance, and the strength grows
with texture, but less than texture does); clipped, and averaged over frames (the mark is the same in all, the
picture is not).
Then, with S the spectrum's power over its local mean (about exponentially distributed where there is no mark):

1. *Scale and stretch.* For every pair of periods (p_x, p_y) on a logarithmic grid, T = sum of S over the 32
   pilot frequencies. T knows nothing of the mark's position, so one transform serves all shifts. The tries are:
   the period that an uncropped picture has, the best isotropic ones, and the best of all; each as it is and
   mirrored.
2. *Shift.* The inverse transform of the pilots, their known phases taken off, peaks where the texture begins; the
   two highest peaks are tried.
3. *Bits.* Symbols are turned back by the shift, divided by the local deviation of the spectrum (a matched
   filter in coloured noise) and summed over repetitions; the Viterbi algorithm finds the likeliest payload.
4. *Acceptance.* A payload is taken only if its CRC-32 holds.

**How sure that is.** Of a picture without a mark each try passes the CRC by chance with probability 2^-32. A
reading makes at most ``MAX_TRIES`` = 1,024 of them, so it is wrong at most once in 4 million clips (2.4e-7).

**What it can't do.** Whoever knows the pattern - it is in this file - can remove it or paint it into another
picture. So a found id is compared with the ledger and with the picture's perceptual hash before anything is
said (see ``inspection``). Nothing is promised for pictures filmed off a screen, turned by more than a degree or
redrawn by a network.
"""

from understudy.provenance.watermark.embed import Watermarker
from understudy.provenance.watermark.read import Mark, MarkReader, read_mark
from understudy.provenance.watermark.strength import WatermarkOptions
from understudy.provenance.watermark.texture import READABLE_CLIP, READABLE_PICTURE

__all__ = ["READABLE_CLIP", "READABLE_PICTURE", "Mark", "MarkReader", "WatermarkOptions", "Watermarker", "read_mark"]
