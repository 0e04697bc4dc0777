# SPDX-License-Identifier: LGPL-2.1-or-later
"""The operators of the compared networks in PyTorch: an ONNX file as a traced
function on channels-last tensors, PyTorch's fastest way on a CPU."""

import warnings

import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional


def conv(a, x, weight, bias=None):
    pads = a.get("pads", [0, 0, 0, 0])
    assert pads[:2] == pads[2:]
    return functional.conv2d(x, weight, bias, a.get("strides", 1), pads[:2])


def transposed(a, x, weight, bias=None):
    return functional.conv_transpose2d(
        x, weight, bias, a["strides"], a.get("pads", [0, 0])[:2],
        a.get("output_padding", 0))


def max_pool(a, x):
    """Padding at the end, as SAME_UPPER has it for strides that fit."""
    assert a["kernel_shape"] == a["strides"] and not any(a.get("pads", []))
    return functional.max_pool2d(
        x, a["kernel_shape"], ceil_mode=a.get("auto_pad") == b"SAME_UPPER")


def resize(a, x, _, scales):
    assert a["mode"] == b"nearest"
    return functional.interpolate(x, scale_factor=scales[2:].tolist())


def depth_to_space(a, x):
    assert a["mode"] == b"CRD"
    return functional.pixel_shuffle(x, a["blocksize"])


OPERATORS = {
    "Add": lambda a, x, y: x + y,
    "Conv": conv,
    "ConvTranspose": transposed,
    "DepthToSpace": depth_to_space,
    "LeakyRelu": lambda a, x: functional.leaky_relu(x, a.get("alpha", 0.01)),
    "MaxPool": max_pool,
    "PRelu": lambda a, x, slope: functional.prelu(x, slope.flatten()),
    "Relu": lambda a, x: functional.relu(x),
    "Resize": resize,
    "Sigmoid": lambda a, x: torch.sigmoid(x),
    "Sub": lambda a, x, y: x - y,
    "Tanh": lambda a, x: torch.tanh(x),
}


class Network(torch.nn.Module):
    def __init__(self, graph):
        super().__init__()
        self.graph = graph
        self.constants = {
            w.name: torch.from_numpy(numpy_helper.to_array(w).copy())
            for w in graph.initializer}
        for name, w in self.constants.items():
            if w.dim() == 4:
                self.constants[name] = w.to(memory_format=torch.channels_last)

    def forward(self, image):
        values = {"": None, self.graph.input[0].name: image, **self.constants}
        for node in self.graph.node:
            attributes = {a.name: onnx.helper.get_attribute_value(a)
                          for a in node.attribute}
            inputs = [values[name] for name in node.input]
            values[node.output[0]] = OPERATORS[node.op_type](attributes,
                                                             *inputs)
        return values[self.graph.output[0].name]


def load(path, image, threads):
    """A function that returns the output for @image, a numpy array."""
    torch.set_num_threads(threads)
    image = torch.from_numpy(image).contiguous(
        memory_format=torch.channels_last)
    network = Network(onnx.load(path).graph).eval()
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the trace is for this image alone
        network = torch.jit.freeze(torch.jit.trace(network, image))

    def run():
        with torch.inference_mode():
            return network(image).numpy()

    return run
