"""Where a Hugging Face Space starts: the page, open to the platform's network. On your own machine use scripts/app."""

from __future__ import annotations

import os

from webapp.app import main

if __name__ == "__main__":
    main(host=os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0"), port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")))
