"""The layer map: the teacher's layer for each of the student's layers."""

from __future__ import annotations

from core.errors import InvalidInput

MAPS = ("uniform", "top", "bottom")


def layer_map(n_student: int, n_teacher: int, kind: str = "uniform") -> tuple[int, ...]:
    """The layers g(m) for m = 1..M, counted from 1; the embeddings, layer 0, always learn from the teacher's.

    Args:
        n_student, n_teacher: M and N.
        kind: "uniform" spreads the teacher's layers and ends with the last, "top" takes the last M, "bottom" the
            first M; or M of the teacher's layers in order, such as "1,5,6".

    Raises:
        InvalidInput: M is not in 1..N, or the kind is unknown.

    Source: TinyBERT, section 3.1 and table 4. There N is a multiple of M, and the released code refuses others; here
    m N / M is rounded down, which keeps g(M) = N.

    Example:
        >>> layer_map(3, 6), layer_map(3, 6, "top"), layer_map(4, 6), layer_map(3, 6, "1,5,6")
        ((2, 4, 6), (4, 5, 6), (1, 3, 4, 6), (1, 5, 6))
    """
    if not 1 <= n_student <= n_teacher:
        raise InvalidInput(
            f"layers must be 1 to {n_teacher}, the teacher's number of layers: got {n_student}. Change --layers."
        )
    layers = range(1, n_student + 1)
    if kind == "top":
        return tuple(m + n_teacher - n_student for m in layers)
    if kind == "bottom":
        return tuple(layers)
    if kind == "uniform":
        return tuple(m * n_teacher // n_student for m in layers)
    parts = [part.strip() for part in kind.split(",")]
    listed = tuple(int(part) for part in parts if part.isdecimal() and len(part) < 4)
    rising = all(a < b for a, b in zip((0, *listed), (*listed, n_teacher + 1)))
    if not len(listed) == len(parts) == n_student or not rising:
        example = ",".join(map(str, layers))
        raise InvalidInput(
            f"map must be one of {', '.join(MAPS)}, or {n_student} of the teacher's {n_teacher} layers in order, such "
            f"as {example}: got {kind[:60]!r}. Change --map."
        )
    return listed
