# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trains the lesson's dense variational autoencoder with PyTorch: log variance,
squared error, Adam at 1e-3, batches of 128. Prints its loss on test images."""

import argparse
import gzip

import numpy
import torch
from torch import nn
from torch.nn import functional


def images(path):
    data = (gzip.open if path.endswith(".gz") else open)(path, "rb").read()
    pixels = numpy.frombuffer(data, numpy.uint8, offset=16)
    return torch.tensor(pixels.reshape(-1, 784) / numpy.float32(255))


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 512)
        self.mean, self.log_variance = nn.Linear(512, 2), nn.Linear(512, 2)
        self.decode, self.image = nn.Linear(2, 512), nn.Linear(512, 784)

    def loss(self, x):
        h = functional.relu(self.hidden(x))
        mean, log_variance = self.mean(h), self.log_variance(h)
        code = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        y = torch.sigmoid(self.image(functional.relu(self.decode(code))))
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)
        return ((x - y) ** 2).sum(1).mean() + kl.sum(1).mean()


def set_weights(model, weights):
    """PyTorch's own, Glorot's (uniform, no biases), or those of an ONNX file."""
    layers = list(model.children())
    if weights == "glorot":
        for layer in layers:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    elif weights != "pytorch":
        import onnx
        from onnx import numpy_helper

        graph = onnx.load(weights).graph
        values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        dense = [n for n in graph.node if n.op_type == "Gemm"]
        for layer, node in zip(layers, dense, strict=True):
            layer.weight.data = torch.tensor(values[node.input[1]].copy())
            layer.bias.data = torch.tensor(values[node.input[2]].copy())


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("weights", help="pytorch, glorot, or the file of 'ae new vae'")
parser.add_argument("train", help="idx file of images")
parser.add_argument("test", help="idx file of images")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--epochs", type=int, default=10)
arguments = parser.parse_args()
train, test = images(arguments.train), images(arguments.test)
torch.manual_seed(arguments.seed)
vae = Vae()
set_weights(vae, arguments.weights)
adam = torch.optim.Adam(vae.parameters(), 1e-3)
for _ in range(arguments.epochs):
    for batch in torch.randperm(len(train)).split(128):
        adam.zero_grad()
        vae.loss(train[batch]).backward()
        adam.step()
with torch.no_grad():
    losses = [vae.loss(part).item() for part in test.split(1000)]
print(f"{arguments.weights}, seed {arguments.seed}: {numpy.mean(losses):.2f}")
