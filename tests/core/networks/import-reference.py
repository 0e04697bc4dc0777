#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints what test-import.c expects: networks of PyTorch with the weights of
the test, run on the input of the test. Needs torch.

    import-reference.py [FOLDER]

FOLDER: also writes weights, input and output there (needs safetensors)."""
import math
import sys

import torch
from torch import nn
from torch.nn import functional as F


def values(name, shape, amplitude):
    """Numbers that follow from the name alone."""
    seed = sum((i + 1) * ord(letter) for i, letter in enumerate(name))
    index = torch.arange(math.prod(shape), dtype=torch.float64)
    numbers = ((index * 7919 + seed * 12347) % 1009) / 1009 - 0.5
    return (numbers * amplitude).reshape(shape).float()


def fill(module):
    for name, tensor in module.state_dict().items():
        fan_in = tensor[0].numel() if tensor.dim() == 4 else 1
        amplitude = 3 / math.sqrt(fan_in) if tensor.dim() == 4 else 0.5
        if name in ("conv_1.sk.weight", "conv_1.conv.0.weight"):
            amplitude /= 128  # the image has a range of 255
        tensor.copy_(values(name, tensor.shape, amplitude))
    return module.eval()


def conv(n_in, n_out, k=3, **options):
    return nn.Conv2d(n_in, n_out, k, padding=k // 2, **options)


class SRVGG(nn.Module):
    def __init__(self, features=4, convs=1, scale=2):
        super().__init__()
        layers = [conv(3, features), nn.PReLU(features)]
        for _ in range(convs):
            layers += [conv(features, features), nn.PReLU(features)]
        self.body = nn.ModuleList(layers + [conv(features, 3 * scale**2)])
        self.scale = scale

    def forward(self, x):
        y = x
        for layer in self.body:
            y = layer(y)
        return (F.pixel_shuffle(y, self.scale) +
                F.interpolate(x, scale_factor=self.scale, mode="nearest"))


class Conv3XC(nn.Module):
    """As in training: three convolutions in a row and one beside them."""

    def __init__(self, n_in, n_out, gain=2):
        super().__init__()
        self.sk = nn.Conv2d(n_in, n_out, 1)
        self.conv = nn.Sequential(
            nn.Conv2d(n_in, n_in * gain, 1),
            nn.Conv2d(n_in * gain, n_out * gain, 3),
            nn.Conv2d(n_out * gain, n_out, 1))
        self.eval_conv = conv(n_in, n_out)  # out of date

    def forward(self, x):
        return self.conv(F.pad(x, (1, 1, 1, 1))) + self.sk(x)


class SPAB(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.c1_r = Conv3XC(n, n)
        self.c2_r = Conv3XC(n, n)
        self.c3_r = Conv3XC(n, n)
        self.act1 = nn.SiLU(inplace=True)  # so out1 is what it makes

    def forward(self, x):
        out1 = self.c1_r(x)
        out3 = self.c3_r(self.act1(self.c2_r(self.act1(out1))))
        return (out3 + x) * (torch.sigmoid(out3) - 0.5), out1


class SPAN(nn.Module):
    def __init__(self, n=4, blocks=2, scale=2):
        super().__init__()
        self.conv_1 = Conv3XC(3, n)
        for i in range(1, blocks + 1):
            setattr(self, f"block_{i}", SPAB(n))
        self.conv_cat = conv(4 * n, n, 1)
        self.conv_2 = Conv3XC(n, n)
        self.upsampler = nn.Sequential(conv(n, 3 * scale**2),
                                       nn.PixelShuffle(scale))
        self.blocks = blocks

    def forward(self, x):
        mean = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)
        first = self.conv_1((x - mean) * 255)
        y = first
        for i in range(1, self.blocks + 1):
            y, inner = getattr(self, f"block_{i}")(y)
            early = y if i == 1 else early
        return self.upsampler(self.conv_cat(
            torch.cat([first, self.conv_2(y), early, inner], 1)))


class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv = nn.Sequential(conv(n, n), nn.ReLU(), conv(n, n), nn.ReLU(),
                                  conv(n, n))

    def forward(self, x):
        return F.relu(self.conv(x) + x)


class Clamp(nn.Module):
    def forward(self, x):
        return torch.tanh(x / 3) * 3


class TAESD(nn.Module):
    def __init__(self, n=4, latent=2, blocks=(1, 1, 2)):
        super().__init__()
        layers = [conv(3, n)]
        for i, count in enumerate(blocks):
            layers += [conv(n, n, stride=2, bias=False)] if i > 0 else []
            layers += [Block(n) for _ in range(count)]
        self.encoder = nn.Sequential(*layers, conv(n, latent))
        layers = [Clamp(), conv(latent, n), nn.ReLU()]
        for i, count in enumerate(reversed(blocks)):
            layers += [nn.Upsample(scale_factor=2),
                       conv(n, n, bias=False)] if i > 0 else []
            layers += [Block(n) for _ in range(count)]
        self.decoder = nn.Sequential(*layers, conv(n, 3))

    def forward(self, x):
        return self.decoder(self.encoder(x))


torch.set_grad_enabled(False)
image = values("image", (1, 3, 8, 12), 1) + 0.5
for name, network in ("srvgg", SRVGG()), ("span", SPAN()), ("taesd", TAESD()):
    y = fill(network)(image)
    picked = y.flatten()[::max(1, y.numel() // 11)]
    print(name, list(y.shape), ", ".join(f"{v:.6f}f" for v in picked))
    if len(sys.argv) > 1:
        from safetensors.torch import save_file
        base = f"{sys.argv[1]}/{name}"
        save_file(network.state_dict(), base + ".safetensors")
        save_file({"image": image, "output": y}, base + "-io.safetensors")
