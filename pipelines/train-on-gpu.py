#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trains the weights of a gray denoiser or enlarger further, as aetrain does, but on a GPU.

    pipelines/train-on-gpu.py MODEL.onnx OUT.onnx --seconds 300 --rate 0.001

MODEL: written by `ae new` or aetrain; its file says what it is for, and OUT is the same network. What it learns from
is that of train-denoise.sh and train-superres.sh, read with Pillow: luma and chroma of the train and test folders of
BSDS500, and T91 for enlarging, under AE_DATA, never a test set, and mosaics, but no pages of text. Squared error,
Adam, the rate falling to 0 along half a cosine of the time, gradient norm clipped at 1. Convolutions are of 16-bit
floats, weights and their steps of 32. The last line says how many steps the time was enough for.

Needs PyTorch, onnx and Pillow; without a GPU it runs slowly, as a check.
"""
import argparse
import io
import itertools
import math
import os
import tarfile
import time

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from PIL import Image

NOISE = """gaussian:sd=0..0.2941 | gaussian:sd=0..0.2941 | gaussian:sd=0..0.06 |
camera:gain=0..0.001,sd=0..0.02,spread=0..1.5,soft=0..1.6,quality=70..100 |
camera:gain=0..0.004,sd=0..0.06,spread=0..1.5,soft=0..1.6,quality=70..100 |
camera:gain=0..0.004,sd=0..0.06,spread=0..1.5,soft=0..1.6"""
LOSS_SCALE = 4096  # keeps small gradients from vanishing in 16 bits
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def read_tar(path, *folders):
    """The pictures of a tar file that lie in one of the folders, in the order of their names."""
    with tarfile.open(path) as tar:
        members = sorted((m for m in tar.getmembers() if m.name.endswith((".jpg", ".png"))), key=lambda m: m.name)
        for member in members:
            if not folders or any(folder + "/" in member.name for folder in folders):
                yield Image.open(io.BytesIO(tar.extractfile(member).read()))


def photos(data):
    return read_tar(os.path.join(data, "bsds500/bsds500_jpg.tar"), "train", "test")


def mosaics(*sides):
    """Pictures of tiles, as sharp as text: scattered or crowded, of black and white or of all grays."""
    random = np.random.default_rng(1)
    for width, height in itertools.product(sides, repeat=2):
        if width * height < 4:  # would be noise
            continue
        tiles = random.normal(random.uniform(-1, 1), random.uniform(0, 2), (240 // height, 240 // width))
        odd = random.uniform(size=tiles.shape) < random.uniform(0, 0.3)
        tiles = np.where(odd, random.integers(2, size=tiles.shape), tiles.clip(0, 1))
        yield Image.fromarray((255 * tiles).astype(np.uint8).repeat(height, 0).repeat(width, 1))


def denoise_frames(data):
    """Mosaics; luma four times, and a plane of chroma: of every other photograph at half the size, as 4:2:0 has."""
    yield from mosaics(1, 2, 3, 4, 6, 8, 16, 32)
    for number, photo in enumerate(photos(data)):
        planes = photo.convert("YCbCr").split()
        chroma = planes[1 + number // 2 % 2]
        if number % 2:
            chroma = chroma.resize((photo.width // 2, photo.height // 2), Image.BOX)
        yield from [planes[0]] * 4
        yield chroma


def superres_frames(data):
    """Luma made small, so that it is sharp to the pixel, that of T91 in the studio range; and mosaics."""
    yield from mosaics(2, 3, 4, 6, 8)
    lumas = [p.convert("L") for p in photos(data)]
    lumas += [p.convert("L").point(lambda v: 16 + v * 219 / 255) for p in read_tar(os.path.join(data, "t91/t91.tar"))]
    for number, luma in enumerate(lumas):
        if min(luma.size) < 96 or number % 20 == 19:  # the same share is held out as elsewhere
            continue
        for percent in (40, 50, 60):
            yield luma.resize((luma.width * percent // 100, luma.height * percent // 100), Image.BICUBIC)


class Patches:
    """Random square patches of all frames, turned and mirrored, as numbers in [0, 1]."""

    def __init__(self, frames, side):
        frames = [np.asarray(f) for f in frames if min(f.size) >= side]
        offsets = np.cumsum([0] + [f.size for f in frames[:-1]])
        self.side = side
        self.samples = torch.from_numpy(np.concatenate([f.ravel() for f in frames])).to(DEVICE)
        self.table = torch.tensor([(o, f.shape[1], f.shape[1] - side + 1, f.shape[0] - side + 1)
                                   for o, f in zip(offsets, frames)], device=DEVICE)
        print(f"{len(frames)} frames, {len(self.samples) / 1e6:.0f} million samples", flush=True)

    def draw(self, n):
        row = self.table[torch.randint(len(self.table), (n,), device=DEVICE)]
        offset, stride, columns, rows = (c[:, None, None] for c in row.unbind(1))
        left = (torch.rand_like(offset, dtype=torch.float) * columns).long()
        top = (torch.rand_like(offset, dtype=torch.float) * rows).long()
        i = torch.arange(self.side, device=DEVICE).expand(n, -1)
        x = torch.where(torch.rand(n, 1, device=DEVICE) < 0.5, i, self.side - 1 - i)[:, None, :]
        y = torch.where(torch.rand(n, 1, device=DEVICE) < 0.5, i, self.side - 1 - i)[:, :, None]
        turned = torch.rand(n, 1, 1, device=DEVICE) < 0.5
        x, y = torch.where(turned, y, x), torch.where(turned, x, y)
        return self.samples[offset + (top + y) * stride + left + x][:, None].float() / 255


def gaussians(spread, n, radius):
    """For each spread the n x (n + 2 radius) matrix that weighs neighbours so; its rows are not normalised."""
    i = torch.arange(n, device=DEVICE)[:, None] + radius - torch.arange(n + 2 * radius, device=DEVICE)
    spread = spread[:, None, None]
    weights = torch.exp(-0.5 * (i / spread.clamp(min=1e-3)) ** 2)
    return weights * (i.abs() <= torch.ceil(3 * spread))


def both_ways(matrix, images):
    return (matrix @ images[:, 0] @ matrix.mT)[:, None]


BLOCK = 8  # pixels of a side of JPEG's
LUMA_STEPS = torch.tensor([  # ISO/IEC 10918-1, table K.1
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99.0], device=DEVICE).view(BLOCK, BLOCK)
WAVES = torch.tensor([[math.cos(math.pi * (i + 0.5) * k / BLOCK) * math.sqrt((2 if k else 1) / BLOCK)
                       for i in range(BLOCK)] for k in range(BLOCK)], device=DEVICE)


def jpeg(images, quality):
    """What JPEG leaves of luma, the blocks beginning anywhere; where quality is 0, all."""
    n, side = len(images), images.shape[3]
    blocks = (side + 2 * BLOCK - 2) // BLOCK
    begin = torch.randint(BLOCK, (2, n, 1), device=DEVICE)
    within = (torch.arange(blocks * BLOCK, device=DEVICE) - begin).clamp(0, side - 1)
    image = torch.arange(n, device=DEVICE)[:, None, None]
    wide = images[:, 0][image, within[0][:, :, None], within[1][:, None, :]] - 128 / 255
    waves = WAVES @ wide.unfold(1, BLOCK, BLOCK).unfold(2, BLOCK, BLOCK) @ WAVES.mT
    q = quality.clamp(min=1)
    scale = torch.where(q < 50, 50 / q, 2 - q / 50)[:, None, None, None, None]
    steps = (LUMA_STEPS * scale).round().clamp(1, 255) / 255
    wide = (WAVES.mT @ ((waves / steps).round() * steps) @ WAVES).transpose(2, 3).reshape(wide.shape) + 128 / 255
    back = torch.arange(side, device=DEVICE) + begin
    left = wide[image, back[0][:, :, None], back[1][:, None, :]][:, None]
    return torch.where(quality[:, None, None, None] > 0, left, images)


class Denoise:
    """Clean and noisy patches; the noise as aenoise knows it, of the kinds gaussian and camera."""

    KEYS = ("gain", "sd", "spread", "soft", "quality")

    def __init__(self, text, data, side):
        ranges = [self.ranges(model) for model in text.split("|")]
        self.low, self.high = torch.tensor(ranges, device=DEVICE).unbind(2)
        self.field_radius = math.ceil(3 * float(self.high[:, 2].max()))
        self.blur_radius = math.ceil(3 * float((self.high[:, 2] * self.high[:, 3]).max()))
        self.side = side
        self.patches = Patches(denoise_frames(data), side + 2 * self.blur_radius)

    @classmethod
    def ranges(cls, model):
        """Lowest and highest of each key; an absent one is 0."""
        kind, _, pairs = model.strip().partition(":")
        found = dict(pair.split("=") for pair in pairs.split(",") if pair)
        if kind not in ("gaussian", "camera") or not set(found) <= set(cls.KEYS):
            raise SystemExit(f"noise '{model.strip()}': only gaussian:sd=.. and camera:{'=..,'.join(cls.KEYS)}=..")
        return [[float(v) for v in (found.get(key, "0").split("..") * 2)[:2]] for key in cls.KEYS]

    def draw(self, n):
        kind = torch.randint(len(self.low), (n,), device=DEVICE)
        low, high = self.low[kind], self.high[kind]
        gain, sd, spread, soft, quality = (low + (high - low) * torch.rand_like(low)).unbind(1)
        blur = gaussians(spread * soft, self.side, self.blur_radius)
        clean = both_ways(blur / blur.sum(2, keepdim=True), self.patches.draw(n))
        share = gaussians(spread, self.side, self.field_radius)
        wide = self.side + 2 * self.field_radius
        field = both_ways(share / share.square().sum(2, keepdim=True).sqrt(),
                          torch.randn(n, 1, wide, wide, device=DEVICE))
        gain, sd = gain[:, None, None, None], sd[:, None, None, None]
        return clean, jpeg(clean + (gain * clean + sd ** 2).sqrt() * field, quality).clamp(0, 1)


def keys(x):
    """The bicubic kernel with a = -0.5 (Keys 1981)."""
    x = abs(x)
    return 1.5 * x ** 3 - 2.5 * x ** 2 + 1 if x < 1 else -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 if x < 2 else 0


class Superres:
    """Patches, and what bicubic downscaling with antialiasing and 8 bits leave of them."""

    def __init__(self, scale, data, side):
        margin = 2 * scale
        self.scale, self.margin = scale, margin
        self.patches = Patches(superres_frames(data), side * scale + 2 * margin)
        down = torch.tensor([[keys((margin + scale * (i + 0.5) - 0.5 - j) / scale) / scale
                              for j in range(self.patches.side)] for i in range(side)])
        self.down = (down / down.sum(1, keepdim=True)).to(DEVICE)

    def draw(self, n):
        patches = self.patches.draw(n)
        small = both_ways(self.down, patches).mul(255).round().clamp(0, 255) / 255
        return patches[:, :, self.margin:-self.margin, self.margin:-self.margin], small


class Network(torch.nn.Module):
    """The graph of an ONNX file, of the operators that these networks have."""

    def __init__(self, model):
        super().__init__()
        self.nodes = model.graph.node
        self.constants = {}
        self.weights = torch.nn.ParameterDict()
        for tensor in model.graph.initializer:
            array = torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
            if not tensor.name.endswith(("weight", "bias")):
                self.constants[tensor.name] = array.tolist()
                continue
            if array.dim() == 4:
                array = array.contiguous(memory_format=torch.channels_last)
            self.weights[tensor.name.replace(".", "_")] = torch.nn.Parameter(array)

    def weight(self, name):
        return self.weights[name.replace(".", "_")]

    def forward(self, image):
        values = self.constants | {"image": image}
        for node in self.nodes:
            inputs = [values[n] if n in values else self.weight(n) for n in node.input if n]
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            result = values[node.output[0]] = getattr(self, node.op_type)(attributes, *inputs)
        return result

    @staticmethod
    def Conv(a, x, weight, bias):
        return F.conv2d(x, weight, bias, a["strides"], a["pads"][:2])

    @staticmethod
    def ConvTranspose(a, x, weight, bias):
        return F.conv_transpose2d(x, weight, bias, a["strides"], a["pads"][:2])

    @staticmethod
    def LeakyRelu(a, x):
        return F.leaky_relu(x, a["alpha"])

    @staticmethod
    def Add(a, x, y):
        return x + y

    @staticmethod
    def Sub(a, x, y):
        return x - y

    @staticmethod
    def DepthToSpace(a, x):
        return F.pixel_shuffle(x, a["blocksize"])

    @staticmethod
    def Resize(a, x, scales):
        return F.interpolate(x, scale_factor=scales[2:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--seconds", type=float, required=True, help="of training")
    parser.add_argument("--rate", type=float, default=0.001, help="Adam's, at first (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=64, help="patches a step (default: %(default)s)")
    parser.add_argument("--side", type=int, default=64, help="of a patch that the network sees (default: %(default)s)")
    parser.add_argument("--noise", default=NOISE, help="as aenoise takes it, of gaussian and camera")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    torch.backends.cudnn.benchmark = True
    data = os.environ.get("AE_DATA", os.path.join(os.path.dirname(__file__), "../../shared/data"))
    model = onnx.load(options.model)
    network = Network(model).to(DEVICE)
    said = {p.key: p.value for p in model.metadata_props} | {"ae.colour": "gray", "ae.range": "0,1"}
    if "ae.scale" in said:
        source = Superres(int(said["ae.scale"]), data, options.side)
        said["ae.task"] = "superres"
        said.pop("ae.noise", None)
    else:
        source = Denoise(options.noise, data, options.side)
        said |= {"ae.task": "denoise", "ae.noise": " ".join(options.noise.split())}
    onnx.helper.set_model_props(model, said)
    run(network, source, options, lambda: save(network, model, options.out))


def save(network, model, path):
    for tensor in model.graph.initializer:
        if tensor.name not in network.constants:
            weight = network.weight(tensor.name).detach().cpu().contiguous().numpy()
            tensor.CopyFrom(onnx.numpy_helper.from_array(weight, tensor.name))
    onnx.save(model, path)


def make_step(network, source, options):
    """A function that makes a step, and the tensors of its rate and of the sum of all steps' losses."""
    weights = list(network.parameters())
    rate = torch.tensor(options.rate, device=DEVICE)
    total = torch.zeros((), device=DEVICE)
    cuda = DEVICE == "cuda"
    adam = torch.optim.Adam(weights, lr=rate, fused=cuda, capturable=cuda)

    def step():
        clean, seen = source.draw(options.batch)
        with torch.autocast(DEVICE, torch.float16, enabled=cuda, cache_enabled=False):
            result = network(seen)
        loss = F.mse_loss(result.float(), clean)
        for w in weights:
            w.grad = None
        (loss * LOSS_SCALE).backward()
        gradients = [w.grad for w in weights]
        torch._foreach_div_(gradients, LOSS_SCALE)
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        torch._foreach_mul_(gradients, (1 / norm.clamp(min=1)).nan_to_num(0))
        for gradient in gradients:  # what 16 bits could not hold
            gradient.nan_to_num_(0, 0, 0)
        adam.step()
        total.add_(loss.detach())

    if not cuda:
        return step, rate, total
    rate.zero_()  # what warms up must not learn
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(11):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    total.zero_()
    return graph.replay, rate, total


def run(network, source, options, save_now):
    step, rate, total = make_step(network, source, options)
    start = time.monotonic()
    report, before, steps, told = 10, 0.0, 0, 0
    while (elapsed := time.monotonic() - start) < options.seconds:
        rate.fill_(options.rate * (1 + math.cos(math.pi * elapsed / options.seconds)) / 2)
        for _ in range(16):
            step()
        steps += 16
        now = float(total)  # waits for the steps
        if elapsed > report:
            print(f"{elapsed:.0f} s: {steps} steps, loss {(now - before) / (steps - told):.6f}", flush=True)
            report, before, told = report + 10, now, steps
            save_now()
    save_now()
    print(f"{options.out}: {steps} steps of {options.batch} patches of {options.side} x {options.side}", flush=True)


if __name__ == "__main__":
    main()
