"""The key that outputs are signed with: made once on each installation, or the user's own.

An own certificate that this machine's clock takes for expired, or for not yet valid, is kept and another made beside
it: it may be the clock that is wrong, or was. Files signed with any of them are known as own.

The certificates follow what C2PA asks of a signer's (C2PA 2.x, "Certificate profile"): a P-256 root that may
only certify, and a leaf that may only sign. Nobody else vouches for them, so a reader elsewhere says "valid, the
signer is not on the trust list"; here the root is the anchor that tells own outputs from others'.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from understudy.errors import NoSpaceError, PrivacyError, SigningError, out_of_space
from understudy.interruptions import deferred
from understudy.provenance.records.home import Home, check_private, write_private
from understudy.regular import read_regular
from understudy.temporaries import FOLDER, Temporary
from understudy.text import unmarked

Algorithm = Literal["es256", "es384", "es512", "ps256", "ed25519"]
_DAY, _LIFE = dt.timedelta(days=1), dt.timedelta(days=3650)
#: Times that a certificate can name (RFC 5280, 4.1.2.5).
_FIRST, _LAST = (dt.datetime(year, 12, 31, tzinfo=dt.timezone.utc) for year in (1950, 9999))
#: What the library fails with for files that are damaged, or of kinds that it does not know.
_UNREADABLE = (ValueError, UnsupportedAlgorithm, OverflowError, x509.InvalidVersion)
#: Most bytes of a key or of certificates.
_LONGEST = 256_000
_CURVES: dict[str, Algorithm] = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class SigningOptions:
    """Whose signature outputs carry. Nothing set: this installation's.

    Attributes:
        certificate: PEM file with the signer's certificate and those above it.
        key: PEM file with its private key (PKCS8, no password), readable by its owner only.
        sign: In place of ``key``: a function from bytes to their signature, for keys that never leave their
            hardware. ``algorithm`` says which.
        algorithm: With ``sign``.

    Raises:
        ValueError: a certificate without a key or the other way round, or an algorithm that there is not.
    """

    certificate: Path | None = None
    key: Path | None = None
    sign: Callable[[bytes], bytes] | None = None
    algorithm: Algorithm = "es256"

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None and self.sign is None) or (self.key and self.sign):
            raise ValueError("signing needs a certificate and either its key or a function that signs")
        if self.algorithm not in get_args(Algorithm):
            raise ValueError(f"signing takes {', '.join(get_args(Algorithm))}, not {self.algorithm!r}")


@dataclass(frozen=True)
class SigningKey:
    """What is needed to sign.

    Attributes:
        chain: PEM of the signer's certificate and those above it.
        key: PEM of the private key; empty where ``sign`` does it.
        algorithm: As C2PA names it.
        sign: See ``SigningOptions``.
    """

    chain: bytes
    key: bytes
    algorithm: Algorithm
    sign: Callable[[bytes], bytes] | None = None

    @property
    def valid_from(self) -> dt.datetime:
        """When its certificate becomes valid, with its time zone."""
        return x509.load_pem_x509_certificates(self.chain)[0].not_valid_before_utc

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm})"  # never the key itself, not even in a traceback


def open_signing_key(home: Home, options: SigningOptions, now: dt.datetime | None = None) -> SigningKey:
    """The key to sign with; this installation's is made if there is none.

    Args:
        home: The private folder.
        options: Whose key.
        now: When that is, with its time zone; None for what this machine's clock says.

    Raises:
        PrivacyError: the key can be read by others.
        SigningError: a file is missing, or is no certificate or key, or they do not belong together, or the
            certificate is not valid today.
    """
    now = now or dt.datetime.now(dt.timezone.utc)
    if options.certificate is None:
        return _own_key(home, now)
    chain = _read(options.certificate)
    if options.sign is not None:
        return _checked(SigningKey(chain, b"", options.algorithm, options.sign), options.certificate, now)
    assert options.key is not None  # SigningOptions saw to it
    private = _read_key(options.key)
    return _checked(SigningKey(chain, private, _algorithm(private, options.key)), options.certificate, now)


def own_root(home: Home) -> bytes | None:
    """PEM of this installation's root certificates; None if it has signed nothing yet.

    What was signed is known by its certificate alone, so keys that are gone are not asked for.

    Raises:
        SigningError: one is missing.
    """
    roots = []
    for _, chain in _own_pairs(home, with_keys=False):
        root = _certificates(_read(chain), chain)[-1]
        if root.subject != root.issuer:
            raise SigningError(
                f"the root certificate is missing from {chain}", "Put it back, or move its folder aside."
            )
        roots.append(root.public_bytes(serialization.Encoding.PEM))
    return b"".join(roots) or None


def _own_key(home: Home, now: dt.datetime) -> SigningKey:
    """The key of this installation whose certificate is valid now; if there is none, a new one.

    None is ever removed: the clock may be wrong, or may have been when a certificate was made.
    """
    for attempt in (1, 2):
        pairs = _own_pairs(home)
        for key, chain in pairs:
            if _is_valid(_certificates(_read(chain), chain)[0], now):
                private = _read_key(key)
                return _checked(SigningKey(_read(chain), private, _algorithm(private, key)), chain, now)
        if attempt == 1:
            keys = home.root / "keys"
            _make(home, keys / f"renewed-{secrets.token_hex(4)}" if pairs else keys, now)
    raise SigningError("a new signing certificate is not valid by this machine's clock", "Set the clock.")


def _own_pairs(home: Home, *, with_keys: bool = True) -> list[tuple[Path, Path]]:
    """This installation's keys and certificates, the first one first; an incomplete pair is refused.

    Args:
        home: The private folder.
        with_keys: Whether the keys must be there, or the certificates do.

    Raises:
        SigningError: a file is missing.
    """
    folder = home.folder() / "keys"
    if not folder.exists():
        return []
    pairs = [(each / "signing.key", each / "signing.pem") for each in (folder, *sorted(folder.glob("renewed-*")))]
    for missing in [file for pair in pairs for file in pair[0 if with_keys else 1 :] if not file.exists()]:
        raise SigningError(
            f"the signing key is incomplete: {missing} is missing",
            f"Put it back, or move {missing.parent} aside: a new key is made, and outputs so far keep their signature.",
        )
    return pairs


def _is_valid(certificate: x509.Certificate, now: dt.datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _make(home: Home, folder: Path, now: dt.datetime) -> None:
    """Make a key of this installation and its certificates. The root's key is thrown away: it signs once."""
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, leaf_name = _name("Understudy installation"), _name("Understudy")
    root_id = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    root = (
        _certificate(root_name, root_name, root_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certify=True), critical=True)
        .add_extension(root_id, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        _certificate(leaf_name, root_name, leaf_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certify=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(leaf_key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_id), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with deferred():
        try:
            _put(folder, {"signing.key": private, "signing.pem": leaf.public_bytes(pem) + root.public_bytes(pem)})
        except OSError as fault:
            if isinstance(fault, NoSpaceError) or out_of_space(fault):
                hint = "Free some space, or name another private folder with --home."
                raise NoSpaceError(home.root, hint) from fault
            if not folder.exists():  # and no other process has made it
                raise PrivacyError(f"can't make the signing key: {fault.strerror}", f"Check {home.root}.") from fault


def _put(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a private folder with files: all at once, and only one where two processes begin together.

    Raises:
        OSError: it can't be made, or is there.
    """
    temporary = Temporary(folder, 0o600)
    try:
        made = temporary.path.with_name(temporary.path.name + FOLDER)
        made.mkdir(mode=0o700)
        for name, data in files.items():
            write_private(made / name, data)
        made.rename(folder)
    finally:
        temporary.remove()


def _name(common: str) -> x509.Name:
    """A name that says nothing of the user or the machine."""
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Understudy"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(now, _FIRST + _DAY) - _DAY)  # clocks differ
        .not_valid_after(min(now, _LAST - _LIFE) + _LIFE)
    )


def _usage(*, certify: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certify,
        key_cert_sign=certify,
        crl_sign=certify,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _read(path: Path) -> bytes:
    try:
        return unmarked(read_regular(path, _LONGEST))
    except OSError as fault:
        raise SigningError(f"can't read {path}: {fault.strerror}", "Check --signing-cert and --signing-key.") from fault


def _read_key(path: Path) -> bytes:
    data = _read(path)
    try:
        check_private(path)
    except PrivacyError as fault:
        raise PrivacyError(f"the signing key is open to others: {path}", fault.hint) from fault
    return data


def _algorithm(key: bytes, path: Path) -> Algorithm:
    """What a private key signs with."""
    hint = "It must be a PEM file (PKCS8) without a password: P-256, P-384, P-521, RSA or Ed25519."
    try:
        private = serialization.load_pem_private_key(key, None)
    except (*_UNREADABLE, TypeError) as fault:
        raise SigningError(f"not a private key: {path}", hint) from fault
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        return _CURVES[private.curve.name]
    if isinstance(private, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise SigningError(f"this kind of key can't sign Content Credentials: {path}", hint)


def _certificates(chain: bytes, path: Path) -> list[x509.Certificate]:
    try:
        certificates = x509.load_pem_x509_certificates(chain)
        for certificate in certificates:  # read as far as it is used: some faults show only then
            certificate.public_key()
            _ = certificate.subject, certificate.issuer, certificate.not_valid_before_utc
            _ = certificate.not_valid_after_utc, certificate.signature_hash_algorithm
        return certificates
    except _UNREADABLE as fault:
        raise SigningError(
            f"not a certificate: {path}", "It must be PEM: the signer's first, then those above."
        ) from fault


def _checked(key: SigningKey, path: Path, now: dt.datetime) -> SigningKey:
    """The key, if its certificate is valid now and belongs to it."""
    leaf, *above = _certificates(key.chain, path)
    if not _is_valid(leaf, now):
        early = now < leaf.not_valid_before_utc
        raise SigningError(
            f"the signing certificate is valid from {leaf.not_valid_before_utc:%Y-%m-%d} "
            f"to {leaf.not_valid_after_utc:%Y-%m-%d}, and this machine's clock says {now:%Y-%m-%d}: {path}",
            "Set the clock, or name a certificate that is valid." if early else "Renew it, if the clock is right.",
        )
    for lower, upper in zip((leaf, *above), above, strict=False):
        try:
            lower.verify_directly_issued_by(upper)
        except (*_UNREADABLE, TypeError, InvalidSignature) as fault:
            raise SigningError(
                f"the certificates in {path} are not a chain: one was not issued by the next",
                "The signer's comes first, then the one that issued it, and so on.",
            ) from fault
    if key.sign is None:
        private = serialization.load_pem_private_key(key.key, None)
        spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        if private.public_key().public_bytes(*spki) != leaf.public_key().public_bytes(*spki):
            raise SigningError(
                f"the signing key is not the certificate's: {path}", "Name a pair that belongs together."
            )
    return key
