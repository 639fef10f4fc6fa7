"""Switch off the telemetry of other packages, before any of them is imported.

Most read their switch once, during import, so it must be set earlier: `core/__init__.py` and `webapp/__init__.py` set
it, and every use of Errata imports one of them. It overrides the user's environment, since the page and the documents
promise it to visitors who do not control that environment.
"""

from __future__ import annotations

import os
import sys
import warnings

OFF = {
    # onnxruntime reads it during import: any later call, such as `disable_telemetry_events`, comes after its device id,
    # its event database and the look-up of its vendor's host (seen with strace; the module does not report it)
    "ORT_DISABLE_TELEMETRY": "1",
    # Gradio: launches, and checks for a newer version
    "GRADIO_ANALYTICS_ENABLED": "False",
    # Hugging Face's hub: installed packages and versions, in the header of each download
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # Ray: the size of a cluster and the used features, once an hour
    "RAY_USAGE_STATS_ENABLED": "0",
    # any package that follows donottrack.sh
    "DO_NOT_TRACK": "1",
}
"""Environment variables and their values."""


def switch_off() -> None:
    """Set every switch of `OFF` in this process and its children.

    Warns (`UserWarning`) if onnxruntime was imported before without its switch: its telemetry cannot be stopped.
    """
    late = "onnxruntime" in sys.modules and os.environ.get("ORT_DISABLE_TELEMETRY") != OFF["ORT_DISABLE_TELEMETRY"]
    os.environ.update(OFF)
    hub = sys.modules.get("huggingface_hub.constants")
    if hub is not None:  # it read its switch during import
        hub.__dict__["HF_HUB_DISABLE_TELEMETRY"] = True
    if late:
        warnings.warn(
            "onnxruntime was imported before Errata, so its telemetry runs in this process: it contacts its vendor and "
            "stores a device id in your cache folder. Import core first, or set ORT_DISABLE_TELEMETRY=1.",
            stacklevel=3,
        )
