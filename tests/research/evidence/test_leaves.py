"""The watch by system calls reads strace's lines as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from research.evidence.leaves_page import Browsed, hosts_of
from tests.support.system_calls import Run, Watched, read, stays_here, watch, why_not

TELEMETRY = """
connect(13, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT (No such file or directory)
connect(13<socket:[1]>, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.255.255.53")}, 16) = 0
sendto(13, "\\20]\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6events\\4data\\5maker\\3com\\0\\0\\1\\0\\1", 50, 0, NULL, 0) = 50
openat(AT_FDCWD</work>, "/home/me/.cache/maker/events.db", O_RDWR|O_CREAT, 0644) = 9</home/me/.cache/maker/events.db>
"""
AT_HOME = """
connect(5, {sa_family=AF_INET, sin_port=htons(7860), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
connect(5, {sa_family=AF_INET6, sin6_port=htons(7860), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = 0
sendto(4, [{nlmsg_len=20}], 20, 0, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 20
openat(AT_FDCWD</work>, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 3</etc/hosts>
openat(AT_FDCWD</work>, "/root/secret", O_WRONLY|O_CREAT, 0600) = -1 EACCES (Permission denied)
openat(AT_FDCWD</work>, "/x/__pycache__/a.pyc.1", O_WRONLY|O_CREAT, 0644) = 3</x/__pycache__/a.pyc.1>
"""


def seen(lines: str) -> Watched:
    found = Watched("test")
    read(lines.splitlines(), Path("/work"), found)
    return found


def test_a_look_up_and_a_file_in_the_cache_are_faults() -> None:
    assert seen(TELEMETRY).faults([Path("/work/out")]) == [
        "reached 10.255.255.53:53",
        "asked for events.data.maker.com",
        "wrote /home/me/.cache/maker/events.db",
    ]


def test_loopback_the_kernel_compiled_code_and_what_failed_are_none() -> None:
    found = seen(AT_HOME)
    assert found.faults([]) == []
    assert set(found.reached) == {"127.0.0.1:7860", "[::1]:7860"}


def test_relative_paths_and_both_ends_of_a_rename_are_found() -> None:
    found = seen(
        'renameat(AT_FDCWD</work/out>, "new", 5</work/far>, "old") = 0\nmkdir("made", 0777) = 0\nunlink("/gone") = 0'
    )
    assert set(found.written) == {"/work/out/new", "/work/far/old", "/work/made", "/gone"}
    assert found.faults([Path("/work")]) == ["wrote /gone"]


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1:80", True),
        ("127.8.0.1:53", True),
        ("[::1]:80", True),
        ("10.0.0.1:53", False),
        ("[2001:db8::1]:443", False),
        ("/run/systemd/resolve/io.systemd.Resolve", False),
        ("@hidden", False),
    ],
)
def test_only_loopback_stays_here(address: str, here: bool) -> None:
    assert stays_here(address) is here


def test_the_browsers_log_gives_each_host_once_asked() -> None:
    log = '{"constants": {},\n"events": [\n'
    log += '{"params":{"url":"https://fonts.gstatic.com/s/a.woff2"},"phase":1},\n{"params":{"host":"https://~notfound"}},\n'
    log += '{"params":{"url":"data:image/png;base64,AA"}},\n{"params":{"host":"127.0.0.1:7860"}}],\n"polledData": {}}'
    assert hosts_of(log) == {"fonts.gstatic.com": 1, "127.0.0.1": 1}
    found = Browsed("http://127.0.0.1:7860", hosts=hosts_of(log))
    assert found.faults() == ["looked up or connected to fonts.gstatic.com"]


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "can be watched")
def test_a_command_that_looks_a_name_up_and_writes_is_caught(tmp_path: Path) -> None:
    script = f"printf x > {tmp_path}/written; getent ahosts leaves.invalid; exit 3"
    found = watch(Run("shell", ["sh", "-c", script], tmp_path / "logs", {"PATH": "/usr/bin:/bin"}, tmp_path))
    assert found.exit_code == 3
    assert f"wrote {tmp_path}/written" in found.faults([tmp_path / "other"])
    assert "/usr/bin/getent" in found.started
