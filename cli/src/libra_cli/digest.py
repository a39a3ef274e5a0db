"""`libra digest URL`: the digest of a page's body, as a check of the config compares it."""
# ruff: noqa: FBT002, PLC0415, PLR0913, PLR0917 - typer makes options of parameters, and each
# command imports what it needs itself

from pathlib import Path
from typing import Annotated

import typer

from libra_cli.options import Json
from libra_cli.output import print_json

USUAL_BODY = 64 * 1024
"""Bytes that a check looks at where nobody wrote `max_body`."""


def add_to(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command()(digest)


def digest(
    url: Annotated[str, typer.Argument(metavar="URL", help="http:// or https:// of the page.")],
    host: Annotated[
        str | None, typer.Option("--host", help="The check's host, where the URL's is another.")
    ] = None,
    md5: Annotated[bool, typer.Option("--md5", help="MD5 in place of SHA-256.")] = False,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", help="Trust these certificates (PEM).")
    ] = None,
    certificate_file: Annotated[
        Path | None, typer.Option("--certificate-file", help="Ours, with its key (PEM).")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Take the page from whoever answers.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the digest of a page, to be put into a check `http` or `https`."""
    import hashlib

    from libra_cli.page import Trust, fetch

    body = fetch(url, host, Trust(ca_file, certificate_file, verifies=not insecure))
    algorithm = "md5" if md5 else "sha256"
    value = hashlib.new(algorithm, body, usedforsecurity=False).hexdigest()
    if as_json:
        print_json({"url": url, "bytes": len(body), algorithm: value})
        return
    print(f"digest: {{{algorithm}: {value}}}")
    if len(body) > USUAL_BODY:
        print(f"max_body: {len(body)}")
