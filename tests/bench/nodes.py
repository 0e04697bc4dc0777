# SPDX-License-Identifier: LGPL-2.1-or-later
"""The node cases of the package onnx, for tests/core/model/onnx-conformance.c.

nodes.py write FOLDER
    writes each case to FOLDER/node, as ONNX's test data lie
nodes.py count
    reads what onnx-conformance prints; prints cases that fail and the number of
    each other result, refusals by reason
"""

import collections
import pathlib
import re
import sys

import numpy
import onnx
from onnx.backend.test.case.node import collect_testcases


def write_tensors(folder, kind, tensors):
    """What is no tensor (a sequence, a map) has no file."""
    for i, tensor in enumerate(tensors):
        if isinstance(tensor, (numpy.ndarray, numpy.generic)):
            tensor = onnx.numpy_helper.from_array(numpy.asarray(tensor))
        if isinstance(tensor, onnx.TensorProto):
            (folder / f"{kind}_{i}.pb").write_bytes(tensor.SerializeToString())


def write(folder):
    for case in collect_testcases():
        place = pathlib.Path(folder, "node", case.name)
        place.mkdir(parents=True)
        (place / "model.onnx").write_bytes(case.model.SerializeToString())
        for i, (inputs, outputs) in enumerate(case.data_sets):
            data = place / f"test_data_set_{i}"
            data.mkdir()
            write_tensors(data, "input", inputs)
            write_tensors(data, "output", outputs)


def reason(line):
    """A refusal without the names of the case and of its values."""
    text = re.sub(r"^\S*model\.onnx: ", "", line.split(": ", 1)[1])
    text = re.sub(r"^(node|value) '[^']*':? ", "", text)
    return re.sub(r"'[^']*'", "'...'", text.split("; supported are")[0])


def count():
    refused = collections.Counter()
    for line in sys.stdin:
        if line.startswith("refused "):
            refused[reason(line.strip())] += 1
        elif not line.startswith("pass "):
            print(line, end="")
    for text, number in refused.most_common():
        print(f"{number:5} refused: {text}")


{"write": write, "count": count}[sys.argv[1]](*sys.argv[2:])
