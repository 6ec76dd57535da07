"""Content Credentials (C2PA 2.x): what was done to what by which engine, signed.

The manifest names the target as parent (with the target's own manifest, if it has one: marks that are there are
never stripped) and the photos as components. A photo is named by its digest only: neither its picture nor a
manifest of its own goes in, because either would carry the face on. Nothing here reaches the network: no
time-stamp authority, no OCSP, no remote manifests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import c2pa

from understudy.errors import NoSpaceError, SigningError
from understudy.provenance.keys import SigningKey
from understudy.provenance.metadata import PRODUCER, SOURCE_TYPE_ROOT
from understudy.release import SIDECAR_SUFFIX
from understudy.version import __version__

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
_BYTES: Final = "application/octet-stream"
_OFFLINE: Final[dict[str, Any]] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
    "builder": {"thumbnail": {"enabled": False}},
}

State = Literal["valid", "altered", "absent", "unreadable"]


@dataclass(frozen=True)
class Work:
    """What was done, for the manifest.

    Attributes:
        identifier: The output's id, which its mark carries too.
        engine: Name of the engine.
        source_type: IPTC's digital source type (see ``metadata``).
        target: The file that was swapped; None for live output.
        target_digest: Its SHA-256.
        source_digests: SHA-256 of the photos.
    """

    identifier: int
    engine: str
    source_type: str
    target: Path | None
    target_digest: str
    source_digests: tuple[str, ...]


@dataclass(frozen=True)
class Credentials:
    """What a file's Content Credentials say.

    Attributes:
        state: ``valid``: signed, and the file is as it was then. ``altered``: it is not, or the signature is
            broken. ``absent``: it has none. ``unreadable``: they can't be read.
        own: Whether this installation's key signed them.
        signer: Who the certificate says it is: anyone can write that, unless ``own``.
        tool: Name and version of the program that made them, as they say.
        identifier: The id of the mark that they name; None if none.
        source_type: IPTC's digital source type of the last action.
        ingredients: Titles and roles of what went in.
        time: When the signer says it was signed.
        problems: Codes of what does not hold (C2PA 2.x, "Standard status codes").
        sidecar: Whether they are in a file of their own.
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

    @property
    def ours(self) -> bool:
        """Whether they say that this program (here or elsewhere) made the file."""
        return self.tool is not None and self.tool.split("/")[0] == PRODUCER


def sign_file(path: Path, final: Path, work: Work, key: SigningKey) -> Path | None:
    """Sign a finished file in place.

    Args:
        path: The file, under its temporary name.
        final: What it will be called.
        work: What was done.
        key: Whose signature.

    Returns:
        None, or the sidecar (under a temporary name beside the file) where the format carries no credentials.

    Raises:
        SigningError, NoSpaceError: it can't be signed; ``path`` is as it was.
    """
    kind = EMBEDDABLE.get(final.suffix.lower())
    signed = path.with_name(f"{path.name}.signed{final.suffix}")
    sidecar = path.with_name(f"{path.name}{SIDECAR_SUFFIX}")
    try:
        builder = _builder(work, final.name)
        with builder, _signer(key) as signer, path.open("rb") as plain:
            if kind is None:
                builder.set_no_embed()
                with signed.open("w+b") as copy:
                    sidecar.write_bytes(builder.sign(signer, _BYTES, plain, copy))
                return sidecar
            with signed.open("w+b") as copy:
                builder.sign(signer, kind, plain, copy)
        signed.replace(path)
    except (c2pa.C2paError, OSError) as fault:
        sidecar.unlink(missing_ok=True)
        if getattr(fault, "errno", None) == 28 or "os error 28" in str(fault) or "No space" in str(fault):
            raise NoSpaceError(final) from fault
        raise SigningError(
            f"can't sign {final.name}: {_first_line(fault)}",
            "Nothing was released. If it is your own certificate: does it suit C2PA (see docs/signing.md)?",
        ) from fault
    finally:
        signed.unlink(missing_ok=True)
    return None


def _signer(key: SigningKey) -> Any:
    if key.sign is not None:
        algorithm = c2pa.C2paSigningAlg[key.algorithm.upper()]
        return c2pa.Signer.from_callback(key.sign, algorithm, key.chain.decode(), None)
    return c2pa.Signer.from_info(c2pa.C2paSignerInfo(key.algorithm.encode(), key.chain, key.key, None))


def _builder(work: Work, title: str) -> Any:
    builder = c2pa.Builder.from_json(json.dumps(_manifest(work, title)), context=c2pa.Context.from_dict(_OFFLINE))
    if work.target is not None:
        parent = {"title": work.target.name, "relationship": "parentOf", "label": "target"}
        kind = EMBEDDABLE.get(work.target.suffix.lower(), _BYTES)
        with work.target.open("rb") as file:
            try:
                builder.add_ingredient(json.dumps(parent), kind, file)
            except c2pa.C2paError:
                # A name that lies about the content, or content that C2PA's reader can't parse: its bytes, then.
                file.seek(0)
                builder.add_ingredient(json.dumps(parent), _BYTES, file)
    return builder


