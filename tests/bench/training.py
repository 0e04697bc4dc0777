# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trains one of the networks with PyTorch and prints images a second, or with
--steps the loss of the last step. Called by training.sh."""

import argparse
import gzip
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

WARM_UP = 5  # steps that are not timed


def conv3(inputs, outputs, padding=1):
    return nn.Conv2d(inputs, outputs, 3, padding=padding)


class S1(nn.Module):
    """The convolutional autoencoder of the Keras blog; pools round up."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleList([conv3(1, 16), conv3(16, 8), conv3(8, 8)])
        self.decoder = nn.ModuleList([conv3(8, 8), conv3(8, 8), conv3(8, 16, 0)])
        self.last = conv3(16, 1)

    def forward(self, x):
        """Logits: PyTorch's own, faster way to the cross-entropy."""
        for conv in self.encoder:
            x = functional.relu(conv(x))
            x = functional.max_pool2d(x, 2, ceil_mode=True)
        for conv in self.decoder:
            x = functional.relu(conv(x))
            x = functional.interpolate(x, scale_factor=2, mode="nearest")
        return self.last(x)


class UNet(nn.Module):
    """unet-s: levels of 16, 32 and 64 channels, additive skips, residual."""

    def __init__(self, a=16, b=32, c=64):
        super().__init__()
        self.enter = nn.Conv2d(1, a, 2, 2)
        self.down1 = nn.Conv2d(a, b, 2, 2)
        self.down2 = nn.Conv2d(b, c, 2, 2)
        self.up2 = nn.ConvTranspose2d(c, b, 2, 2)
        self.up1 = nn.ConvTranspose2d(b, a, 2, 2)
        self.last = conv3(a, 4)
        self.blocks = nn.ModuleList(
            nn.ModuleList([conv3(n, n), conv3(n, n)]) for n in (a, b, c, b, a))

    def block(self, i, x):
        for conv in self.blocks[i]:
            x = functional.leaky_relu(conv(x), 0.1)
        return x

    def forward(self, image):
        e0 = self.block(0, functional.leaky_relu(self.enter(image), 0.1))
        e1 = self.block(1, functional.leaky_relu(self.down1(e0), 0.1))
        x = self.block(2, functional.leaky_relu(self.down2(e1), 0.1))
        x = self.block(3, self.up2(x) + e1)
        x = self.block(4, self.up1(x) + e0)
        return image - functional.pixel_shuffle(self.last(x), 2)


class Dense(nn.Module):
    """The layers of the dense autoencoder: 784-512-2-512-784."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(784, 512), nn.Linear(512, 2),
                                     nn.Linear(2, 512), nn.Linear(512, 784)])

    def forward(self, image):
        """Logits, as S1."""
        enter, latent, leave, last = self.layers
        x = latent(functional.relu(enter(image.flatten(1))))
        return last(functional.relu(leave(x))).view_as(image)


def init(module):
    """Glorot uniform weights and no bias, as aetrain begins."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


def load_idx(path):
    """Input is target: (input, target) of the images in order."""
    with gzip.open(path) as file:
        data = numpy.frombuffer(file.read(), numpy.uint8, offset=16)
    images = torch.from_numpy(data.reshape(-1, 1, 28, 28) / numpy.float32(255))
    return images, images


def load_pictures(path, count=2048, size=64):
    """(noisy, clean) patches cut at random from 256 x 256 pictures."""
    random = numpy.random.default_rng(1)
    pictures = numpy.fromfile(path, numpy.uint8).reshape(-1, 256, 256)
    patches = numpy.empty((count, 1, size, size), numpy.float32)
    for patch in patches:
        i = random.integers(len(pictures))
        y, x = random.integers(256 - size + 1, size=2)
        patch[0] = pictures[i, y:y + size, x:x + size] / 255
    noise = random.normal(0, 0.1, patches.shape).astype(numpy.float32)
    noisy = numpy.clip(patches + noise, 0, 1)
    return torch.from_numpy(noisy), torch.from_numpy(patches)


NETWORKS = {
    "s1": (S1, load_idx, functional.binary_cross_entropy_with_logits, 128),
    "dense": (Dense, load_idx,
              functional.binary_cross_entropy_with_logits, 128),
    "unet": (UNet, load_pictures, functional.mse_loss, 16),
}


def batches(images, targets, size):
    """Endlessly, in order; what does not fill a batch joins the next round."""
    first = 0
    while True:
        index = torch.arange(first, first + size) % len(images)
        first += size
        yield images[index], targets[index]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("images")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels-last", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    make, load, loss_of, size = NETWORKS[options.network]
    layout = (torch.channels_last
              if options.channels_last else torch.contiguous_format)
    network = make().apply(init).to(memory_format=layout)
    images, targets = load(options.images)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

    steps = 0
    begun = time.perf_counter()
    for image, target in batches(images, targets, size):
        image = image.contiguous(memory_format=layout)
        target = target.contiguous(memory_format=layout)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(network(image), target)
        loss.backward()
        optimizer.step()
        steps += 1
        if steps == WARM_UP:
            begun = time.perf_counter()
        elapsed = time.perf_counter() - begun
        if options.steps is not None and steps == options.steps:
            print(loss.item())
            return
        if options.steps is None and steps > WARM_UP and \
                elapsed >= options.seconds:
            print(round((steps - WARM_UP) * size / elapsed, 1))
            return


main()
