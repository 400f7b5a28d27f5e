"""Serves HTTP/3 on UDP port 443 and, with --alt-svc, HTTP/1.1 over TLS on TCP port 443, whose
answers say that HTTP/3 is there (RFC 7838).

- /transport has `quic` or `tcp`.
- /held has nothing, and its answer comes when there is a file `go-on` beside the page.
- /noted has nothing: its query is for the log.
- Any other path has the page.

The log is the standard output: `ready` when the ports are bound, then a line for each request, with
the host, the transport, the path and the query. A connection is closed after one answer, and after
half a second without a request."""

import argparse
import asyncio
import pathlib
import ssl
import urllib.parse

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.h3.connection import H3_ALPN, ErrorCode, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import HandshakeCompleted
from aioquic.quic.packet import QuicProtocolVersion

VERSIONS = {1: QuicProtocolVersion.VERSION_1, 2: QuicProtocolVersion.VERSION_2}
# How long a connection stays open without a request, and after its only answer.
UNUSED = 0.5
ANSWERED = 0.05


class Pages:
    """What is at which path."""

    def __init__(self, page):
        self.page = pathlib.Path(page)

    async def at(self, target, host, transport):
        path, _, query = target.partition("?")
        print(host, transport, path, urllib.parse.unquote(query), flush=True)
        text = ""
        if path == "/transport":
            text = transport
        elif path == "/held":
            while not self.page.with_name("go-on").exists():
                await asyncio.sleep(0.05)
        elif path != "/noted":
            text = self.page.read_text()
        return text.encode()


class Http3(QuicConnectionProtocol):
    """A connection for one request: the next one needs a connection, and a hello, of its own."""

    pages = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.end = None

    def quic_event_received(self, event):
        if isinstance(event, HandshakeCompleted):
            self.close_after(UNUSED)
        for event in self.http.handle_event(event):
            if isinstance(event, HeadersReceived):
                self.end.cancel()
                answer = self.answer(event.stream_id, dict(event.headers))
                self.answering = asyncio.ensure_future(answer)

    async def answer(self, stream, headers):
        host, target = headers[b":authority"].decode(), headers[b":path"].decode()
        page = await self.pages.at(target, host, "quic")
        fields = [(b":status", b"200"), (b"content-type", b"text/html")]
        self.http.send_headers(stream_id=stream, headers=fields)
        self.http.send_data(stream_id=stream, data=page, end_stream=True)
        self.transmit()
        self.close_after(ANSWERED)

    def close_after(self, seconds):
        loop = asyncio.get_running_loop()
        self.end = loop.call_later(seconds, self.close, ErrorCode.H3_NO_ERROR)


async def answer_over_tcp(pages, reader, writer):
    """One request, and the end of the connection."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), UNUSED)
        request, *lines = head.decode().split("\r\n")
        host = next(line[len("host: ") :] for line in lines if line.lower().startswith("host: "))
        page = await pages.at(request.split(" ")[1], host, "tcp")
        fields = [
            "HTTP/1.1 200 OK",
            "content-type: text/html",
            f"content-length: {len(page)}",
            'alt-svc: h3=":443"; ma=3600',
            "connection: close",
        ]
        writer.write("\r\n".join([*fields, "", ""]).encode() + page)
        await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.TimeoutError, OSError):
        # Opened in advance and not used, or reset.
        pass
    finally:
        writer.close()


async def main(args):
    pages = Pages(args.page)
    Http3.pages = pages
    configuration = QuicConfiguration(
        alpn_protocols=H3_ALPN,
        is_client=False,
        supported_versions=[VERSIONS[version] for version in args.versions],
    )
    configuration.load_cert_chain(args.certificate, args.key)
    for address in args.addresses:
        await serve(
            address, 443, configuration=configuration, create_protocol=Http3, retry=args.retry
        )
    if args.alt_svc:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(args.certificate, args.key)
        await asyncio.start_server(
            lambda *streams: answer_over_tcp(pages, *streams), args.addresses, 443, ssl=tls
        )
    print("ready", flush=True)
    await asyncio.Event().wait()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("addresses", nargs="+")
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--page", required=True)
    parser.add_argument("--versions", type=int, nargs="+", choices=VERSIONS, default=[1])
    parser.add_argument("--retry", action="store_true")
    parser.add_argument("--alt-svc", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
