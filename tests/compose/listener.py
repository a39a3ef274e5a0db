"""A plain NATS client, as an operator's script would be: the observer's key and subscriptions."""

import asyncio
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import nats
from nats.aio.msg import Msg


@dataclass
class Listener:
    """Hear what is published below the subjects; `heard` is (subject, log sequence) in order."""

    seed: Path
    subjects: tuple[str, ...]
    heard: list[tuple[str, int]] = field(default_factory=list)
    _ready: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()))
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    async def _listen(self) -> None:
        client = await nats.connect(
            "nats://127.0.0.1:4222", nkeys_seed=str(self.seed), inbox_prefix=b"_INBOX_observer"
        )

        async def note(message: Msg) -> None:
            sequence = int((message.headers or {}).get("Nats-Sequence", 0))
            self.heard.append((message.subject, sequence))

        for subject in self.subjects:
            await client.subscribe(subject, cb=note)
        await client.flush()
        self._ready.set()
        await asyncio.to_thread(self._stop.wait)
        await client.close()
