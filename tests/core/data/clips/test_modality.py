"""Clips: decoded to the frames that were drawn, measured over time, refused with a reason."""

from __future__ import annotations

import contextlib
import io
import struct
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.data.clips import decoding, storyboard
from core.data.clips.decoding import decode_clip, every_frame
from core.data.clips.properties import measure_clip, measure_over_time
from core.data.clips.videos import CODECS, _frames as every_decoded, with_video
from core.data.modality import Unreadable, modality_of
from core.errors import InvalidInput
from core.limits import Limits
from core.systems.neuralizer.corrections.rewrite_clips import video_bytes
from research.weights.univl.drawn_clips import OPPOSITE, draw_clip, faded

N, SIDE, RATE = 12, 64, 6


@cache
def drawn(*verbs: str) -> tuple[Image.Image, ...]:
    return tuple(draw_clip(np.random.default_rng(5), verbs).frames(N, SIDE))


@cache
def video() -> bytes:
    return video_bytes(drawn("moves left", "grows"), RATE)


def animated(form: str, frames: tuple[Image.Image, ...], shown: int = 100) -> bytes:
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=shown, loop=0)
    return out.getvalue()


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


def test_a_video_gives_its_frames_in_their_order_and_time() -> None:
    clip = decode_clip(video())
    assert (clip.n_frames, clip.width, clip.height, clip.file_format) == (N, SIDE, SIDE, "MP4 (h264)")
    assert clip.length == pytest.approx(N / RATE)
    assert clip.has_sound is False
    assert clip.seconds == pytest.approx(np.arange(N) / RATE)
    for got, wanted in zip(clip.frames, drawn("moves left", "grows"), strict=True):
        assert difference(got, wanted) < 6  # of 255: MPEG-4 loses a little


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_an_animated_picture_is_a_clip(form: str) -> None:
    clip = decode_clip(animated(form, drawn("rises"), 200))
    assert clip.n_frames == N
    assert clip.length == pytest.approx(0.2 * N)
    assert clip.has_sound is None
    assert difference(clip.frames[-1], drawn("rises")[-1]) < 12


def test_of_many_frames_those_kept_lie_evenly_over_the_time() -> None:
    frames = tuple(Image.new("RGB", (32, 32), (5 * i, 0, 0)) for i in range(50))
    clip = decode_clip(video_bytes(frames, 25))
    assert len(clip.frames) == 16
    assert clip.n_frames == 50
    assert np.diff(clip.seconds).max() / np.diff(clip.seconds).min() < 1.6
    assert clip.step == pytest.approx(1 / 8, abs=0.04)


def test_a_clip_too_large_to_be_decoded_whole_gives_single_frames_and_leaves_motion_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = tuple(Image.new("RGB", (32, 32), (5 * i, 0, 0)) for i in range(50))
    clip = decode_clip(video_bytes(frames, 25), Limits(max_clip_pixels=16 * 32 * 32 * 3))
    reds = [np.asarray(frame)[16, 16, 0] / 5 for frame in clip.frames]
    assert 2 <= len(clip.frames) <= 16
    assert reds == pytest.approx(clip.seconds * 25, abs=1.5)
    measured = measure_clip(clip)
    assert measured["motion"] is None
    assert measured["cuts"] is None
    assert measured["brightness"] is not None
    (said,) = modality_of("clip").notes([measured])
    assert "too large to decode whole" in said


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"hello, no clip at all", "not a clip in a known format"),
        (animated("GIF", drawn("rises")[:1]), "single image"),
        (video()[:200], "damaged, cut short, or not MP4"),
        (b"\x1a\x45\xdf\xa3" + b"\0" * 300, "WebM or Matroska"),
        (b"RIFF\x10\0\0\0AVI " + b"\xff" * 300, "contains no video"),
        (b"\0\0\0\x18ftypmp42" + b"A" * 1000, "MP4"),
        (b"#EXTM3U\nhttp://127.0.0.1/1.ts\n", "not a clip in a known format"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "not a clip in a known format"),
    ],
)
def test_what_is_no_clip_says_why(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        modality_of("clip").open(data)


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(max_frame_pixels=1000), "frames of 64 x 64 pixels, above the limit of 1,000"),
        (Limits(max_clip_frames=5), "more than 5 frames"),
    ],
)
def test_what_a_video_declares_is_held_against_the_limits_before_it_is_decoded(limits: Limits, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        decode_clip(video(), limits)


def test_an_animation_of_more_frames_than_any_needs_is_refused_before_they_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoding, "MAX_ANIMATION_FRAMES", 5)
    with pytest.raises(Unreadable, match="more than 5 frames"):
        decode_clip(animated("GIF", drawn("rises")))


