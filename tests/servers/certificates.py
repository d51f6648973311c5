"""An authority of a test's own, and servers that end TLS with its certificates."""

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


class Authority:
    """Signs certificates. `file` has its own; made anew in the same folder it is the same authority."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.file, key_file = folder, folder / "authority.pem", folder / "authority.key"
        self._name = _named("An authority of our own")
        if key_file.exists():
            known = serialization.load_pem_private_key(key_file.read_bytes(), None)
            assert isinstance(known, ec.EllipticCurvePrivateKey)
            self._key = known
            return
        self._key = ec.generate_private_key(ec.SECP256R1())
        key_file.write_bytes(_private(self._key))
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        own = self._builder(self._name, self._key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file.write_bytes(self._signed(own.add_extension(usage, critical=True)))

    def context(self, host: str) -> ssl.SSLContext:
        """What a server for that host, a name or an address, answers with."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        builder = self._builder(_named(host), key.public_key())
        builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        chain = self._folder / f"{host}.pem"
        chain.write_bytes(self._signed(builder) + _private(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        issuer = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
        )

    def _signed(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self._key, hashes.SHA256()).public_bytes(_PEM)


@contextmanager
def tls_relay(port: int, context: ssl.SSLContext) -> Iterator[int]:
    """The port of a relay that ends TLS, and hands what is said to `port` of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()
        accepting = threading.Thread(target=_accept, args=(listener, port, context, over), daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            with suppress(OSError):
                socket.create_connection(listener.getsockname()).close()
            accepting.join(10)


def _accept(listener: socket.socket, port: int, context: ssl.SSLContext, over: threading.Event) -> None:
    threads = []
    while True:
        client, _ = listener.accept()
        if over.is_set():
            client.close()
            break
        threads.append(threading.Thread(target=_relay, args=(client, port, context), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join(10)


def _relay(plain: socket.socket, port: int, context: ssl.SSLContext) -> None:
    plain.settimeout(10)
    with (
        plain,
        suppress(OSError),
        context.wrap_socket(plain, server_side=True) as client,
        socket.create_connection(("127.0.0.1", port), timeout=10) as server,
    ):
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)
        back.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
