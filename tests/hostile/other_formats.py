"""Files of other formats under a picture's name, at each place where pictures come in."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from tests.hostile import add
from tests.hostile.making import EVIL, pictures, written, zip_of

Made = dict[str, Any]
LEFT = r"^left out: .*"

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 24 24\n%%EndComments\n0 0 24 24 rectfill showpage\n%%EOF\n"
OTHERS = {
    "EPS": EPS,
    "EPS behind a Windows header": b"\xc5\xd0\xd3\xc6" + struct.pack("<II", 32, len(EPS)) + bytes(20) + EPS,
    "PDF": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
    "SVG": f'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script>{EVIL}</svg>'.encode(),
    "SVG of entities": b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 999 + b'">]><svg>' + b"&a;" * 999,
    "ICO": b"\0\0\1\0\1\0\0\0\0\0\1\0 \0" + struct.pack("<II", 2**31 - 1, 22),
    "ICNS": b"icns" + struct.pack(">I", 2**31 - 1) + b"ic10" + struct.pack(">I", 2**31 - 1),
    "FLI": struct.pack("<IHHHHH", 2**31 - 1, 0xAF11, 60_000, 9000, 9000, 8) + bytes(200),
    "PSD": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 30_000, 30_000, 8, 3) + b"\xff" * 60,
    "DDS": b"DDS " + struct.pack("<7I", 124, 0x1007, 9000, 9000, 0, 0, 0) + bytes(100),
    "SGI": b"\1\xda\1\1\0\3" + struct.pack(">HHH", 9000, 9000, 3) + bytes(600),
    "FITS": b"".join(
        line.ljust(80)
        for line in (
            b"SIMPLE  =                    T", b"BITPIX  =                    8", b"NAXIS   =                    2",
            b"NAXIS1  =                90000", b"NAXIS2  =                90000", b"END",
        )
    ) + bytes(2880),
    "PPM of 90,000 x 90,000": b"P6 90000 90000 255\n" + bytes(100),
    "PPM of a number with a million digits": b"P6 " + b"9" * 1_000_000 + b" 1 255\n",
    "XBM": b"#define a_width 30000\n#define a_height 30000\nstatic char a_bits[] = {" + b"0x00," * 20,
    "XPM": b'/* XPM */\nstatic char * a[] = {\n"9000 9000 2 1",\n"a c #000000",\n"b c #ffffff",\n',
    "WMF": b"\xd7\xcd\xc6\x9a\0\0" + struct.pack("<hhhhH", 0, 0, 30_000, 30_000, 1440) + bytes(66),
    "McIdas": b"\0\0\0\0\0\0\0\4" + bytes(248),
    "GRIB": b"GRIB\0\0\0\1" + bytes(60),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(600),
    "BLP": b"BLP2\1\0\0\0\1\0\0\0" + struct.pack("<II", 60_000, 60_000) + bytes(1200),
    "zip": b"PK\3\4" + bytes(60),
    "HTML": f"<html>{EVIL}</html>".encode(),
    "zeros": bytes(5000),
    "nothing": b"",
    "an ELF program": b"\x7fELF\2\1\1" + bytes(200),
}  # fmt: skip
for what, data in OTHERS.items():
    add(
        f"picture: {what} called .jpg",
        "other_formats",
        "picture",
        lambda folder, d=data: written(folder, "a.jpg", d),
        LEFT,
    )


def _pool(data: bytes) -> Any:
    def make(folder: Path) -> Made:
        members = {f"{c}/{name}": one for c in ("cat", "dog") for name, one in pictures(2).items()}
        return {"path": str(zip_of(folder / "pool.zip", {**members, "cat/evil.jpg": data}))}

    return make


for what in ("EPS", "EPS behind a Windows header", "SVG", "WMF", "PSD", "FITS", "PPM of 90,000 x 90,000", "nothing"):
    add(f"pool: {what} called .jpg", "other_formats", "pool", _pool(OTHERS[what]), LEFT + "could not be read|evil")
    add(
        f"pairs: {what} called .jpg", "other_formats", "pairs",
        lambda folder, data=OTHERS[what]: written(folder, "evil.jpg", data), "^refused: .*evil",
    )  # fmt: skip
