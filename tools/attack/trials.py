"""A trial: a folder with one damaged input, and the command line that reads it."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from attack.material import LANDMARKS, SWAPPER
from attack.mutations import damaged, revalued

#: How often each kind comes, of about a hundred.
SHARES: Final = {
    "pictures": 24,
    "photos": 8,
    "videos": 18,
    "signed": 11,
    "sidecars": 5,
    "fonts": 3,
    "keys": 7,
    "databases": 6,
    "records": 5,
    "archives": 4,
    "models": 3,
    "catalogues": 4,
    "stores": 2,
    "settings": 5,
    "live": 1,
}


@dataclass(frozen=True)
class Trial:
    """One run of the program.

    Attributes:
        kind: Of its input.
        number: Of the trial: with the seed, all that is needed to make it again.
        folder: Where its files are; it is the working directory.
        words: The command line.
        damage: What was done to which file.
        outputs: Names of files that a run that succeeds may leave.
    """

    kind: str
    number: int
    folder: Path
    words: tuple[str, ...]
    damage: str
    outputs: tuple[str, ...] = ()


def kinds_of(count: int, only: Sequence[str]) -> list[str]:
    """The kind of each of so many trials: by their shares, spread evenly."""
    shares = {kind: share for kind, share in SHARES.items() if not only or kind in only}
    due = dict.fromkeys(shares, 0.0)
    listed = []
    for _ in range(count):
        for kind, share in shares.items():
            due[kind] += share
        first = max(due, key=lambda kind: due[kind])
        due[first] -= sum(shares.values())
        listed.append(first)
    return listed


class Bench:
    """Makes trials out of material.

    Args:
        material: See ``material.make``.
        seed: Of all damage.
    """

    def __init__(self, material: Path, seed: int) -> None:
        self._material, self._seed = material, seed

    def trial(self, kind: str, number: int, folder: Path) -> Trial:
        """A trial in ``folder``, which is made."""
        folder.mkdir()
        dice = random.Random(f"{self._seed} {kind} {number}")
        make: Callable[[Path, random.Random], tuple[Sequence[str], str, Sequence[str]]] = getattr(self, f"_{kind}")
        words, damage, outputs = make(folder, dice)
        return Trial(kind, number, folder, tuple(words), damage, tuple(outputs))

    def _pictures(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        name, said = self._damaged("pictures", folder, dice)
        output = dice.choice(("out.png", "out.jpg", "out.webp"))
        if Path(name).stem == "moving":
            output = dice.choice(("out.gif", "out.webp", "out.mp4"))
        return self._looked_at(folder, name, output, dice), said, (output,)

    def _photos(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        name, said = self._damaged("pictures", folder, dice)
        if dice.random() < 0.3:
            return ("consent", "grant", name, "--ground", "self", *self._home(folder)), said, ()
        shutil.copy(self._material / "photo.jpg", folder / "target.jpg")
        words = ("swap", "-s", name, "-t", "target.jpg", "-o", "out.png", "--consent", "fictional")
        return (*words, *self._home(folder)), said, ("out.png",)

    def _videos(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        name, said = self._damaged("videos", folder, dice)
        output = "out" + dice.choice((Path(name).suffix, ".mp4", ".mkv", ".webm", ".gif", ".mov"))
        if Path(output).suffix in (".ts", ".flv", ".avi"):
            output = "out.mp4"
        return self._looked_at(folder, name, output, dice), said, (output, f"{output}.c2pa")

    def _signed(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        name, said = self._damaged("signed", folder, dice)
        output = "out" + Path(name).suffix
        return self._looked_at(folder, name, output, dice), said, (output,)

    def _sidecars(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        shutil.copy(self._material / "beside" / "c.mkv", folder / "c.mkv")
        said = self._written(self._material / "beside" / "c.mkv.c2pa", folder / "c.mkv.c2pa", dice)
        return self._looked_at(folder, "c.mkv", "out.mkv", dice), said, ("out.mkv", "out.mkv.c2pa")

    def _fonts(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        name, said = self._damaged("fonts", folder, dice)
        label = dice.choice(("AI", "AI 生成", "İA Ωж", "ذكاء", "AI" * 12))
        words = self._swap(folder, "target.jpg", "out.png")
        shutil.copy(self._material / "photo.jpg", folder / "target.jpg")
        return (*words, "--label-font", name, "--label-text", label), said, ("out.png",)

    def _keys(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        home = self._home(folder)
        shutil.copy(self._material / "photo.jpg", folder / "target.jpg")
        bad = dice.choice(("signing.key", "signing.pem"))
        own = dice.random() < 0.5
        for name in ("signing.key", "signing.pem"):
            place = folder / "home" / "keys" / name if own else folder / name
            shutil.copy(self._material / "keys" / name, place)
            if name == bad:
                said = self._written(self._material / "keys" / name, place, dice, text=dice.random() < 0.5)
            place.chmod(0o600)
        if own and dice.random() < 0.4:
            return ("inspect", "target.jpg", *home), said, ()
        words = self._swap(folder, "target.jpg", "out.png", home)
        pair = () if own else ("--signing-cert", "signing.pem", "--signing-key", "signing.key")
        return (*words, *pair), said, ("out.png",)

    def _databases(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        home = self._home(folder)
        name = dice.choice(("ledger.sqlite", "ledger.sqlite", "consents.sqlite", "ledger.head", "ledger.key"))
        said = self._written(self._material / "home" / name, folder / "home" / name, dice, text=name == "ledger.head")
        (folder / "home" / name).chmod(0o600)
        return self._of_home(folder, home, dice), said, ("out.png", "out.jsonl")

    def _records(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        """Databases that are whole, with rows that are not."""
        home = self._home(folder)
        table, column = dice.choice(
            (("records", "body"), ("records", "body"), ("consents", "body"), ("origin", "hash"))
        )
        table, column = dice.choice(((table, column), ("records", "hash"), ("records", "number")))
        path = folder / "home" / ("consents.sqlite" if table == "consents" else "ledger.sqlite")
        with closing(sqlite3.connect(path)) as base:
            if table == "origin":
                base.execute("INSERT INTO origin VALUES (1, 'a', 'b')")
            (row, value) = dice.choice(base.execute(f"SELECT rowid, {column} FROM {table}").fetchall())
            new, said = damaged(str(value).encode(), dice, [], text=True)
            made: object = new.decode("utf-8", "replace")
            made = dice.choice((made, made, made, new, None, 7, -1, 1 << 62, 1e300))
            try:
                base.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (made, row))
            except (sqlite3.IntegrityError, OverflowError):
                base.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))
            base.commit()
        return self._of_home(folder, home, dice), f"{table}.{column} {said}", ("out.png", "out.jsonl")

    def _archives(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        said = self._written(self._material / "models.zip", folder / "models.zip", dice)
        home = self._home(folder, "stocked")
        shutil.rmtree(folder / "home" / "models")
        return ("models", "import", "models.zip", "--accept-licence", *home), said, ()

    def _models(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        """Graphs that are what their record says, and wrong all the same."""
        home = self._home(folder, "stocked")
        model = dice.choice(sorted((self._material / "models").glob("*.onnx")))
        if dice.random() < 0.4:
            said = self._written(model, folder / model.name, dice)
            shutil.rmtree(folder / "home" / "models")
            return ("models", "import", model.name, "--accept-licence", *home), said, ()
        (stored,) = [
            path for path in (folder / "home" / "models").glob("*.onnx") if path.read_bytes() == model.read_bytes()
        ]
        said = self._written(model, stored, dice)
        record = stored.with_name(f"{stored.name}.json")
        values = json.loads(record.read_bytes())
        values |= {"sha256": sha256(stored.read_bytes()).hexdigest(), "size": stored.stat().st_size}
        record.write_text(json.dumps(values))
        return self._with_models(folder, model.stem, home, dice), said, ("out.png",)

    def _catalogues(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        home = self._home(folder, "stocked")
        path = folder / "home" / "models.toml"
        said = self._written(path, path, dice, text=True)
        return self._with_models(folder, dice.choice((SWAPPER, LANDMARKS)), home, dice), said, ("out.png",)

    def _stores(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        """What the store notes of its files."""
        home = self._home(folder, "stocked")
        notes = sorted((folder / "home" / "models").glob("*.json"))
        path = dice.choice((*notes, folder / "home" / "models" / "licences.json"))
        if not path.exists():
            path.write_text('{"insightface": "2026-01-01T00:00:00+00:00"}')
        said = self._written(path, path, dice, text=True)
        return self._with_models(folder, dice.choice((SWAPPER, LANDMARKS)), home, dice), said, ("out.png",)

    def _settings(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        path = dice.choice(sorted((self._material / "settings").iterdir()))
        if path.name == "all.json" or dice.random() < 0.5:
            path = path.with_name("all.json")
            data, said = revalued(path.read_bytes(), dice)  # else hardly a file would be read to its end
            (folder / path.name).write_bytes(data)
        else:
            said = self._written(path, folder / path.name, dice, text=True)
        if dice.random() < 0.3:
            return ("settings", "--settings", path.name, *dice.choice(((), ("--json",)))), said, ()
        shutil.copy(self._material / "photo.jpg", folder / "target.jpg")
        return (*self._swap(folder, "target.jpg", "out.png"), "--settings", path.name), said, ("out.png",)

    def _live(self, folder: Path, dice: random.Random) -> tuple[Sequence[str], str, Sequence[str]]:
        """A damaged clip as camera, and statistics over what was there."""
        name, said = self._damaged("videos", folder, dice)
        shutil.copy(self._material / "photo.jpg", folder / "photo.jpg")
        words = ("live", "-s", "photo.jpg", "--from", name, "--to", "out.mp4", "--seconds", "1")
        (folder / "stats.json").write_bytes(dice.randbytes(100))
        more = ("--stats", "stats.json", "--overwrite", "--consent", "fictional", *self._home(folder))
        return (*words, *more), said, ("out.mp4", "out.recording.mp4", "stats.json")

    def _looked_at(self, folder: Path, name: str, output: str, dice: random.Random) -> Sequence[str]:
        """A command that reads the file as a target."""
        how = dice.random()
        if how < 0.25:
            return ("faces", name)
        if how < 0.5:
            return ("inspect", name, *self._home(folder))
        return self._swap(folder, name, output)

    def _of_home(self, folder: Path, home: Sequence[str], dice: random.Random) -> Sequence[str]:
        """A command that reads the private folder."""
        shutil.copy(self._material / "photo.jpg", folder / "photo.jpg")
        shutil.copy(self._material / "signed" / "picture.jpg", folder / "signed.jpg")
        choices: list[Sequence[str]] = [
            ("ledger", "list"),
            ("ledger", "verify"),
            ("ledger", "verify", "--json"),
            ("ledger", "export", "out.jsonl"),
            ("consent", "list"),
            ("consent", "list", "--json"),
            ("consent", "grant", "photo.jpg", "--ground", "self"),
            ("consent", "revoke", "photo.jpg"),
            ("inspect", "signed.jpg"),
            ("swap", "-s", "photo.jpg", "-t", "photo.jpg", "-o", "out.png"),
            ("swap", "-s", "photo.jpg", "-t", "photo.jpg", "-o", "out.png", "--consent", "fictional"),
        ]
        return (*dice.choice(choices), *home)

    def _with_models(self, folder: Path, model: str, home: Sequence[str], dice: random.Random) -> Sequence[str]:
        """A command that uses the store."""
        shutil.copy(self._material / "photo.jpg", folder / "target.jpg")
        how = dice.random()
        if how < 0.1:
            return ("models", "list", *home)
        if how < 0.2:
            return ("models", "verify", *home)
        if how < 0.25:
            return ("models", "export", SWAPPER, "-o", "out.zip", *home)
        if model == LANDMARKS:
            return ("faces", "target.jpg", "--ask", model, *home)
        return (*self._swap(folder, "target.jpg", "out.png", home), "--engine", SWAPPER)

    def _swap(self, folder: Path, target: str, output: str, home: Sequence[str] | None = None) -> Sequence[str]:
        shutil.copy(self._material / "photo.jpg", folder / "photo.jpg")
        words = ("swap", "-s", "photo.jpg", "-t", target, "-o", output, "--consent", "fictional")
        return (*words, *(self._home(folder) if home is None else home))

    def _home(self, folder: Path, which: str = "home") -> Sequence[str]:
        shutil.copytree(self._material / which, folder / "home")
        return ("--home", "home")

    def _damaged(self, what: str, folder: Path, dice: random.Random) -> tuple[str, str]:
        """A damaged copy of one of the files of a kind: its name, and what was done."""
        path = dice.choice(sorted((self._material / what).iterdir()))
        return path.name, self._written(path, folder / path.name, dice)

    def _written(self, path: Path, target: Path, dice: random.Random, *, text: bool = False) -> str:
        others = [other.read_bytes() for other in sorted(path.parent.iterdir()) if other.suffix == path.suffix]
        data, how = damaged(path.read_bytes(), dice, others, text=text)
        target.write_bytes(data)
        return f"{target.name}: {how}"
