# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of tensors for the comparisons.

tensors.py random MODEL.onnx WIDTHxHEIGHT BATCH OUT
    an image for MODEL
tensors.py compare EXPECTED FOUND TOLERANCE
    prints the largest difference
tensors.py planes FRAME WIDTH HEIGHT LUMA CHROMA
    one image and two, in [0, 1], of a file that holds a frame of I420
tensors.py rounded FRAME WIDTH HEIGHT LUMA CHROMA
    checks that the frame is these images in 8 bits
"""

import sys

import numpy
import onnx
from safetensors.numpy import load_file, save_file


def random(path, size, batch, out):
    """Uniform in [0, 1); sizes are of what the model leaves open."""
    width, height = map(int, size.split("x"))
    value = onnx.load(path).graph.input[0]
    shape = [dim.dim_value or fill for dim, fill in
             zip(value.type.tensor_type.shape.dim,
                 (int(batch), 1, height, width))]
    image = numpy.random.default_rng(1).random(shape, numpy.float32)
    save_file({value.name: image}, out)


def compare(expected, found, tolerance):
    """Not a number differs from everything."""
    a, b = load_file(expected), load_file(found)
    largest = max(numpy.abs(a[name] - b[name]).max() for name in a)
    print(f"{largest:.1e}")
    return 0 if a.keys() == b.keys() and largest <= float(tolerance) else 1


def split(frame, width, height):
    """Y as one image, U and V as a batch of two; width and height are even
    and the rows of all planes have multiples of four bytes."""
    data = numpy.fromfile(frame, numpy.uint8)
    luma, chroma = numpy.split(data, [width * height])
    return (luma.reshape(1, 1, height, width),
            chroma.reshape(2, 1, height // 2, width // 2))


def planes(frame, width, height, *paths):
    """Reflected up to multiples of 8, as aedenoise does it for the network."""
    for plane, path in zip(split(frame, int(width), int(height)), paths):
        padding = [(0, -n % 8) for n in plane.shape[2:]]
        plane = numpy.pad(plane, [(0, 0), (0, 0), *padding], "reflect")
        save_file({"image": numpy.float32(plane) / numpy.float32(255)}, path)


def rounded(frame, width, height, *paths):
    """Sums may round to either side of a half: one level is allowed."""
    for plane, path in zip(split(frame, int(width), int(height)), paths):
        (image,) = load_file(path).values()
        image = image[..., :plane.shape[2], :plane.shape[3]]
        levels = numpy.clip(numpy.round(image * 255), 0, 255)
        if numpy.abs(levels - plane).max() > 1:
            return 1


sys.exit({"random": random, "compare": compare, "planes": planes,
          "rounded": rounded}[sys.argv[1]](*sys.argv[2:]))
