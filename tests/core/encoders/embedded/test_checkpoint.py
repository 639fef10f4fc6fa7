"""A checkpoint reads as torch reads it."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

from core.encoders.embedded.checkpoint import read_state_dict


def test_a_checkpoint_reads_as_torch_reads_it(tmp_path: Path) -> None:
    state = OrderedDict(a=torch.randn(3, 4).t(), b=torch.tensor([5]))
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    found = read_state_dict(tmp_path / "old.pth")
    for name, tensor in state.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())
