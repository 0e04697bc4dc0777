#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes small networks of the architectures that people share, with random
weights, as PyTorch exports them, and what PyTorch makes of random inputs:

    named.py FOLDER

FOLDER gets NAME.onnx and NAME.safetensors, whose tensors are the inputs and
outputs of the model by their names. Needs torch 2 and safetensors. The files
in named/ were made by PyTorch 2.15."""

import os
import sys
import warnings

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

C = 4  # channels, a sixteenth of the usual


def conv(i, o, k=3, stride=1, pad=None, **kw):
    return nn.Conv2d(i, o, k, stride, k // 2 if pad is None else pad, **kw)


class Chain(nn.Sequential):
    """Layers, and what their sum with the input is needed for."""

    def __init__(self, *layers, residual=0.0):
        super().__init__(*layers)
        self.residual = residual

    def forward(self, x):
        y = super().forward(x)
        return x + self.residual * y if self.residual else y


def srcnn():
    return Chain(
        conv(1, C, 9), nn.ReLU(), conv(C, C, 1), nn.ReLU(), conv(C, 1, 5)
    )


def espcn():
    return Chain(
        conv(1, C, 5),
        nn.Tanh(),
        conv(C, C),
        nn.Tanh(),
        conv(C, 9),
        nn.PixelShuffle(3),
    )


def fsrcnn():
    return Chain(
        conv(1, C, 5),
        nn.PReLU(C),
        conv(C, 3, 1),
        nn.PReLU(3),
        conv(3, 3),
        nn.PReLU(3),
        conv(3, C, 1),
        nn.PReLU(C),
        nn.ConvTranspose2d(C, 1, 9, 2, 4, 1),
    )


def vdsr():
    return Chain(
        conv(1, C, bias=False),
        nn.ReLU(),
        conv(C, C, bias=False),
        nn.ReLU(),
        conv(C, 1, bias=False),
        residual=1.0,
    )


def dncnn():
    return Chain(
        conv(3, C),
        nn.ReLU(),
        conv(C, C, bias=False),
        nn.BatchNorm2d(C),
        nn.ReLU(),
        conv(C, 3),
        residual=-1.0,
    )


class Edsr(nn.Module):
    def __init__(self):
        super().__init__()
        self.head, self.tail = conv(3, C), nn.Sequential(
            conv(C, 4 * C), nn.PixelShuffle(2), conv(C, 3)
        )
        self.body = Chain(
            Chain(conv(C, C), nn.ReLU(), conv(C, C), residual=0.1),
            conv(C, C),
            residual=1.0,
        )

    def forward(self, x):
        mean = torch.tensor([0.45, 0.44, 0.4]).view(1, 3, 1, 1)
        return self.tail(self.body(self.head(x - mean))) + mean


class Compact(nn.Module):
    """SRVGGNetCompact of Real-ESRGAN."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            conv(3, C),
            nn.PReLU(C),
            conv(C, C),
            nn.PReLU(C),
            conv(C, 48),
            nn.PixelShuffle(4),
        )

    def forward(self, x):
        return self.body(x) + F.interpolate(x, scale_factor=4, mode="nearest")


class Dense(nn.Module):
    """A residual dense block of ESRGAN."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            conv(C + 2 * i, C if i == 2 else 2) for i in range(3)
        )

    def forward(self, x):
        seen = [x]
        for layer in self.layers[:-1]:
            seen.append(F.leaky_relu(layer(torch.cat(seen, 1)), 0.2))
        return x + 0.2 * self.layers[-1](torch.cat(seen, 1))


class Esrgan(nn.Module):
    """RRDBNet; the models of factor 2 see every 2x2 pixels as channels."""

    def __init__(self, unshuffle):
        super().__init__()
        self.first = nn.Sequential(
            *[nn.PixelUnshuffle(2)] * unshuffle,
            conv(12 if unshuffle else 3, C)
        )
        self.body = nn.Sequential(Dense(), Dense(), conv(C, C))
        self.up = nn.ModuleList([conv(C, C), conv(C, C)])
        self.last = nn.Sequential(conv(C, C), nn.LeakyReLU(0.2), conv(C, 3))

    def forward(self, x):
        x = self.first(x)
        x = x + self.body(x)
        for layer in self.up:
            x = F.leaky_relu(
                layer(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2
            )
        return self.last(x)


class Attention(nn.Module):
    """Contrast-aware attention of IMDN, by mean and deviation of a channel."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            conv(C, 2, 1), nn.ReLU(), conv(2, C, 1), nn.Sigmoid()
        )

    def forward(self, x):
        mean = x.mean((2, 3), keepdim=True)
        deviation = (x - mean).pow(2).mean((2, 3), keepdim=True).sqrt()
        return x * self.layers(mean + deviation)


