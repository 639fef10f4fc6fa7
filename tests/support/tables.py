"""Small tables and images that the tests of reading share."""

import io

import numpy as np
import pandas as pd
from PIL import Image

N = 40


def png(value=0, size=(4, 4)):
    buffer = io.BytesIO()
    Image.fromarray(np.full(size, value, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def frame(**columns):
    base = {"file": [f"{i}.png" for i in range(N)], "loss": np.arange(N) / N}
    return pd.DataFrame(base | columns)


def folder(path, names=None, content=None):
    path.mkdir(exist_ok=True)
    for name in names if names is not None else [f"{i}.png" for i in range(N)]:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content or png())
    return path


def reasons(audit):
    """By the number in the id."""
    return {int("".join(filter(str.isdigit, name))): reason for name, reason in audit.excluded}


def said(audit, text):
    return any(text in note for note in audit.notes)