def _manifest(work: Work, title: str) -> dict[str, Any]:
    agent = {"name": f"{PRODUCER} {work.engine} engine", "version": __version__}
    sources = [f"source{number}" for number in range(1, len(work.source_digests) + 1)]
    first: dict[str, Any] = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["target"]}}
    if work.target is None:
        first = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE_ROOT + work.source_type}
    edited = {
        "action": "c2pa.edited",
        "description": "A face was replaced, and the result labelled and marked.",
        "digitalSourceType": SOURCE_TYPE_ROOT + work.source_type,
        "softwareAgent": agent,
        "parameters": {"ingredientIds": sources},
    }
    photos = [
        {
            "title": f"source photo {number}",
            "relationship": "componentOf",
            "label": label,
            "instance_id": f"urn:sha256:{digest}",
        }
        for number, (label, digest) in enumerate(zip(sources, work.source_digests, strict=True), 1)
    ]
    binding = {"alg": WATERMARK_ALGORITHM, "blocks": [{"scope": {}, "value": f"{work.identifier:012x}"}]}
    return {
        "claim_generator_info": [{"name": PRODUCER, "version": __version__}],
        "title": title,
        "ingredients": photos,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [first, edited]}},
            {"label": "c2pa.soft-binding", "data": binding},
        ],
    }


def read_credentials(path: Path, own_root: bytes | None) -> Credentials:
    """What a file's credentials say, embedded or beside it.

    Args:
        path: Any file.
        own_root: PEM of this installation's root certificate; None if there is none.
    """
    settings = dict(_OFFLINE)
    if own_root is not None:
        settings["trust"] = {"user_anchors": own_root.decode()}
    sidecar = path.with_name(path.name + SIDECAR_SUFFIX)
    kind = EMBEDDABLE.get(path.suffix.lower())
    try:
        context = c2pa.Context.from_dict(settings)
        if kind is None or (sidecar.exists() and c2pa.Reader.try_create(path, context=context) is None):
            if not sidecar.exists():
                return Credentials("absent")
            with path.open("rb") as file:
                return _said(c2pa.Reader(_BYTES, file, sidecar.read_bytes(), context=context), sidecar=True)
        reader = c2pa.Reader.try_create(path, context=context)
        return Credentials("absent") if reader is None else _said(reader, sidecar=False)
    except c2pa.C2paError.NotSupported:
        return Credentials("absent")
    except c2pa.C2paError as fault:
        return Credentials("unreadable", problems=(_first_line(fault),))


def _said(reader: Any, *, sidecar: bool) -> Credentials:
    with reader:
        store = json.loads(reader.json())
        state = reader.get_validation_state()
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    problems = [status["code"] for status in store.get("validation_status", [])]
    own = state == "Trusted"
    generator = (manifest.get("claim_generator_info") or [{}])[0]
    signature = manifest.get("signature_info", {})
    actions = _assertion(manifest, "c2pa.actions").get("actions", [])
    types = [action["digitalSourceType"] for action in actions if "digitalSourceType" in action]
    return Credentials(
        state="valid" if state in ("Valid", "Trusted") else "altered",
        own=own,
        signer=", ".join(filter(None, (signature.get("common_name"), signature.get("issuer")))) or None,
        tool=f"{generator['name']}/{generator.get('version', '?')}" if "name" in generator else None,
        identifier=_identifier(_assertion(manifest, "c2pa.soft-binding")),
        source_type=types[-1].rsplit("/", 1)[-1] if types else None,
        ingredients=tuple(_ingredients(manifest.get("ingredients", []))),
        time=signature.get("time"),
        problems=tuple(dict.fromkeys(problems)),
        sidecar=sidecar,
    )


def _assertion(manifest: Mapping[str, Any], label: str) -> dict[str, Any]:
    for assertion in manifest.get("assertions", []):
        if assertion.get("label", "").startswith(label) and isinstance(assertion.get("data"), dict):
            return dict(assertion["data"])
    return {}


def _identifier(binding: Mapping[str, Any]) -> int | None:
    if binding.get("alg") != WATERMARK_ALGORITHM:
        return None
    try:
        return int(binding["blocks"][0]["value"], 16)
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _ingredients(found: Sequence[Mapping[str, Any]]) -> list[str]:
    roles = {"parentOf": "target", "componentOf": "source", "inputTo": "input"}
    return [
        f"{roles.get(str(item.get('relationship')), '?')}: {item.get('title', '?')}"
        + (" (with credentials of its own)" if item.get("active_manifest") else "")
        for item in found
    ]


def _first_line(fault: BaseException) -> str:
    return " ".join(str(fault).split())[:200]