class Imdn(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.a, self.b = conv(3, C), conv(C, C), conv(2, C)
        self.join, self.attention = conv(C + 2, C, 1), Attention()
        self.up = nn.Sequential(conv(C, 12), nn.PixelShuffle(2))

    def forward(self, x):
        x = self.first(x)
        kept, rest = torch.split(F.leaky_relu(self.a(x), 0.05), (2, 2), 1)
        y = self.join(torch.cat([kept, F.leaky_relu(self.b(rest), 0.05)], 1))
        return self.up(x + self.attention(y))


class Rlfn(nn.Module):
    """With its spatial attention, which goes down to a few pixels and back."""

    def __init__(self):
        super().__init__()
        self.first, self.body = conv(3, C), Chain(
            conv(C, C), nn.LeakyReLU(0.05), residual=1.0
        )
        self.a, self.b, self.c, self.d = (
            conv(C, 2, 1),
            conv(2, 2, 3, 2, 0),
            conv(2, 2),
            conv(2, C, 1),
        )
        self.up = nn.Sequential(conv(C, 12), nn.PixelShuffle(2))

    def forward(self, x):
        x = self.body(self.first(x))
        a = self.a(x)
        y = self.c(F.max_pool2d(self.b(a), 3, 2))
        y = F.interpolate(
            y, (x.size(2), x.size(3)), mode="bilinear", align_corners=False
        )
        return self.up(x * torch.sigmoid(self.d(y + a)))


class Span(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.layers = conv(3, C), nn.ModuleList(
            conv(C, C) for _ in range(3)
        )
        self.join, self.up = conv(2 * C, C, 1), nn.Sequential(
            conv(C, 12), nn.PixelShuffle(2)
        )

    def forward(self, x):
        x = self.first(x)
        y = self.layers[2](F.silu(self.layers[1](F.silu(self.layers[0](x)))))
        y = (x + y) * (torch.sigmoid(y) - 0.5)
        return self.up(self.join(torch.cat([x, y], 1)))


class Carn(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = conv(3, C), nn.Sequential(
            conv(C, 27), nn.ReLU(), nn.PixelShuffle(3)
        )
        self.block = Chain(
            conv(C, C, groups=2), nn.ReLU(), conv(C, C, groups=2), residual=1.0
        )
        self.join = conv(2 * C, C, 1)

    def forward(self, x):
        x = self.first(x)
        return self.last(
            F.relu(self.join(torch.cat([x, F.relu(self.block(x))], 1)))
        )


def upconv7():
    """waifu2x: no padding, 14 pixels of the output are missing on each side."""
    layers = []
    for i, o in [(3, C), (C, C), (C, C)]:
        layers += [conv(i, o, pad=0), nn.LeakyReLU(0.1)]
    return Chain(*layers, nn.ConvTranspose2d(C, 3, 4, 2, 3))


class Cunet(nn.Module):
    """waifu2x: a U-Net with squeeze and excitation that crops what it joins."""

    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(conv(3, C, pad=0), nn.LeakyReLU(0.1))
        self.down = nn.Conv2d(C, C, 2, 2)
        self.b = nn.Sequential(conv(C, C, pad=0), nn.LeakyReLU(0.1))
        self.excite = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            conv(C, 2, 1),
            nn.ReLU(),
            conv(2, C, 1),
            nn.Sigmoid(),
        )
        self.up, self.c = nn.ConvTranspose2d(C, C, 2, 2), conv(C, 3, pad=0)

    def forward(self, x):
        a = self.a(x)
        b = self.b(F.leaky_relu(self.down(a), 0.1))
        b = F.leaky_relu(self.up(b * self.excite(b)), 0.1)
        return torch.clamp(self.c(b + F.pad(a, (-2, -2, -2, -2))), 0, 1)


class Ffdnet(nn.Module):
    """The level of the noise is a second input."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.PixelUnshuffle(2), nn.PixelShuffle(2)
        self.body = nn.Sequential(conv(13, C), nn.ReLU(), conv(C, 12))

    def forward(self, x, sigma):
        x = self.down(x)
        level = sigma.repeat(1, 1, x.size(2), x.size(3))
        return self.up(self.body(torch.cat([x, level], 1)))


class Drunet(nn.Module):
    """The level of the noise is a fourth channel."""

    def __init__(self):
        super().__init__()
        self.head, self.tail = conv(4, C, bias=False), conv(C, 3, bias=False)
        self.body = Chain(
            conv(2 * C, 2 * C, bias=False),
            nn.ReLU(),
            conv(2 * C, 2 * C, bias=False),
            residual=1.0,
        )
        self.down = nn.Conv2d(C, 2 * C, 2, 2, bias=False)
        self.up = nn.ConvTranspose2d(2 * C, C, 2, 2, bias=False)

    def forward(self, x):
        x = self.head(x)
        return self.tail(x + self.up(self.body(self.down(x))))


class Naf(nn.Module):
    """A block of NAFNet: norm of channels, gates, channel attention."""

    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.rand(C)), nn.Parameter(
            torch.rand(C)
        )
        self.a, self.b = conv(C, 2 * C, 1), conv(2 * C, 2 * C, groups=2 * C)
        self.attention, self.c = conv(C, C, 1), conv(C, C, 1)

    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        y = (x - mean) / (
            (x - mean).pow(2).mean(1, keepdim=True) + 1e-6
        ).sqrt()
        y = y * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        p, q = self.b(self.a(y)).chunk(2, 1)
        y = p * q
        return x + self.c(y * self.attention(F.adaptive_avg_pool2d(y, 1)))


class Nafnet(nn.Module):
    """Pads its input to a multiple of 4 and crops."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            conv(3, C),
            Naf(),
            nn.Conv2d(C, 4 * C, 2, 2),
            nn.PixelShuffle(2),
            Naf(),
            conv(C, 3),
        )

    def forward(self, x):
        h, w = x.shape[2:]
        padded = F.pad(x, (0, (4 - w % 4) % 4, 0, (4 - h % 4) % 4))
        return (padded + self.body(padded))[:, :, :h, :w]


class Restormer(nn.Module):
    """Attention between channels."""

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.last = (
            conv(3, C),
            nn.LayerNorm(C),
            conv(C, 3),
        )
        self.qkv, self.out = nn.Sequential(
            conv(C, 3 * C, 1), conv(3 * C, 3 * C, groups=3 * C)
        ), conv(C, C, 1)
        self.gate = conv(C, 2 * C, 1)

    def forward(self, x):
        f = self.first(x)
        b, c, h, w = f.shape
        y = (
            self.norm(f.flatten(2).transpose(1, 2))
            .transpose(1, 2)
            .view(b, c, h, w)
        )
        q, k, v = (
            t.reshape(b, 2, c // 2, h * w) for t in self.qkv(y).chunk(3, 1)
        )
        q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
        f = f + self.out(
            ((q @ k.transpose(-2, -1)).softmax(-1) @ v).view(b, c, h, w)
        )
        p, q = self.gate(f).chunk(2, 1)
        return x + self.last(f + F.gelu(p) * q)


class Swinir(nn.Module):
    """One layer of window attention."""

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.out = (
            conv(3, C),
            nn.LayerNorm(C),
            nn.Linear(C, C),
        )
        self.qkv, self.position = nn.Linear(C, 3 * C), nn.Parameter(
            torch.rand(16, 16)
        )
        self.mlp = nn.Sequential(
            nn.Linear(C, 2 * C), nn.GELU(), nn.Linear(2 * C, C)
        )
        self.up = nn.Sequential(conv(C, 12), nn.PixelShuffle(2))

    def forward(self, x):
        f = self.first(x)
        b, c, h, w = f.shape
        y = self.norm(f.permute(0, 2, 3, 1)).view(b, h // 4, 4, w // 4, 4, c)
        q, k, v = self.qkv(
            y.permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, c)
        ).chunk(3, -1)
        y = self.out(
            (q @ k.transpose(1, 2) * c**-0.5 + self.position).softmax(-1) @ v
        )
        y = (
            y.view(b, h // 4, w // 4, 4, 4, c)
            .permute(0, 1, 3, 2, 4, 5)
            .reshape(b, h, w, c)
        )
        y = y + self.mlp(y)
        return self.up(f + y.permute(0, 3, 1, 2))


class Unet(nn.Module):
    """With bilinear steps up, padded to the size of what they join."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (
            nn.Sequential(conv(i, C), nn.BatchNorm2d(C), nn.ReLU())
            for i in (3, C, 2 * C)
        )
        self.last = conv(C, 3, 1)

    def forward(self, x):
        a = self.a(x)
        b = F.interpolate(
            self.b(F.max_pool2d(a, 2)),
            scale_factor=2,
            mode="bilinear",
            align_corners=True,
        )
        dy, dx = a.size(2) - b.size(2), a.size(3) - b.size(3)
        b = F.pad(b, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return torch.sigmoid(self.last(self.c(torch.cat([a, b], 1))))


class Convnext(nn.Module):
    """A block of ConvNeXt."""

    def __init__(self):
        super().__init__()
        self.first, self.last, self.deep = (
            conv(3, C),
            conv(C, 3),
            conv(C, C, 7, groups=C),
        )
        self.norm = nn.LayerNorm(C)
        self.mlp = nn.Sequential(
            nn.Linear(C, 4 * C), nn.GELU(), nn.Linear(4 * C, C)
        )

    def forward(self, x):
        f = self.first(x)
        y = self.mlp(self.norm(self.deep(f).permute(0, 2, 3, 1))).permute(
            0, 3, 1, 2
        )
        return x + self.last(f + y)


class Clamp(nn.Module):
    def forward(self, x):
        return 3 * torch.tanh(x / 3)


def taesd():
    block = lambda: Chain(conv(C, C), nn.ReLU(), conv(C, C), residual=1.0)
    return Chain(
        conv(3, C),
        block(),
        conv(C, C, stride=2, bias=False),
        conv(C, 4),
        Clamp(),
        conv(4, C),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        block(),
        conv(C, 3),
    )


class Kl(nn.Module):
    """The autoencoder of latent diffusion: group norms and attention."""

    def __init__(self):
        super().__init__()
        self.first, self.last = conv(3, C, stride=2), conv(C, 3)
        self.norm, self.qkv, self.out = (
            nn.GroupNorm(2, C),
            nn.Linear(C, 3 * C),
            nn.Linear(C, C),
        )

    def forward(self, x):
        f = self.first(x)
        b, c, h, w = f.shape
        q, k, v = self.qkv(
            self.norm(f).view(b, c, h * w).transpose(1, 2)
        ).chunk(3, -1)
        y = self.out(
            F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[
                :, 0
            ]
        )
        f = f + y.transpose(1, 2).reshape(b, c, h, w)
        return self.last(
            F.interpolate(F.silu(f), scale_factor=2.0, mode="nearest")
        )


class Vqvae(nn.Module):
    """Each code becomes the nearest of eight."""

    def __init__(self):
        super().__init__()
        self.encoder, self.codes = conv(3, C, 4, 2, 1), nn.Embedding(8, C)
        self.decoder = nn.ConvTranspose2d(C, 3, 4, 2, 1)

    def forward(self, x):
        z = self.encoder(x).permute(0, 2, 3, 1)
        flat, codes = z.reshape(-1, C), self.codes.weight
        distance = (
            flat.pow(2).sum(1, keepdim=True)
            + codes.pow(2).sum(1)
            - 2 * flat @ codes.t()
        )
        z = self.codes(distance.argmin(1)).view(z.shape)
        return self.decoder(z.permute(0, 3, 1, 2))


class Mae(nn.Module):
    """A masked autoencoder's transformer on patches, at one size."""

    def __init__(self):
        super().__init__()
        self.patches, self.position = nn.Conv2d(3, 8, 8, 8), nn.Parameter(
            torch.rand(1, 16, 8)
        )
        self.norm, self.qkv, self.out = (
            nn.LayerNorm(8),
            nn.Linear(8, 24),
            nn.Linear(8, 8 * 8 * 3),
        )

    def forward(self, x):
        y = self.patches(x).flatten(2).transpose(1, 2) + self.position
        q, k, v = (
            self.qkv(self.norm(y))
            .reshape(1, 16, 3, 2, 4)
            .permute(2, 0, 3, 1, 4)
        )
        y = y + ((q @ k.transpose(-2, -1)).softmax(-1) @ v).transpose(
            1, 2
        ).reshape(1, 16, 8)
        return torch.einsum(
            "nhwpqc->nchpwq", self.out(y).reshape(1, 4, 4, 8, 8, 3)
        ).reshape(1, 3, 32, 32)


class ZeroDce(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = conv(3, C), conv(C, 6)

    def forward(self, x):
        for r in torch.tanh(self.b(F.relu(self.a(x)))).split(3, 1):
            x = x + r * (x * x - x)
        return x


def style():
    """Fast neural style: norms of instances, reflected edges."""
    return Chain(
        nn.ReflectionPad2d(4),
        conv(3, C, 9, pad=0),
        nn.InstanceNorm2d(C, affine=True),
        nn.ReLU(),
        conv(C, C, stride=2),
        nn.Upsample(scale_factor=2),
        conv(C, 3),
    )


class Recurrent(nn.Module):
    """Remembers features of past frames, as video denoisers do."""

    def __init__(self):
        super().__init__()
        self.first, self.gate, self.last = (
            conv(3 + C, C),
            conv(3 + C, C),
            conv(C, 3),
        )

    def forward(self, image, past):
        both = torch.cat([image, past], 1)
        gate = torch.sigmoid(self.gate(both))
        state = gate * past + (1 - gate) * torch.tanh(self.first(both))
        return image + self.last(state), state


class Fastdvdnet(nn.Module):
    """Five frames and a map of the level of the noise make the third frame."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv(16, C), nn.ReLU(), conv(C, 3))

    def forward(self, image, noise_map):
        return image[:, 6:9] - self.body(torch.cat([image, noise_map], 1))


class Lstm(nn.Module):
    """The recurrent autoencoder of the lesson, on rows of a digit."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.LSTM(28, C, batch_first=True), nn.GRU(
            C, C, batch_first=True
        )
        self.out = nn.Linear(C, 28)

    def forward(self, x):
        code = self.encoder(x)[0][:, -1:].repeat(1, 28, 1)
        return torch.sigmoid(self.out(self.decoder(code)[0]))


class Warp(nn.Module):
    """Video super-resolution moves past frames by grid_sample."""

    def __init__(self):
        super().__init__()
        self.flow = conv(3, 2)

    def forward(self, x):
        return F.grid_sample(
            x, self.flow(x).permute(0, 2, 3, 1), align_corners=True
        )


RGB, LUMA = (1, 3, 12, 16), (1, 1, 9, 11)
NETWORKS = {
    "srcnn": (srcnn, LUMA),
    "espcn": (espcn, LUMA),
    "fsrcnn": (fsrcnn, LUMA),
    "vdsr": (vdsr, LUMA),
    "edsr": (Edsr, RGB),
    "realesr-compact": (Compact, (1, 3, 7, 9)),
    "esrgan": (lambda: Esrgan(0), (1, 3, 7, 9)),
    "realesrgan-x2": (lambda: Esrgan(1), (1, 3, 8, 10)),
    "imdn": (Imdn, RGB),
    "rlfn": (Rlfn, RGB),
    "span": (Span, RGB),
    "carn": (Carn, (1, 3, 7, 9)),
    "swinir": (Swinir, RGB),
    "waifu2x-upconv7": (upconv7, RGB),
    "waifu2x-cunet": (Cunet, (1, 3, 14, 18)),
    "dncnn": (dncnn, RGB),
    "ffdnet": (Ffdnet, RGB, (1, 1, 1, 1)),
    "drunet": (Drunet, (1, 4, 12, 16)),
    "nafnet": (Nafnet, (1, 3, 9, 11)),
    "restormer": (Restormer, RGB),
    "unet": (Unet, (1, 3, 9, 11)),
    "convnext": (Convnext, RGB),
    "zero-dce": (ZeroDce, RGB),
    "style": (style, RGB),
    "recurrent": (Recurrent, RGB, (1, C, 12, 16)),
    "fastdvdnet": (Fastdvdnet, (1, 15, 12, 16), (1, 1, 12, 16)),
    "taesd": (taesd, RGB),
    "kl": (Kl, RGB),
    "vqvae": (Vqvae, RGB),
    "mae": (Mae, (1, 3, 32, 32)),
    "lstm": (Lstm, (1, 28, 28)),
    "warp": (Warp, RGB),
}
SECOND = {"ffdnet": "sigma", "fastdvdnet": "noise_map"}
FIXED = {"mae", "lstm"}


def main(folder):
    warnings.filterwarnings("ignore")
    for name, (make, *shapes) in NETWORKS.items():
        torch.manual_seed(1)
        network = make().eval()
        inputs = tuple(torch.rand(shape) for shape in shapes)
        names = ["image", SECOND.get(name, "past_state")][: len(shapes)]
        open_axes = (
            {}
            if name in FIXED
            else {
                key: {2: "height", 3: "width"}
                for key, shape in zip(names, shapes)
                if shape != (1, 1, 1, 1)
            }
        )
        with torch.no_grad():
            outputs = network(*inputs)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            results = ["result", "next_state"][: len(outputs)]
            torch.onnx.export(
                network,
                inputs,
                os.path.join(folder, name + ".onnx"),
                input_names=names,
                output_names=results,
                dynamic_axes=open_axes,
                opset_version=17,
                dynamo=False,
            )
        tensors = dict(
            zip(names + results, [t.contiguous() for t in inputs + outputs])
        )
        save_file(tensors, os.path.join(folder, name + ".safetensors"))


main(sys.argv[1])
