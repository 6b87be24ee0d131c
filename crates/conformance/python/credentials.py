"""The directory with credentials that RECADO_CREDENTIALS names (`src/credentials` describes it), and what is done with
them."""

import os
import pathlib
import ssl

CREDENTIALS = pathlib.Path(os.environ.get("RECADO_CREDENTIALS", "."))


def path(name):
    return str(CREDENTIALS / name)


def text(name):
    return (CREDENTIALS / name).read_text(encoding="utf-8")


def tls(name, more=""):
    """Configuration of a listener with this certificate."""
    return f'tls {{ cert_file: "{path(name + ".pem")}", key_file: "{path(name + ".key")}"\n{more} }}'


def trusting(authority="ca", client=None):
    """What a client trusts, and the certificate that it shows."""
    context = ssl.create_default_context(cafile=path(f"{authority}.pem"))
    if client:
        context.load_cert_chain(path(f"{client}.pem"), path(f"{client}.key"))
    return context


def spoken_errors(client):
    """The `-ERR` lines that this client gets from here on. Its `last_error` may already be that the connection is
    over."""
    said = []
    process = client._process_err

    async def note(message):
        said.append(message.lower())
        await process(message)

    client._process_err = note
    return said