def test_damage_in_the_middle_keeps_what_came_before_it() -> None:
    whole = bytearray(video())
    middle = whole.find(b"mdat") + (len(whole) - whole.find(b"mdat")) // 2
    whole[middle : middle + 40] = b"\xff" * 40
    clip = decode_clip(bytes(whole))
    assert 2 <= len(clip.frames) <= N
    assert difference(clip.frames[0], drawn("moves left", "grows")[0]) < 6


def test_any_cut_of_a_video_is_read_or_refused() -> None:
    data = video()
    for end in range(1, len(data), max(len(data) // 40, 1)):
        with contextlib.suppress(Unreadable):
            decode_clip(data[:end])


def test_motion_cuts_and_fading_are_measured() -> None:
    moving, other = drawn("moves left"), drawn("moves right", "shrinks")
    still = measure_clip(decode_clip(video_bytes((moving[0],) * N, 8)))
    moves = measure_clip(decode_clip(video_bytes(moving, 8)))
    assert still["still share"] == 1
    assert still["cuts"] == 0
    assert moves["motion"] > 3 * still["motion"]
    dark = measure_clip(decode_clip(video_bytes(faded(moving, 0.2), 8)))
    assert dark["brightness change"] < -0.2 < moves["brightness change"]
    red = tuple(Image.new("RGB", (SIDE, SIDE), (200, 20, 20)) for _ in range(6))
    cut = measure_clip(decode_clip(video_bytes((*other[:6], *red), 8)))
    assert cut["cuts"] == 1
    assert moves["cuts"] == 0


def test_a_light_that_flickers_is_told_from_one_that_fades() -> None:
    grey = np.full((24, 8, 8, 3), 100, np.uint8)
    flickering, fading = grey.copy(), grey.copy()
    flickering[::2] = 140
    fading[:] = np.linspace(60, 140, 24)[:, None, None, None]
    found = [measure_over_time(frames)["flicker"] for frames in (grey, fading, flickering)]
    assert found[0] == 0
    assert found[1] is not None
    assert found[1] < 0.01
    assert found[2] is not None
    assert found[2] > 0.1


def test_what_a_run_keeps_plays_in_the_same_time_and_can_be_read_again() -> None:
    clip = decode_clip(video())
    kept = modality_of("clip").keep(video(), 48)
    again = decode_clip(kept)
    assert again.length == pytest.approx(clip.length, abs=0.2)
    assert max(again.frames[0].size) == 48
    assert difference(again.frames[0].resize((SIDE, SIDE)), clip.frames[0]) < 12
    for data in (kept, video()):
        board = Image.open(io.BytesIO(modality_of("clip").preview(data, 120)))
        assert getattr(board, "n_frames", 1) == 1
        assert max(board.size) <= 120


def test_a_clip_backwards_is_no_copy_of_it_and_one_that_was_coded_again_is() -> None:
    frames = drawn("moves left", "grows")
    datas = [video(), video_bytes(frames, 8), video_bytes(frames[::-1], RATE), video_bytes(drawn("falls"), RATE)]
    measured = [modality_of("clip").open(data)[1] for data in datas]
    groups = modality_of("clip").duplicates([bytes([i]) for i in range(4)], measured, np.ones((4, 1), np.float32))
    assert groups.tolist() == [0, 0, 1, 2]


def test_what_cannot_be_shown_is_said() -> None:
    with pytest.raises(InvalidInput, match="The clip is empty"):
        modality_of("clip").preview(b"", 100)


def test_backwards_a_drawn_clip_shows_its_own_frames_in_turn() -> None:
    clip = draw_clip(np.random.default_rng(2), ("falls", "shrinks"))
    back = clip.backwards()
    assert back.text().count(OPPOSITE["falls"]) == 1
    assert back.backwards().text() == clip.text()
    for one, other in zip(clip.frames(5, 40), back.frames(5, 40)[::-1], strict=True):
        assert difference(one, other) < 0.5
    assert replace(clip, events=clip.events[:1]).text() in clip.text()


def test_the_storyboard_reads_from_left_to_right_and_down() -> None:
    frames = tuple(Image.new("RGB", (60, 30), (40 * i, 0, 0)) for i in range(6))
    clip = decode_clip(animated("WEBP", frames))
    board = np.asarray(Image.open(io.BytesIO(storyboard.storyboard(clip, 184))).convert("RGB"))
    reds = [int(board[y, x, 0]) for y in (15, 47) for x in (30, 92, 154)]
    assert reds == pytest.approx([0, 40, 80, 120, 160, 200], abs=12)


@pytest.mark.parametrize("data", [video(), animated("GIF", drawn("moves left", "grows"), 160)])
def test_every_frame_of_a_clip_is_given_at_its_own_size_and_rate(data: bytes) -> None:
    frames, rate = every_frame(data)
    assert len(frames) == N
    assert rate == pytest.approx(RATE, rel=0.05)
    assert all(difference(one, other) < 12 for one, other in zip(frames, drawn("moves left", "grows"), strict=True))
    with pytest.raises(Unreadable, match="with all its frames"):
        every_frame(data, Limits(max_decoder_bytes=N * SIDE * SIDE))


def test_a_gif_whose_frames_cannot_be_counted_is_refused() -> None:
    data = animated("GIF", drawn("rises"))
    for cut in range(20, 2000, 7):  # anywhere, also within a block's header
        with contextlib.suppress(Unreadable):
            decode_clip(data[:cut] + b"\x2c" + data[cut + 40 : cut + 60])
        with contextlib.suppress(Unreadable):
            decode_clip(data[:cut])


@pytest.mark.parametrize("noise", [0, 2])
def test_a_clip_in_which_nothing_moves_is_kept_as_a_clip(noise: int) -> None:
    rng, base = np.random.default_rng(0), np.asarray(drawn("grows")[0], np.int64)
    frames = [np.clip(base + rng.integers(-noise, noise + 1, base.shape), 0, 255).astype(np.uint8) for _ in range(N)]
    kept = modality_of("clip").keep(video_bytes(tuple(map(Image.fromarray, frames)), RATE), 256)
    clip = decode_clip(kept)
    assert clip.length == pytest.approx(N / RATE, abs=0.01)
    assert difference(clip.frames[0], Image.fromarray(frames[0])) < 12
    assert difference(clip.frames[0], clip.frames[-1]) < 12
    assert modality_of("clip").preview(kept, 256)[8:12] == b"WEBP"


def test_a_clip_whose_frames_lie_years_apart_is_still_shown() -> None:
    clip = replace(decode_clip(video()), seconds=np.arange(N) * 1e9, length=1e300)
    shown = Image.open(io.BytesIO(storyboard.animation(clip, 64)))
    assert getattr(shown, "n_frames", 1) == N


def test_no_more_pixels_are_decoded_than_allowed_whatever_the_header_says() -> None:
    shown = with_video(video(), ("mov", "MP4"), Limits(), lambda v: len(list(every_decoded(v, 3 * SIDE * SIDE))))
    assert shown == 3


def test_a_turn_that_is_aslant_is_taken_for_the_nearest_upright_one() -> None:
    straight, matrix = video(), struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    at = straight.find(matrix, straight.find(b"tkhd"))
    a, b = 64540, 11380  # cosine and sine of 10 degrees
    aslant = straight[:at] + struct.pack(">9i", a, b, 0, -b, a, 0, 0, 0, 1 << 30) + straight[at + len(matrix) :]
    for one, other in zip(every_frame(aslant)[0], every_frame(straight)[0], strict=True):
        assert one == other


def test_a_clip_of_which_no_frame_can_be_decoded_cannot_be_changed() -> None:
    data = video()
    start = data.find(b"mdat") + 4
    broken = data[:start] + bytes(len(data) - start) if data.find(b"moov") < start else b""
    if not broken:
        end = data.find(b"moov") - 4
        broken = data[:start] + bytes(end - start) + data[end:]
    with pytest.raises(Unreadable, match="that can be decoded"):
        every_frame(broken)


def test_the_codecs_are_those_that_ffmpeg_knows() -> None:
    import av

    assert {name for name in CODECS if name not in av.codecs_available} <= {"libdav1d", "av1"}
    out = io.BytesIO()
    with av.open(out, "w", format="avi") as container:
        stream: Any = container.add_stream("msmpeg4", rate=RATE)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for frame in drawn("rises"):
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())
    assert decode_clip(out.getvalue()).file_format == "AVI (msmpeg4)"
