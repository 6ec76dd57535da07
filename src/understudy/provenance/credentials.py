"""Content Credentials (C2PA 2.x) of a file: what they say, and whether they hold. Nothing reaches the network."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import c2pa

from understudy.interruptions import give_up_if_interrupted, undisturbed
from understudy.provenance.carriers import MOST_VIDEO, UnwieldyError, carries_credentials
from understudy.provenance.metadata import PRODUCER
from understudy.regular import check_regular, read_regular
from understudy.release import SIDECAR_MOST, is_sidecar, sidecar_of
from understudy.text import printable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: What the mark is called in the manifest's soft binding.
WATERMARK_ALGORITHM: Final = "org.understudy.watermark.1"
#: Types that Content Credentials can be written into; others get a sidecar.
EMBEDDABLE: Final[Mapping[str, str]] = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".avif": "image/avif",
}
#: What a type without a handler is called: its bytes are signed as they are.
BYTES: Final = "application/octet-stream"
_MAGIC: Final[Mapping[bytes, str]] = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}
#: No network, no thumbnails; and of what the library writes it holds no more than 64 MB in memory, the rest in an
#: unnamed file in the system's folder for temporary files. By itself it holds 512 MB, twice for what gets a sidecar.
OFFLINE: Final[dict[str, Any]] = {
    "core": {"backing_store_memory_threshold_in_mb": 64},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
    "builder": {"thumbnail": {"enabled": False}},
}

State = Literal["valid", "lapsed", "altered", "absent", "unreadable"]


@dataclass(frozen=True)
class Credentials:
    """What a file's Content Credentials say.

    Attributes:
        state: ``valid``: signed, and the file is as it was then. ``lapsed``: the file is as it was, but the signer's
            certificate has expired or does not suit. ``altered``: it is not, or the signature is broken.
            ``absent``: it has none. ``unreadable``: they can't be read.
        own: Whether this installation's key signed them.
        signer: Who the certificate says it is: anyone can write that, unless ``own``.
        tool: Name and version of the program that made them, as they say.
        identifier: The id of the mark that they name; None if none.
        source_type: IPTC's digital source type of the last action.
        ingredients: Titles and roles of what went in.
        time: When the signer says it was signed.
        problems: Codes of what does not hold (C2PA 2.x, "Standard status codes").
        sidecar: Whether they are in a file of their own.
        earlier: Outputs of this program that went in, at whatever step, as they say: ids of marks, or the program's
            name and version where they name no mark.
    """

    state: State
    own: bool = False
    signer: str | None = None
    tool: str | None = None
    identifier: int | None = None
    source_type: str | None = None
    ingredients: tuple[str, ...] = ()
    time: str | None = None
    problems: tuple[str, ...] = ()
    sidecar: bool = False
    earlier: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        """Whether they say that this program (here or elsewhere) made the file."""
        return _is_ours(self.tool)


def read_credentials(path: Path, own_root: bytes | None) -> Credentials:
    """What a file's credentials say, embedded or beside it.

    Args:
        path: Any file.
        own_root: PEM of this installation's root certificate; None if there is none.
    """
    return undisturbed(lambda: _read(path, own_root))


def _read(path: Path, own_root: bytes | None) -> Credentials:
    settings = dict(OFFLINE)
    if own_root is not None:
        settings["trust"] = {"user_anchors": own_root.decode()}
    sidecar = sidecar_of(path)
    kind = media_type(path)
    try:
        context = c2pa.Context.from_dict(settings)
        inside = kind is not None and carries_credentials(path, kind)
        with Interruptible(path) as file:
            reader = c2pa.Reader.try_create(kind, file, context=context) if inside else None
            if reader is not None:
                return _said(reader, sidecar=False)
            beside = _beside(sidecar)
            if beside is None:
                return Credentials("absent")
            if path.stat().st_size > MOST_VIDEO:
                raise UnwieldyError(f"{path.name} is too large to be compared with {sidecar.name}")
            file.seek(0)
            # What lies beside was signed over the bytes, whatever their type.
            return _said(c2pa.Reader(BYTES, file, beside, context=context), sidecar=True)
    except c2pa.C2paError.NotSupported:
        return Credentials("absent")
    except (c2pa.C2paError, OSError, UnwieldyError) as fault:
        return Credentials("unreadable", problems=(first_line(fault),))


class Interruptible(io.BufferedReader):
    """A file that compiled code reads. Reading fails, and with it what the code is about, when that is interrupted."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path, "r"))

    def read(self, size: int | None = -1) -> bytes:
        """See ``io.BufferedReader``."""
        give_up_if_interrupted()
        return super().read(size)

    def readinto(self, buffer: WriteableBuffer) -> int:
        """See ``io.BufferedReader``."""
        give_up_if_interrupted()
        return super().readinto(buffer)


