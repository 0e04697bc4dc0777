# SPDX-License-Identifier: LGPL-2.1-or-later
"""The mean PSNR of pictures that models have denoised, and of BM3D's.

    quality.py FOLDER SIGMA MODEL...

FOLDER holds pictures in gray of 8 bits, numbered by three digits from 001 on:
testNNN.png, noisyNNN.png (sigma in levels of 255) and MODELNNN.png.
"""
import glob
import sys
from concurrent.futures import ProcessPoolExecutor
from os import path

import bm3d
import cv2
import numpy as np


def read(folder, name, number):
    picture = cv2.imread(path.join(folder, name + number), cv2.IMREAD_UNCHANGED)
    return picture.astype(np.float64)


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((a - b) ** 2))


def figures(folder, sigma, models, number):
    """PSNR of the noisy picture, of each model's, and of BM3D's, rounded."""
    clean = read(folder, "test", number)
    noisy = read(folder, "noisy", number)
    made = [read(folder, model, number) for model in models]
    best = np.clip(np.rint(bm3d.bm3d(noisy, sigma)), 0, 255)
    return [psnr(clean, x) for x in (noisy, *made, best)]


def main():
    folder, sigma, models = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    numbers = sorted(
        path.basename(name)[4:] for name in glob.glob(f"{folder}/test*.png")
    )
    count = len(numbers)
    with ProcessPoolExecutor() as pool:
        rows = pool.map(
            figures, [folder] * count, [sigma] * count, [models] * count, numbers
        )
        means = np.mean(list(rows), axis=0)
    for name, mean in zip(["noisy", *models, "BM3D"], means):
        print(f"  {name} {mean:.2f} dB ({count} images)")


main()
