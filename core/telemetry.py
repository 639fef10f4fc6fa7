"""No package tells its maker anything: their switches, set before any of them is imported.

Most read the switch once, while they are imported, so it must stand earlier: `core/__init__.py` and
`webapp/__init__.py` set it, and whatever uses Errata passes one of them. It is set over what the user's environment
says, since the page and the documents promise it to people who never saw that environment.
"""

from __future__ import annotations

import os
import sys
import warnings

OFF = {
    # onnxruntime reads it while it is imported: later calls, `disable_telemetry_events` too, come after its device id,
    # its event database and the look-up of its vendor's host. The module cannot be asked; strace shows it.
    "ORT_DISABLE_TELEMETRY": "1",
    # Gradio: what is launched, and whether there is a newer version.
    "GRADIO_ANALYTICS_ENABLED": "False",
    # Hugging Face's hub: which packages and versions ask, in the header of each download.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # Ray: the size of a cluster and what of Ray is used, once an hour.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Any package that follows donottrack.sh.
    "DO_NOT_TRACK": "1",
}
"""The environment variables and what they are set to."""


def switch_off() -> None:
    """Set every switch of `OFF` in this process and so in those that it starts.

    Warns (`UserWarning`) if onnxruntime is there already without its switch: it began when it was imported, and nothing
    stops it.
    """
    late = "onnxruntime" in sys.modules and os.environ.get("ORT_DISABLE_TELEMETRY") != OFF["ORT_DISABLE_TELEMETRY"]
    os.environ.update(OFF)
    if (hub := sys.modules.get("huggingface_hub.constants")) is not None:  # it read its switch when it was imported
        hub.__dict__["HF_HUB_DISABLE_TELEMETRY"] = True
    if late:
        warnings.warn(
            "onnxruntime was imported before Errata, so its own telemetry runs in this process: it looks its vendor's "
            "host up and keeps a device id in your cache folder. Import core first, or set ORT_DISABLE_TELEMETRY=1.",
            stacklevel=3,
        )
