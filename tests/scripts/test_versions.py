"""The versions files hold what requirements.txt asks for, each with its hashes, and advisories are told as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.telemetry import OFF
from scripts.advisories_found import read, summarise

TORCH = ("torch", "torchvision")


def wanted(path: Path) -> list[Requirement]:
    """The requirements of a file, without its comments and hashes."""
    lines = (re.split(r"\s#|^#|\\", line)[0].strip() for line in path.read_text("utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("--hash")]


def pins(repository: Path) -> dict[str, list[Requirement]]:
    """What the versions files hold by name; a package may have one version for each of several Pythons."""
    found: dict[str, list[Requirement]] = {}
    for name in ("requirements.lock", "requirements-torch.lock"):
        for pin in wanted(repository / name):
            found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


def version_of(pin: Requirement) -> str:
    return str(pin.specifier).removeprefix("==")


def test_every_requirement_has_a_version_within_its_range(repository: Path) -> None:
    held = pins(repository)
    for file in ("requirements.txt", "requirements-override.txt"):
        for requirement in wanted(repository / file):
            versions = [version_of(pin) for pin in held[canonicalize_name(requirement.name)]]
            assert all(version in requirement.specifier for version in versions), (requirement, versions)


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_each_python_gets_exactly_one_version(repository: Path, python: str) -> None:
    there = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
    there |= {"platform_machine": "x86_64", "platform_system": "Linux", "os_name": "posix"}
    for name, versions in pins(repository).items():
        fitting = [pin for pin in versions if pin.marker is None or pin.marker.evaluate(there)]
        assert len(fitting) <= 1, name
        assert fitting or all(pin.marker for pin in versions)
    held = pins(repository)
    for requirement in wanted(repository / "requirements.txt"):
        there_of_it = held[canonicalize_name(requirement.name)]
        assert any(pin.marker is None or pin.marker.evaluate(there) for pin in there_of_it), requirement


def test_all_but_torch_are_held_to_hashes_and_no_index_is_named(repository: Path) -> None:
    text = (repository / "requirements.lock").read_text("utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", text.partition("\n")[2].strip())
    assert len(blocks) > 80
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) for block in blocks)
    assert "://" not in text
    assert {pin.name for pin in wanted(repository / "requirements-torch.lock")} == set(TORCH)
    assert not {pin.name for pin in wanted(repository / "requirements.lock")} & set(TORCH)


def test_the_constraints_are_the_versions_of_both_files(repository: Path) -> None:
    against = {pin.name for pin in wanted(repository / "requirements-override.txt")}  # these plain pip refuses
    held = {str(pin) for name, own in pins(repository).items() for pin in own if name not in against}
    assert {str(pin) for pin in wanted(repository / "constraints.txt")} == held
    assert "--hash" not in (repository / "constraints.txt").read_text("utf-8")  # pip refuses a folder beside hashes


def test_the_container_switches_off_what_the_code_does(repository: Path) -> None:
    text = (repository / "Dockerfile").read_text("utf-8")
    assert all(f"{name}={value} \\" in text for name, value in OFF.items())


def result(*packages: Mapping[str, object]) -> str:
    return json.dumps({"dependencies": list(packages), "fixes": []})


def test_an_advisory_is_named_with_the_version_that_mends_it() -> None:
    one = {"name": "pictures", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1", "2.0"]}]}
    said, code = summarise(read(result(one) + "\n" + result({"name": "tables", "version": "3", "vulns": []})))
    assert code == 1
    assert said == ["pictures 1.0: CVE-1, fixed in 1.1, 2.0", "1 advisory for 2 of 2 packages in the index"]


@pytest.mark.parametrize("text", ["", result(), result({"name": "tables", "skip_reason": "not found"})])
def test_an_index_that_does_not_tell_is_no_clean_bill(text: str) -> None:
    said, code = summarise(read(text))
    assert code == 4
    assert "Not in the index: " in said[-1]


def test_no_advisory_for_any_is_zero() -> None:
    assert summarise(read(result({"name": "tables", "version": "3", "vulns": []})))[1] == 0
