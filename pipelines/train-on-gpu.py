#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trains the weights of a denoiser or an enlarger further, on a GPU, from the samples that `ae samples` sends.

    ae samples --task denoise --noise NOISE --patch-size 64 --batch-size 64 --epochs 100 PICTURE... |
        pipelines/train-on-gpu.py MODEL.onnx OUT.onnx --steps 20000 --noise NOISE

MODEL: written by `ae new` or aetrain; OUT is the same network with other weights. Squared error; Adam, whose rate
falls to 0 along half a cosine of the steps; the norm of the gradient clipped at 1. The samples must last for all steps.
Needs PyTorch and onnx; without a GPU it runs slowly, as a check.
"""
import argparse
import math
import sys
import time

import numpy as np
import onnx
import torch
import torch.nn.functional as F

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

# The ONNX operators of these networks, from attributes and inputs.
OPERATORS = {
    "Conv": lambda a, x, weight, bias: F.conv2d(x, weight, bias, a["strides"], a["pads"][:2]),
    "ConvTranspose": lambda a, x, weight, bias: F.conv_transpose2d(x, weight, bias, a["strides"], a["pads"][:2]),
    "LeakyRelu": lambda a, x: F.leaky_relu(x, a["alpha"]),
    "Add": lambda a, x, y: x + y,
    "Sub": lambda a, x, y: x - y,
    "DepthToSpace": lambda a, x: F.pixel_shuffle(x, a["blocksize"]),
    "Resize": lambda a, x, scales: F.interpolate(x, scale_factor=scales.tolist()[2:]),
}


class Network(torch.nn.Module):
    """The graph of an ONNX model; weights and biases can be trained."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.tensors = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in model.graph.initializer}
        self.trained = [name for name in self.tensors if name.endswith(("weight", "bias"))]
        for name in self.trained:
            self.tensors[name] = torch.nn.Parameter(self.tensors[name].to(DEVICE))

    def parameters(self):
        return [self.tensors[name] for name in self.trained]

    def forward(self, image):
        values = self.tensors | {self.model.graph.input[0].name: image}
        for node in self.model.graph.node:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            inputs = [values[name] for name in node.input if name]
            values[node.output[0]] = OPERATORS[node.op_type](attributes, *inputs)
        return values[self.model.graph.output[0].name]

    def save(self, path):
        for tensor in self.model.graph.initializer:
            if tensor.name in self.trained:
                weights = self.tensors[tensor.name].detach().cpu().numpy()
                tensor.CopyFrom(onnx.numpy_helper.from_array(weights, tensor.name))
        onnx.save(self.model, path)


def read_batches(stream, steps):
    """Input and target of each step, from a stream whose format core/tools/ae-samples.c says."""
    words = stream.readline().split()
    if words[:2] != [b"ae-samples", b"1"]:
        raise SystemExit("standard input is no stream of ae samples")
    shapes = [[int(n) for n in words[i:i + 4]] for i in (3, 8)]
    for step in range(steps):
        tensors = []
        for shape in shapes:
            data = stream.read(4 * math.prod(shape))
            if len(data) < 4 * math.prod(shape):
                raise SystemExit(f"the samples end after {step} of {steps} steps: send more epochs")
            tensors.append(torch.from_numpy(np.frombuffer(data, "<f4").reshape(shape).copy()).to(DEVICE))
        yield tensors


def show_progress(share, seconds, loss, shown):
    """Says how much is done, on a terminal in one line that is written over, elsewhere whenever another tenth is done;
    shown: the tenths that were shown last. Returns those that are shown now."""
    left = int(seconds * (1 - share) / share)
    text = f"Training: {100 * share:.0f} %, {left // 60}:{left % 60:02} left, loss {loss:.6f}"
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="" if share < 1 else "\n", file=sys.stderr, flush=True)
    elif int(10 * share) > shown:
        print(text, file=sys.stderr, flush=True)
    return int(10 * share)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0.001, help="Adam's, at first (default: %(default)s)")
    parser.add_argument("--noise", help="of the samples; the model's metadata say so")
    options = parser.parse_args()

    model = onnx.load(options.model)
    said = {p.key: p.value for p in model.metadata_props}
    said |= {"ae.task": "superres" if "ae.scale" in said else "denoise"}
    said |= {"ae.noise": options.noise} if options.noise else {}
    onnx.helper.set_model_props(model, said)
    network = Network(model)
    adam = torch.optim.Adam(network.parameters(), lr=options.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, options.steps)
    begun, shown = time.monotonic(), 0
    for step, (seen, wanted) in enumerate(read_batches(sys.stdin.buffer, options.steps), 1):
        loss = F.mse_loss(network(seen), wanted)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1)
        adam.step()
        schedule.step()
        if step % 16 == 0 or step == options.steps:
            shown = show_progress(step / options.steps, time.monotonic() - begun, loss.item(), shown)
    network.save(options.out)


if __name__ == "__main__":
    main()
