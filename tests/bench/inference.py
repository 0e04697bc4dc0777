# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs an ONNX file of one input and one output with another runtime: prints
images a second; with --save writes the output, with --memory prints the MiB
that its peak lies above what the runtime took before it opened the file."""

import argparse
import re
import time

import numpy
import onnx
import onnxruntime
from safetensors.numpy import load_file, save_file

WARM_UP = 0.3  # seconds, and one run at least


def load_onnxruntime(path, image, threads):
    """Its default settings, which optimise all they can."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options,
                                           ["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: image}
    return lambda: session.run(None, inputs)[0]


def load_pytorch(path, image, threads):
    import pytorch
    return pytorch.load(path, image, threads)


def load_opencv(path, image, threads):
    """It wants to know all sizes from the file."""
    import cv2
    cv2.setNumThreads(threads)
    model = onnx.load(path)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for dim, n in zip(dims, image.shape):
        dim.dim_value = n
    network = cv2.dnn.readNetFromONNX(model.SerializeToString())
    network.setInput(image)
    return network.forward


LOADERS = {"onnxruntime": load_onnxruntime, "pytorch": load_pytorch,
           "opencv": load_opencv}


def repeat(run, seconds):
    """How often @run ran in a second."""
    begun = time.perf_counter()
    runs = elapsed = 0
    while elapsed < seconds or runs == 0:
        run()
        runs += 1
        elapsed = time.perf_counter() - begun
    return runs / elapsed


def memory(field):
    """MiB."""
    with open("/proc/self/status") as status:
        return int(re.search(field + r":\s*(\d+)", status.read())[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runtime", choices=LOADERS)
    parser.add_argument("model")
    parser.add_argument("inputs")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--save", metavar="OUTPUTS")
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()

    (image,) = load_file(options.inputs).values()
    before = memory("VmRSS")
    run = LOADERS[options.runtime](options.model, image, options.threads)
    if options.save:
        name = onnx.load(options.model).graph.output[0].name
        save_file({name: numpy.ascontiguousarray(run())}, options.save)
        return
    repeat(run, WARM_UP)
    speed = repeat(run, options.seconds)
    if options.memory:
        print(round(memory("VmHWM") - before, 1))
    else:
        print(round(len(image) * speed, 3))


main()
