# SPDX-License-Identifier: LGPL-2.1-or-later
"""The PSNR of luma with the frames before and without, and where nothing moves.

    temporal.py FOLDER WIDTH HEIGHT NAME

FOLDER holds raw I420 frames as GStreamer lays them out: clean, noisy, single
and temporal. A pixel stands still in a frame if around it, in squares of 8, the
clean frame and the four before differ by less than 2 levels in the mean, from
one to the next.
"""
import sys
from os import path

import cv2
import numpy as np

PAST = 4


def luma(folder, name, width, height):
    stride, rows = (width + 3) // 4 * 4, (height + 1) // 2 * 2
    chroma = ((width + 1) // 2 + 3) // 4 * 4 * (rows // 2)
    size = stride * rows + 2 * chroma
    data = np.fromfile(path.join(folder, name), np.uint8)
    frames = data[: len(data) // size * size].reshape(-1, size)
    planes = frames[:, : stride * rows].reshape(-1, rows, stride)
    return planes[:, :height, :width].astype(np.float32)


def still(clean):
    steps = [
        cv2.blur(np.abs(b - a), (8, 8)) for a, b in zip(clean[:-1], clean[1:])
    ]
    mask = np.zeros(clean.shape, bool)
    for i in range(PAST, len(clean)):
        mask[i] = np.max(steps[i - PAST : i], axis=0) < 2
    return mask


def psnr(errors):
    return 10 * np.log10(255**2 / max(np.mean(errors), 1e-9))


def main():
    folder, width, height, name = sys.argv[1:]
    size = int(width), int(height)
    clean, noisy, single, temporal = (
        luma(folder, part, *size)
        for part in ("clean", "noisy", "single", "temporal")
    )
    mask = still(clean)
    noisy, single, temporal = (
        (frames - clean) ** 2 for frames in (noisy, single, temporal)
    )
    text = (
        f"  {name} ({len(clean)} frames): noisy {psnr(noisy):.2f} dB, "
        f"single {psnr(single):.2f} dB, temporal {psnr(temporal):.2f} dB"
    )
    if mask.any():
        text += (
            f"; the still {mask.mean():.0%}: {psnr(single[mask]):.2f} dB, "
            f"{psnr(temporal[mask]):.2f} dB"
        )
    print(text)


main()
