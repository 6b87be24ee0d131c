"""An authority of RSA keys and its responder of OCSP, both made by the package cryptography: neither knows the server's code."""

import datetime
import http.server
import os
import tempfile
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

HOUR = datetime.timedelta(hours=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Signs certificates into files, and says which of them were revoked."""

    def __init__(self):
        self._dir = tempfile.TemporaryDirectory(prefix="recado-ocsp-")
        self._key = rsa.generate_private_key(65537, 2048)
        self._statuses = {}
        self.asked = 0
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        ca = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = self._sign("authority", self._key, [(ca, True)])
        # Answers are signed by somebody whom the authority lets sign them.
        signs = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
        self._signer_key = rsa.generate_private_key(65537, 2048)
        self._signer = self._sign("signer", self._signer_key, [(signs, False)])
        self.ca_file = self._write("ca.pem", self._certificate)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()
        self._dir.cleanup()

    def issue(self, who, names=(), must_staple=False):
        """Files of a certificate that names the responder, and of its key; it is good until it is said otherwise."""
        key = rsa.generate_private_key(65537, 2048)
        place = x509.UniformResourceIdentifier(self.url)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
        extensions = [(x509.AuthorityInformationAccess([access]), False)]
        if names:
            alternatives = [x509.DNSName(one) for one in names]
            extensions.append((x509.SubjectAlternativeName(alternatives), False))
        if must_staple:
            extensions.append((x509.TLSFeature([x509.TLSFeatureType.status_request]), False))
        certificate = self._sign(who, key, extensions)
        self.says(who, ocsp.OCSPCertStatus.GOOD)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        key_file = os.path.join(self._dir.name, f"{who}.key")
        with open(key_file, "wb") as file:
            file.write(pem)
        return self._write(f"{who}.pem", certificate), key_file

    def says(self, who, status):
        """What the responder says from now on of the certificate of somebody."""
        self._statuses[self._serial(who)] = status

    def close_responder(self):
        """Nobody answers there any more."""
        self._http.shutdown()
        self._http.server_close()

    @staticmethod
    def _serial(who):
        return int.from_bytes(who.encode(), "big")

    def _sign(self, who, key, extensions):
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(who))
            .issuer_name(name("authority"))
            .public_key(key.public_key())
            .serial_number(self._serial(who))
            .not_valid_before(now() - HOUR)
            .not_valid_after(now() + 24 * HOUR)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self._key, hashes.SHA256())

    def _write(self, file_name, certificate):
        path = os.path.join(self._dir.name, file_name)
        with open(path, "wb") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def _answer(self, question):
        request = ocsp.load_der_ocsp_request(question)
        status = self._statuses.get(request.serial_number, ocsp.OCSPCertStatus.UNKNOWN)
        revoked = status == ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer_name_hash=request.issuer_name_hash,
            issuer_key_hash=request.issuer_key_hash,
            serial_number=request.serial_number,
            algorithm=request.hash_algorithm,
            cert_status=status,
            this_update=now() - HOUR,
            next_update=now() + HOUR,
            revocation_time=now() - HOUR if revoked else None,
            revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self._signer)
        builder = builder.certificates([self._signer])
        answer = builder.sign(self._signer_key, hashes.SHA256())
        return answer.public_bytes(serialization.Encoding.DER)

    def _handler(authority):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self._respond(self.rfile.read(int(self.headers["Content-Length"])))

            def do_GET(self):
                import base64
                import urllib.parse

                self._respond(base64.b64decode(urllib.parse.unquote(self.path.lstrip("/"))))

            def _respond(self, question):
                authority.asked += 1
                answer = authority._answer(question)
                self.send_response(200)
                self.send_header("Content-Type", "application/ocsp-response")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        return Handler