def _beside(sidecar: Path) -> bytes | None:
    """What is in a sidecar; None if there is none.

    Raises:
        OSError: it can't be read, or is no file.
    """
    try:
        check_regular(sidecar, SIDECAR_MOST)
    except FileNotFoundError:
        return None
    return read_regular(sidecar, SIDECAR_MOST) if is_sidecar(sidecar) else None


def media_type(path: Path) -> str | None:
    """The type that a file's content shows, whatever its name says; None for one that carries no credentials."""
    with path.open("rb") as file:
        head = file.read(16)
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return {b"qt  ": "video/quicktime", b"avif": "image/avif", b"avis": "image/avif"}.get(brand, "video/mp4")
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"AVI ": "video/avi"}.get(head[8:12])
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def _said(reader: Any, *, sidecar: bool) -> Credentials:
    with reader:
        store = json.loads(reader.json())
        state = reader.get_validation_state()
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    problems = [status["code"] for status in store.get("validation_status", [])]
    own = state == "Trusted"
    signature = manifest.get("signature_info", {})
    actions = _assertion(manifest, "c2pa.actions").get("actions", [])
    types = [action["digitalSourceType"] for action in actions if "digitalSourceType" in action]
    return Credentials(
        state="valid" if state in ("Valid", "Trusted") else _broken(problems),
        own=own,
        signer=printable(", ".join(filter(None, (signature.get("common_name"), signature.get("issuer"))))) or None,
        tool=_tool(manifest),
        identifier=_identifier(_assertion(manifest, "c2pa.soft-binding")),
        source_type=types[-1].rsplit("/", 1)[-1] if types else None,
        ingredients=tuple(_ingredients(manifest.get("ingredients", []))),
        time=signature.get("time"),
        problems=tuple(dict.fromkeys(problems)),
        sidecar=sidecar,
        earlier=tuple(_earlier(store)),
    )


def _tool(manifest: Mapping[str, Any]) -> str | None:
    """Name and version of the program that made a manifest."""
    generator = (manifest.get("claim_generator_info") or [{}])[0]
    return printable(f"{generator['name']}/{generator.get('version', '?')}") if "name" in generator else None


def _is_ours(tool: str | None) -> bool:
    return tool is not None and tool.split("/")[0] == PRODUCER


def _earlier(store: Mapping[str, Any]) -> list[str]:
    """Outputs of this program among what went in: of what went into that, too."""
    manifests, found = store.get("manifests", {}), dict[str, None]()
    seen, coming = set[str](), [str(store.get("active_manifest"))]
    while coming:
        manifest = manifests.get(coming.pop(), {})
        for ingredient in manifest.get("ingredients", []):
            label = str(ingredient.get("active_manifest"))
            if label in seen or label not in manifests:
                continue
            seen.add(label)
            coming.append(label)
            tool, identifier = _tool(manifests[label]), _identifier(_assertion(manifests[label], "c2pa.soft-binding"))
            if tool is not None and _is_ours(tool):
                found[tool if identifier is None else f"{identifier:012x}"] = None
    return list(found)


def _broken(problems: Sequence[str]) -> State:
    """What credentials are that do not hold."""
    signer_only = ("signingCredential.", "claimSignature.outsideValidity", "timeStamp.")
    return "lapsed" if problems and all(code.startswith(signer_only) for code in problems) else "altered"


def _assertion(manifest: Mapping[str, Any], label: str) -> dict[str, Any]:
    for assertion in manifest.get("assertions", []):
        if assertion.get("label", "").startswith(label) and isinstance(assertion.get("data"), dict):
            return dict(assertion["data"])
    return {}


def _identifier(binding: Mapping[str, Any]) -> int | None:
    if binding.get("alg") != WATERMARK_ALGORITHM:
        return None
    try:
        value = str(binding["blocks"][0]["value"])
    except (KeyError, IndexError, TypeError):
        return None
    return int(value, 16) if re.fullmatch("[0-9a-f]{12}", value) else None


def _ingredients(found: Sequence[Mapping[str, Any]]) -> list[str]:
    roles = {"parentOf": "target", "componentOf": "source", "inputTo": "input"}
    return [
        f"{roles.get(str(item.get('relationship')), '?')}: {printable(item.get('title', '?'))}"
        + (" (with credentials of its own)" if item.get("active_manifest") else "")
        for item in found
    ]


def first_line(fault: BaseException) -> str:
    """What an error says, fit for one line."""
    return printable(" ".join(str(fault).split()))[:200]
