"""The command `answers`: a question put to a run's pictures, and what captions say of its clusters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import argument, command, option
from core.cli.options import JSON, RUN, SEED
from core.cli.output import check_suffix, in_folder, print_json, write_table
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

    from core.records import F64, Diagnosis, Progress
    from core.systems.common.tokens import PictureTokens

    Told = tuple[dict[str, Any], pd.DataFrame, list[str]]


@command(note="What the model knows, what it does not, and what a word's p covers: docs/answers.md.")
@argument("run", "[RUN]", f"{RUN}; --questions needs none")
@option("--ask TEXT", "one question, put to every picture")
@option("--captions FILE", "describe the clusters by the nearest of these captions, one a line")
@option("--written", "describe the clusters by captions that the model writes")
@option("--questions FILE", "ask what this table asks of --images, and write the loss of each known answer to --out")
@option("--images PATH", "the run's pictures (default: the small ones that the run keeps)")
@option("--model DIR", "the VL-T5 that answers or writes: a folder, see docs/answers.md (default: of drawn scenes)")
@option("--encoder NAME", "of whose cells the model makes its answers (default embedded)")
@option("--out FILE", "write each picture's answer or caption: .json, .csv or .parquet")
@SEED
@JSON
def answers(
    run: Path | None = None,
    ask: str = "",
    captions: Path | None = None,
    written: bool = False,
    questions: Path | None = None,
    images: Path | None = None,
    model: Path | None = None,
    encoder: str = "embedded",
    out: Path | None = None,
    seed: int = 0,
    as_json: bool = False,
) -> None:
    """Ask a run's pictures a question, or let captions describe its clusters.

    Answers of failures are compared with those of the rest, and words of the members' captions with those of the rest
    of the class.
    """
    if bool(ask) + (captions is not None) + written + (questions is not None) != 1:
        raise InvalidInput(
            'Say one of --ask "what colour is the cube?", --captions FILE, --written or --questions TABLE.'
        )
    if out is not None:
        check_suffix(out)
        in_folder(out)
    if questions is not None:
        from core.systems.vl_t5.folder import folder_of
        from core.systems.vl_t5.known_answers_command import write_losses

        if run is not None:
            raise InvalidInput("--questions asks of pictures, --images PATH, and of no run: leave DIR out.")
        write_losses(questions, images, folder_of(model), encoder, out, as_json)
        return
    if run is None:
        raise InvalidInput("A run is asked or described: give the folder DIR of one.")
    from core.store import load

    diagnosis = load(run)
    with TerminalProgress() as progress:
        reader = AskedRun(diagnosis, images, model, encoder, progress)
        document, table, lines = reader.asked(ask, seed) if ask else reader.described(captions, seed)
    if out is not None and out.suffix.lower() == ".json":
        from core.files import write_json

        write_json(out, document)
    elif out is not None:
        write_table(table, out)
    if as_json:
        print_json(document)
        return
    say("\n".join(lines))
    if out is not None:
        say(f"Written: {out}")


@dataclass(frozen=True, slots=True, eq=False)
class AskedRun:
    """A run and what its pictures are read with."""

    diagnosis: Diagnosis
    images: Path | None
    model: Path | None
    encoder: str
    progress: Progress

    def asked(self, question: str, seed: int) -> Told:
        from core.systems.vl_t5.ask import ask_pictures, with_prefix
        from core.systems.vl_t5.caution import caution_of
        from core.systems.vl_t5.folder import folder_of, read_describer
        from core.systems.vl_t5.tables import asked_document, asked_table
        from core.systems.vl_t5.wording import asked_lines

        with_prefix(question)  # refused before any picture is read
        folder = folder_of(self.model)
        describer = read_describer(folder)
        caution = caution_of(folder)
        cells, grid = self._cells()
        found = ask_pictures(
            self.diagnosis, question, describer, cells, grid, caution=caution, seed=seed, progress=self.progress
        )
        return asked_document(self.diagnosis, found), asked_table(self.diagnosis, found), asked_lines(found)

    def described(self, file: Path | None, seed: int) -> Told:
        from core.systems.vl_t5.describe import describe_clusters
        from core.systems.vl_t5.tables import described_document, described_table
        from core.systems.vl_t5.wording import described_lines

        said, cosines, how = self._written() if file is None else self._nearest(file)
        clusters = describe_clusters(self.diagnosis, said, cosines=cosines, seed=seed, progress=self.progress)
        document = described_document(self.diagnosis, clusters, said, how, cosines)
        return document, described_table(self.diagnosis, said, cosines), described_lines(clusters, how)

    def _nearest(self, file: Path) -> tuple[list[str | None], F64, str]:
        from core.files import default_cache
        from core.systems.vl_t5.describe import nearest_captions, read_captions
        from core.systems.vl_t5.wording import nearest_of

        bank = read_captions(file)
        found, cosines = nearest_captions(self.diagnosis, bank, cache=default_cache(), progress=self.progress)
        return list(found), cosines, nearest_of(bank, file.name)

    def _written(self) -> tuple[list[str | None], None, str]:
        from core.systems.vl_t5.ask import say as answers_of
        from core.systems.vl_t5.folder import read_describer
        from core.systems.vl_t5.tasks import CAPTION

        if self.model is None:
            raise InvalidInput("--written needs a model that describes, --model DIR: none that comes along does.")
        describer = read_describer(self.model)
        cells, grid = self._cells()
        said: list[str | None] = [None] * len(self.diagnosis.samples)
        for row, one in zip(cells.kept.tolist(), answers_of(describer, cells, grid, CAPTION, self.progress)):
            said[row] = one.text
        return said, None, "written by the model, picture by picture"

    def _cells(self) -> tuple[PictureTokens, tuple[int, int]]:
        from core.files import default_cache
        from core.systems.common.run_pictures import pictures_of
        from core.systems.vl_t5.ask import read_cells

        store = pictures_of(self.diagnosis, self.images, self.progress, why="The model looks at the pictures")
        return read_cells(self.diagnosis, store, self.encoder, default_cache(), self.progress)
