# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs an ONNX file with ONNX Runtime: prints frames a second, or with --save
writes random inputs and their outputs, or compares two files of outputs.
Called by inference.sh."""

import argparse
import sys
import time

import numpy
import onnxruntime
from safetensors.numpy import load_file, save_file

WARM_UP = 3  # runs that are not timed


def open_session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options,
                                        ["CPUExecutionProvider"])


def random_inputs(session, size):
    """One image of @size, "WIDTHxHEIGHT", where the model leaves it open."""
    width, height = map(int, size.split("x"))
    random = numpy.random.default_rng(1)
    inputs = {}
    for value in session.get_inputs():
        shape = [n if isinstance(n, int) else fill for n, fill in
                 zip(value.shape, (1, 1, height, width))]
        inputs[value.name] = random.random(shape, numpy.float32)
    return inputs


def speed(session, inputs, seconds):
    runs = -WARM_UP
    elapsed = 0
    while elapsed < seconds:
        if runs == 0:
            begun = time.perf_counter()
        session.run(None, inputs)
        runs += 1
        if runs > 0:
            elapsed = time.perf_counter() - begun
    return runs / elapsed


def save(session, inputs, paths):
    names = [value.name for value in session.get_outputs()]
    save_file(inputs, paths[0])
    save_file(dict(zip(names, session.run(None, inputs))), paths[1])


def compare(paths, tolerance):
    """Prints the largest difference; not a number differs from everything."""
    a, b = map(load_file, paths)
    largest = max(numpy.abs(a[name] - b[name]).max() for name in a)
    print(f"largest difference {largest:.1e}")
    return 0 if a.keys() == b.keys() and largest <= tolerance else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("--size", default="28x28")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--save", nargs=2, metavar=("INPUTS", "OUTPUTS"))
    parser.add_argument("--compare", nargs=2, metavar=("EXPECTED", "FOUND"))
    parser.add_argument("--tolerance", type=float, default=1e-4)
    options = parser.parse_args()

    if options.version:
        print(onnxruntime.__version__)
        return 0
    if options.compare:
        return compare(options.compare, options.tolerance)
    session = open_session(options.model, options.threads)
    inputs = random_inputs(session, options.size)
    if options.save:
        save(session, inputs, options.save)
    else:
        print(round(speed(session, inputs, options.seconds), 3))
    return 0


sys.exit(main())
