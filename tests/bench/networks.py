# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the networks that the project has no architecture for as ONNX files
with seeded random weights: gray images of any size in, images out.

    networks.py FOLDER
"""

import os
import sys

import numpy
import onnx
from onnx import helper, numpy_helper

OPSET = 17
SIGMA = 25 / 255  # the noise that FFDNet is told


class Network:
    """A chain of layers; `value` is what the last one made."""

    def __init__(self):
        self.random = numpy.random.default_rng(1)
        self.nodes, self.weights = [], []
        self.value, self.channels = "image", 1

    def constant(self, array):
        name = f"weight{len(self.weights)}"
        array = numpy.asarray(array, numpy.float32)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def uniform(self, *shape, fan_in):
        """As PyTorch begins: outputs neither grow nor vanish."""
        bound = fan_in ** -0.5
        return self.constant(self.random.uniform(-bound, bound, shape))

    def node(self, operator, *inputs, **attributes):
        self.value = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [self.value],
                                           **attributes))

    def conv(self, channels, kernel):
        fan_in = self.channels * kernel ** 2
        weight = self.uniform(channels, self.channels, kernel, kernel,
                              fan_in=fan_in)
        bias = self.uniform(channels, fan_in=fan_in)
        self.node("Conv", self.value, weight, bias, pads=4 * [kernel // 2],
                  kernel_shape=2 * [kernel])
        self.channels = channels

    def transposed(self, channels, kernel, stride):
        fan_in = self.channels * kernel ** 2 // stride ** 2
        weight = self.uniform(self.channels, channels, kernel, kernel,
                              fan_in=fan_in)
        bias = self.uniform(channels, fan_in=fan_in)
        self.node("ConvTranspose", self.value, weight, bias,
                  strides=2 * [stride], pads=4 * [kernel // 2],
                  kernel_shape=2 * [kernel],
                  output_padding=2 * [stride - 1])
        self.channels = channels

    def relu(self):
        self.node("Relu", self.value)

    def tanh(self):
        self.node("Tanh", self.value)

    def prelu(self):
        slope = self.random.uniform(0.1, 0.4, (self.channels, 1, 1))
        self.node("PRelu", self.value, self.constant(slope))

    def pixel_shuffle(self, factor):
        self.node("DepthToSpace", self.value, blocksize=factor, mode="CRD")
        self.channels //= factor ** 2

    def save(self, path):
        def image(name):
            return helper.make_tensor_value_info(
                name, onnx.TensorProto.FLOAT, ["N", 1, name + "H", name + "W"])

        graph = helper.make_graph(self.nodes, "network", [image("image")],
                                  [image(self.value)], self.weights)
        model = helper.make_model(
            graph, ir_version=8, opset_imports=[helper.make_opsetid("", OPSET)])
        onnx.checker.check_model(model)
        onnx.save(model, path)


def fsrcnn(scale=2, wide=56, narrow=12, depth=4):
    """Dong et al. 2016, FSRCNN(56, 12, 4)."""
    n = Network()
    for channels, kernel in [(wide, 5), (narrow, 1), *depth * [(narrow, 3)],
                             (wide, 1)]:
        n.conv(channels, kernel)
        n.prelu()
    n.transposed(1, 9, scale)
    return n


def espcn(scale=2):
    """Shi et al. 2016."""
    n = Network()
    n.conv(64, 5)
    n.tanh()
    n.conv(32, 3)
    n.tanh()
    n.conv(scale ** 2, 3)
    n.pixel_shuffle(scale)
    return n


def ffdnet(channels=64, depth=15):
    """Zhang et al. 2018: 15 convolutions at half the size, of the four
    sub-images and the map of the noise's sigma."""
    n = Network()
    weight = numpy.zeros((5, 1, 2, 2))
    weight[:4, 0] = numpy.eye(4).reshape(4, 2, 2)
    n.node("Conv", n.value, n.constant(weight), n.constant(4 * [0] + [SIGMA]),
           strides=[2, 2], kernel_shape=[2, 2])
    n.channels = 5
    for _ in range(depth - 1):
        n.conv(channels, 3)
        n.relu()
    n.conv(4, 3)
    n.pixel_shuffle(2)
    return n


def dncnn(channels=64, depth=17):
    """Zhang et al. 2017, normalizations folded into the convolutions."""
    n = Network()
    for _ in range(depth - 1):
        n.conv(channels, 3)
        n.relu()
    n.conv(1, 3)
    n.node("Sub", "image", n.value)
    return n


NETWORKS = {"fsrcnn-x2": fsrcnn, "espcn-x2": espcn, "ffdnet": ffdnet,
            "dncnn-17": dncnn}


for name, make in NETWORKS.items():
    make().save(os.path.join(sys.argv[1], name + ".onnx"))
