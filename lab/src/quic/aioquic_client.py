"""Asks for one page over HTTP/3 and prints one line: `page VERSION RETRIES TEXT`, or
`timed-out SECONDS` where no answer came."""

import argparse
import asyncio
import pathlib
import ssl
import time

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated
from aioquic.quic.packet import QuicProtocolVersion

VERSIONS = {1: QuicProtocolVersion.VERSION_1, 2: QuicProtocolVersion.VERSION_2}


class Client(QuicConnectionProtocol):
    """One connection with one request."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.page = b""
        self.ended = asyncio.Event()
        # Why the connection ended before the page did.
        self.reason = None

    async def get(self, name):
        begun = time.monotonic()
        stream = self._quic.get_next_available_stream_id()
        fields = [(":method", "GET"), (":scheme", "https"), (":authority", name), (":path", "/")]
        headers = [(key.encode(), value.encode()) for key, value in fields]
        self.http.send_headers(stream_id=stream, headers=headers, end_stream=True)
        self.transmit()
        await self.ended.wait()
        if self.reason == "Idle timeout":
            return f"timed-out {time.monotonic() - begun:.3f}"
        if self.reason is not None:
            raise ConnectionError(self.reason)
        # The version that client and server agreed on, and whether the server sent a Retry.
        version = next(key for key, value in VERSIONS.items() if value == self._quic._version)
        return f"page {version} {self._quic._retry_count} {self.page.decode().strip()}"

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated) and not self.ended.is_set():
            self.reason = event.reason_phrase
            self.ended.set()
        for event in self.http.handle_event(event):
            if isinstance(event, DataReceived):
                self.page += event.data
            if isinstance(event, (HeadersReceived, DataReceived)) and event.stream_ended:
                self.ended.set()


def configuration(args):
    certificate = ssl.DER_cert_to_PEM_cert(pathlib.Path(args.trusted).read_bytes())
    return QuicConfiguration(
        alpn_protocols=H3_ALPN + [f"{number:0100}" for number in range(args.protocols)],
        cadata=certificate.encode(),
        idle_timeout=args.patience,
        server_name=args.name,
        supported_versions=[VERSIONS[args.version]],
    )


async def get(args):
    # The request waits for the handshake, whose failure is then the connection's alone to tell.
    async with connect(
        args.address,
        443,
        configuration=configuration(args),
        create_protocol=Client,
        wait_connected=False,
    ) as client:
        return await client.get(args.name)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("name")
    parser.add_argument("--trusted", required=True, help="a certificate in DER")
    parser.add_argument("--patience", type=float, required=True, help="the idle timeout, seconds")
    parser.add_argument("--version", type=int, choices=VERSIONS, default=1)
    parser.add_argument(
        "--protocols",
        type=int,
        default=0,
        help="so many more application protocols of 100 bytes, which make the hello longer",
    )
    return parser.parse_args()


if __name__ == "__main__":
    print(asyncio.run(get(arguments())))
