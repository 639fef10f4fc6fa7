"""Where a Hugging Face Space starts: the page, open to the platform's network. On your own machine use scripts/app."""

from __future__ import annotations

import os

from webapp.app import main
from webapp.server.rules import WebRules

if __name__ == "__main__":
    listening = os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0")
    main(WebRules(listening), port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")))
