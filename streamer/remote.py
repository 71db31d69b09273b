"""Streams and rules as they are seen and ordered about from afar: by a broker, and whoever may publish there."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from streamer.access.audit import Audit, Deed
from streamer.control.stream_changes import StreamChanges
from streamer.control.streams import Streams
from streamer.outlets.news import StreamNews
from streamer.outlets.news_elsewhere import NewsElsewhere
from streamer.stream.pipeline import Pipeline
from streamer.values.clock import Clock
from streamer.values.errors import Refused

if TYPE_CHECKING:
    from streamer.archive.alerts.alerts import Alerts


PictureOf = Callable[[str], Awaitable[bytes | None]]


class Remote:
    """What an outlet may look at, and whom it has do what commands say (outlets/news.py)."""

    def __init__(
        self,
        outlet: str,
        streams: Streams,
        stream_changes: StreamChanges,
        alerts: "Alerts | None",
        audit: Audit,
        *,
        wall: Clock,
        elsewhere: NewsElsewhere | None = None,
        picture_of: PictureOf | None = None,
    ) -> None:
        """Join it.

        Args:
            outlet: whose; commands are noted as its.
            streams: those that run.
            stream_changes: pauses them.
            alerts: rules and silences; None: nothing is kept, and nobody told.
            audit: is told of each command that was obeyed.
            wall: UTC, seconds since 1970.
            elsewhere: streams that other replicas run; None: there is no cluster.
            picture_of: asks these for the newest annotated picture of one.
        """
        self._elsewhere, self._picture_of = elsewhere, picture_of
        self._outlet, self._streams, self._stream_changes = outlet, streams, stream_changes
        self._alerts, self._audit, self._wall = alerts, audit, wall

    # ---- seen

    def streams(self) -> Sequence[StreamNews] | None:
        """All of them; None: the service stops, and that they end says nothing about them; or nobody can say yet."""
        if self._streams.closing:
            return None
        here = [news_of(pipeline) for pipeline in self._streams]
        return here if self._elsewhere is None else self._elsewhere.streams(here)

    def rules(self) -> Sequence[str]:
        """Names of those that tell the outlet."""
        if self._alerts is None:
            return ()
        return [rule.name for rule in self._alerts.telling.rules if self._outlet in rule.outlets]

    async def picture(self, stream: str) -> bytes | None:
        """The newest annotated picture, as a JPEG; None: none comes now."""
        pipeline = self._streams.get(stream)
        if pipeline is None and self._picture_of is not None:
            return await self._picture_of(stream)
        if pipeline is None or pipeline.state().word not in ("live", "stale"):
            return None
        still = await pipeline.view.still(pipeline.notice())
        return None if still is None else still.data

    # ---- ordered

    async def pause(self, stream: str) -> None:
        """Let go of a stream's camera.

        Raises:
            Refused: there is none, or it cannot be.
        """
        await self._have_paused(stream, is_paused=True)

    async def resume(self, stream: str) -> None:
        """Connect it again.

        Raises:
            Refused: there is none, or it cannot be.
        """
        await self._have_paused(stream, is_paused=False)

    async def snooze(self, seconds: float, rule: str | None, stream: str | None) -> None:
        """Tell nobody for so long: of a rule, of a stream, or of anything.

        Raises:
            Refused: there is none.
            Overloaded: it cannot be kept now.
        """
        alerts = self._require_alerts(rule)
        if stream is not None and self._streams.get(stream) is None and not self._stream_changes.has(stream):
            raise Refused(404, f"there is no stream {stream!r}")
        await alerts.silence(self._wall() + seconds, rule=rule, stream=stream, by=self._outlet)
        self._note("silence add", rule or stream, f"{seconds:.0f} s")

    async def wake(self, rule: str | None, stream: str | None) -> None:
        """End the silences of just that.

        Raises:
            Refused: there is none.
            Overloaded: it cannot be kept now.
        """
        alerts = self._require_alerts(rule)
        for silence in await alerts.silences():
            if (silence.rule, silence.stream) == (rule, stream):
                await alerts.unsilence(silence.id)
        self._note("silence end", rule or stream, "")

    async def _have_paused(self, stream: str, *, is_paused: bool) -> None:
        if not self._stream_changes.has(stream):
            raise Refused(404, f"there is no stream {stream!r} that could be paused")
        await self._stream_changes.change(stream, {"paused": is_paused})
        self._note("stream change", stream, "paused" if is_paused else "resumed")

    def _require_alerts(self, rule: str | None) -> "Alerts":
        if self._alerts is None or (
            rule is not None and rule not in {each.name for each in self._alerts.telling.rules}
        ):
            raise Refused(404, f"there is no rule {rule!r}")
        return self._alerts

    def _note(self, what: str, target: str | None, detail: str) -> None:
        self._audit.note(Deed(self._wall(), self._outlet, what, target or "everything", detail=detail))


def news_of(pipeline: Pipeline) -> StreamNews:
    """How a stream is, and what is in its view."""
    contract = pipeline.model.contract
    labels = () if contract is None else tuple(contract.labels.values())
    if pipeline.events is None:
        return StreamNews(pipeline.name, pipeline.state(), labels=labels)
    zones: Mapping[str, dict[str, int]] = defaultdict(dict)
    for (zone, label), count in pipeline.events.occupancy().items():
        zones[zone] |= {label: count} if count else {}
    return StreamNews(pipeline.name, pipeline.state(), dict(pipeline.events.present()), dict(zones), labels)
