"""Zips that mean harm."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

from tests.hostile import add, case
from tests.hostile.making import EVIL, patched, picture, pictures, png, tar_of, written, zip_of

Made = dict[str, Any]
REFUSED = r"^refused: .*"


def _zip(folder: Path, members: Any, method: int = 8) -> Made:
    return {"path": str(zip_of(folder / "a.zip", members, method))}


def _bytes(members: Any, method: int = 8) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


NAMES = {
    "climbs with ..": "../../etc/cron.d/a.png",
    "is absolute": "/etc/passwd.png",
    "names a drive": "C:\\windows\\a.png",
    "climbs in the middle": "a/../../b.png",
    "climbs with backslashes": "..\\..\\a.png",
}
for what, name in NAMES.items():
    add(
        f"zip: a member's name {what}", "archives", "archive",
        lambda folder, name=name: _zip(folder, {**pictures(3), name: picture()}), REFUSED + "outside the archive",
    )  # fmt: skip


@case("zip: a member's name holds a zero byte", "archive", REFUSED + "outside the archive|zero byte")
def _(folder: Path) -> Made:
    return written(folder, "a.zip", _bytes({"a~.png": picture(), **pictures(2)}).replace(b"a~.png", b"a\0.png"))


ODD = {
    "holds a newline": "a\nb.png",
    "holds ANSI codes": "\x1b[31mred\x1b[0m.png",
    "is written from right to left": "photo\u202egnp.exe.png",
    "is of 60,000 letters": "a" * 60_000 + ".png",
    "is HTML": f"{EVIL}.png",
    "is of zero width": "\u200b\u200b.png",
    "is NFD beside its NFC": "cafe\u0301.png",
    "has 20,000 folders": "d/" * 20_000 + "a.png",
    "is a reserved word of Windows": "CON.png",
    "ends with spaces and dots": "a.png . .",
}
for what, name in ODD.items():
    add(
        f"zip: a member's name {what}", "archives", "archive",
        lambda folder, name=name: _zip(folder, {**pictures(3), name: b"no picture"}), "^(refused|left out|accepted)",
    )  # fmt: skip


@case("zip: a bomb of one member of zeros", "archive", REFUSED + "times its packed size|unpacked")
def _(folder: Path) -> Made:
    return _zip(folder, {"a.png": bytes(200 * 2**20)})


@case("zip: a bomb of many members below each bound", "archive", REFUSED + "times its packed size|unpacked")
def _(folder: Path) -> Made:
    return _zip(folder, {f"{i}.png": bytes(2**20) for i in range(300)})


@case("zip: a bomb packed with bzip2", "archive", REFUSED + "times its packed size|unpacked")
def _(folder: Path) -> Made:
    return _zip(folder, {"a.png": bytes(200 * 2**20)}, zipfile.ZIP_BZIP2)


@case("zip: a bomb packed with lzma", "archive", REFUSED + "times its packed size|unpacked")
def _(folder: Path) -> Made:
    return _zip(folder, {"a.png": bytes(200 * 2**20)}, zipfile.ZIP_LZMA)


@case("zip: members that overlap", "archive", "^(refused|left out): .*(overlap|damaged|cannot be unpacked|times)")
def _(folder: Path) -> Made:
    data = _bytes({"aaaaa.png": picture(0, (300, 300))}, 0)
    at = data.index(b"PK\x01\x02")
    entry, end = data[at : data.index(b"PK\x05\x06")], data[data.index(b"PK\x05\x06") :]
    entries = b"".join(entry.replace(b"aaaaa", f"{i:05}".encode()) for i in range(5000))
    end = end[:8] + struct.pack("<HHII", 5000, 5000, len(entries), at) + end[20:]
    return written(folder, "a.zip", data[:at] + entries + end)


@case(
    "zip: overlapping members that unpack to terabytes",
    "archive",
    "^(refused|left out): .*(overlap|damaged|unpack|times|larger|GiB)",
)
def _(folder: Path) -> Made:
    data = _bytes({"a.png": bytes(2**20 - 1)})
    at = data.index(b"PK\x01\x02")
    entry, end = data[at : data.index(b"PK\x05\x06")], data[data.index(b"PK\x05\x06") :]
    entries = b"".join(entry.replace(b"a.png", b"%05x" % i) for i in range(60_000))
    end = end[:8] + struct.pack("<HHII", 60_000, 60_000, len(entries), at) + end[20:]
    return written(folder, "a.zip", data[:at] + entries + end)


@case(
    "zip: the directory says 1 byte, the member holds 100 MB",
    "archive",
    "^(refused|left out): .*(damaged|cannot be unpacked|no image|is not)",
)
def _(folder: Path) -> Made:
    data = _bytes({"a.png": bytes(100 * 2**20), **pictures(2)})
    at = data.index(b"PK\x01\x02")
    return written(folder, "a.zip", data[: at + 24] + struct.pack("<I", 1) + data[at + 28 :])


@case(
    "zip: the directory says 255 MB, the member holds 1 KB", "archive", "^(refused|left out): .*(times|damaged|unpack)"
)
def _(folder: Path) -> Made:
    data = _bytes({"a.png": b"x" * 1000}, 0)
    at = data.index(b"PK\x01\x02")
    return written(folder, "a.zip", data[: at + 24] + struct.pack("<I", 255 * 2**20) + data[at + 28 :])


@case("zip: zip64 sizes of 2^60 bytes", "archive", REFUSED + "unpack|damaged")
def _(folder: Path) -> Made:
    data = _bytes({"a.png": b"x" * 1000}, 0)
    at, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    extra = struct.pack("<HHQQ", 1, 16, 2**60, 2**60)
    entry = data[at:end]
    entry = entry[:20] + b"\xff" * 8 + entry[28:30] + struct.pack("<H", len(extra)) + entry[32:] + extra
    tail = data[end:]
    tail = tail[:12] + struct.pack("<I", len(entry)) + tail[16:]
    return written(folder, "a.zip", data[:at] + entry + tail)


@case("zip: a directory that says 65,535 entries and holds two", "archive", "^(refused|accepted)")
def _(folder: Path) -> Made:
    data = _bytes(pictures(2))
    end = data.index(b"PK\x05\x06")
    return written(folder, "a.zip", data[: end + 8] + b"\xff\xff\xff\xff" + data[end + 12 :])


@case("zip: the directory's place lies behind the file", "archive", "^(refused|left out): .*(damaged|unpacked)")
def _(folder: Path) -> Made:
    data = _bytes(pictures(2))
    end = data.index(b"PK\x05\x06")
    return written(folder, "a.zip", data[: end + 16] + b"\xf0\xff\xff\x7f" + data[end + 20 :])


@case("zip: 150,000 empty members", "archive", "^(refused|accepted): .*(files|none)", slow=True)
def _(folder: Path) -> Made:
    return _zip(folder, ((f"{i}.txt", b"") for i in range(150_000)))


@case("zip: 65,000 junk members beside one picture", "archive", "^left out: .*ignored", slow=True)
def _(folder: Path) -> Made:
    return _zip(folder, [(f"__MACOSX/{i}", b"") for i in range(65_000)] + [("a.png", picture())])


@case("zip: 20,000 pictures that are none", "archive", "^(refused|left out): .*(image|too many)", slow=True)
def _(folder: Path) -> Made:
    return _zip(folder, ((f"{i}.png", b"GIF89a") for i in range(20_000)))


@case("zip: 250,000 members", "archive", REFUSED + "files, the limit", slow=True)
def _(folder: Path) -> Made:
    return _zip(folder, ((f"{i}.txt", b"") for i in range(250_000)), 0)


@case("zip: encrypted", "archive", REFUSED + "encrypted")
def _(folder: Path) -> Made:
    data = _bytes(pictures(2))
    at = data.index(b"PK\x01\x02")
    return written(folder, "a.zip", data[: at + 8] + b"\x01\x00" + data[at + 10 :])


@case("zip: symbolic links to /etc/passwd", "archive", "^left out: .*not followed")
def _(folder: Path) -> Made:
    link = zipfile.ZipInfo("passwd.png")
    link.external_attr = 0o120777 << 16
    return _zip(folder, [(link, b"/etc/passwd"), *pictures(2).items()])


@case("zip: devices and pipes", "archive", "^(left out|refused)")
def _(folder: Path) -> Made:
    device, pipe = zipfile.ZipInfo("zero.png"), zipfile.ZipInfo("pipe.png")
    device.external_attr, pipe.external_attr = 0o020666 << 16, 0o010666 << 16
    return _zip(folder, [(device, b""), (pipe, b""), *pictures(2).items()])


@case("zip: the same name 1,000 times", "archive", "^left out: .*more than once")
def _(folder: Path) -> Made:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _zip(folder, [("a.png", picture(i % 5)) for i in range(1000)])


@case("zip: a zip in a zip in a zip", "archive", "^(refused|accepted)")
def _(folder: Path) -> Made:
    data = _bytes({"a.png": picture()})
    for depth in range(50):
        data = _bytes({f"{depth}.zip": data})
    return written(folder, "a.zip", data)


@case("zip: cut short at every structure", "archive", REFUSED + "damaged")
def _(folder: Path) -> Made:
    data = _bytes(pictures(4))
    return written(folder, "a.zip", data[: data.index(b"PK\x05\x06") - 20])


@case("zip: its members' data are noise", "archive", "^(left out|refused): .*(damaged|unpacked)")
def _(folder: Path) -> Made:
    data = bytearray(_bytes(pictures(4)))
    for at in range(60, data.index(b"PK\x01\x02"), 7):
        data[at] ^= 0x5A
    return written(folder, "a.zip", bytes(data))


@case("zip: a packing that nobody has", "archive", "^(left out|refused): .*unpacked")
def _(folder: Path) -> Made:
    data = _bytes({"a.png": picture(), "b.png": picture(1)})
    at = data.index(b"PK\x01\x02")
    return written(folder, "a.zip", patched(patched(data, 8, b"\x63"), at + 10, b"\x63"))


@case("zip: a comment of 64 KB that looks like a directory", "archive", "^(refused|accepted)")
def _(folder: Path) -> Made:
    out = folder / "a.zip"
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.png", picture())
        archive.comment = (b"PK\x05\x06" + bytes(18)) * 2900
    return {"path": str(out)}


@case("zip: also a picture", "archive", "^(refused|accepted|left out)")
def _(folder: Path) -> Made:
    return written(folder, "a.zip", picture() + _bytes(pictures(3)))


@case("zip: also a tar", "archive", "^(refused|accepted|left out)")
def _(folder: Path) -> Made:
    return written(folder, "a.zip", tar_of(folder / "t", {"../x.png": picture()}).read_bytes() + _bytes(pictures(3)))


@case("zip: empty", "archive", REFUSED + "no readable files")
def _(folder: Path) -> Made:
    return _zip(folder, {})


@case("zip: folders alone", "archive", REFUSED + "no readable files")
def _(folder: Path) -> Made:
    return _zip(folder, {f"d{i}/": b"" for i in range(100)})


@case("zip: an extra field that is cut", "archive", "^(refused|accepted|left out)")
def _(folder: Path) -> Made:
    info = zipfile.ZipInfo("a.png")
    info.extra = struct.pack("<HH", 1, 0xFFF0)
    return _zip(folder, [(info, picture())])


@case("zip: pictures of 30,000 x 30,000 pixels", "archive", "^left out: .*pixels")
def _(folder: Path) -> Made:
    return _zip(folder, {f"{i}.png": png(30_000, 30_000) for i in range(10)})


@case("zip: a date of month 15", "archive", "^(accepted|refused)")
def _(folder: Path) -> Made:
    data = _bytes({"a.png": picture()})
    return written(folder, "a.zip", data.replace(data[10:14], b"\xff\xff\xff\xff"))


@case("archive: a rar by its first bytes", "archive", REFUSED + "not a folder, a zip, or a tar")
def _(folder: Path) -> Made:
    return written(folder, "a.zip", b"Rar!\x1a\x07\x01\x00" + bytes(5000))


@case("archive: zero bytes", "archive", REFUSED + "empty|damaged")
def _(folder: Path) -> Made:
    return written(folder, "a.zip", b"")


@case("archive: 1 MB of zeros", "archive", REFUSED + "empty|damaged|no readable files")
def _(folder: Path) -> Made:
    return written(folder, "a.tar", bytes(2**20))


@case("pictures' zip: rows that name members outside it", "data", "^(refused|left out): .*image was not found")
def _(folder: Path) -> Made:
    rows = "\n".join(f"{'../' * i}etc/passwd,{i}" if i % 2 else f"{i:03}.png,{i}" for i in range(60))
    (folder / "t.csv").write_text("file,loss\n" + rows)
    return {"path": str(folder / "t.csv"), "images": str(zip_of(folder / "a.zip", pictures(60)))}
