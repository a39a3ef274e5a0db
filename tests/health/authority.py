"""Certificates for tests: a CA, and what it signs."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """A CA whose files lie in `where`; `ca.pem` is its own certificate."""

    where: Path
    name: str = "a CA of the tests"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def ca(self) -> str:
        """Write the CA's own certificate."""
        path = self.where / "ca.pem"
        if not path.exists():
            constraint = x509.BasicConstraints(ca=True, path_length=None)
            made = self._begun(_named(self.name), self.key, 3650).add_extension(constraint, True)
            path.write_bytes(self._signed(made))
        return str(path)

    def issue(self, *names: str, days: float = 90, key: Path | None = None) -> str:
        """Write a certificate for DNS names and addresses, and its key unless `key` takes it.

        `days` that it is valid from now; negative: it expired.
        """
        own = ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
        made = self._begun(_named(names[0]), own, days).add_extension(alternatives, False)
        path = self.where / f"{names[0]}_{days}.pem"
        secret = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        if key is not None:
            key.write_bytes(secret)
        path.write_bytes(self._signed(made) + (b"" if key else secret))
        return str(path)

    def _begun(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: float
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=3650))
            .not_valid_after(now + timedelta(days=days))
        )

    def _signed(self, made: x509.CertificateBuilder) -> bytes:
        return made.sign(self.key, SHA256()).public_bytes(Encoding.PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
