"""A batch of samples becomes one Predict call, and its answer becomes detections.

One predictor serves one model of one model server, or of several behind one address. `run` keeps knowing whether the
model is there and what its contract says; `predict` asks.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from serving import signature, wire
from serving.signature import Contract
from streamer.inference import answer, introduction
from streamer.inference.credentials import Credentials
from streamer.inference.news import PAUSE, News
from streamer.inference.server import ModelServer
from streamer.values.clock import Clock
from streamer.values.detections import Detections
from streamer.values.errors import PredictError
from streamer.values.frame import Sample

log = logging.getLogger(__name__)

PROBE_INTERVAL = 0.2
"""Seconds between attempts to find a model that is not there."""
CHECK_INTERVAL = 2.0
"""Seconds between looks at a model that is."""
VERSIONS = 4
"""Versions whose contracts are remembered: those of one rollout, and the way back."""
MOST_LABELS = 20
"""Labels that are told in the log."""
NOT_ASKED = "the model server was not asked yet"


class Predictor:
    """Asks one model about samples."""

    def __init__(
        self,
        address: str,
        model: str,
        *,
        clock: Clock,
        credentials: Credentials | None = None,
        on_call: Callable[[int, float], None] = lambda batch_size, seconds: None,
        on_error: Callable[[str], None] = lambda code: None,
    ) -> None:
        self.address = address
        self.model = model
        self.up = False
        """Whether the model answered last time it was asked anything."""
        self.reason: str | None = NOT_ASKED
        """Why it is not up, as a sentence."""
        self.complaint: str | None = None
        """Why the last frames were not answered, as a sentence; None once some were."""
        self.contract: Contract | None = None
        """What the newest version says of itself; stays while the server is away."""
        self.version = 0
        self._clock = clock
        self._on_call = on_call
        self._on_error = on_error
        self._doubted = asyncio.Event()
        """Set by a failed call: look at the model soon."""
        self._answered_at = float("-inf")
        """When a call was last answered, monotonic."""
        self._contracts: dict[int, Contract] = {}
        self._unanswered_since: float | None = None
        """When the first call about frames failed since one was answered."""
        self._trouble, self._versions = News(clock), News(clock)
        self._server = ModelServer(address, credentials)

    async def run(self) -> None:
        """Keep `up`, `reason` and `contract` true until cancelled. May be run again."""
        self.up, self.reason = False, NOT_ASKED
        while True:
            self._doubted.clear()
            await self._watch()
            await asyncio.sleep(PROBE_INTERVAL)
            if self.up:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_INTERVAL - PROBE_INTERVAL):
                        await self._doubted.wait()

    async def close(self) -> None:
        """Close the channel; calls under way fail."""
        await self._server.close()

    async def predict(self, samples: list[Sample], deadline: float) -> list[Detections]:
        """Detections of each sample, in order.

        Args:
            samples: at least one; each tensor of the contract's size.
            deadline: monotonic time from which the answer is worth nothing.

        Raises:
            PredictError: no answer, or one that is not of the contract's form.
        """
        started = self._clock()
        try:
            response = await self._server.predict(self._request(samples), max(0.01, deadline - started))
            answered_at = self._clock()
            version = response.model_spec.version.value
            if version not in self._contracts:
                # A version the labels of which are not known yet: no box may carry another version's label.
                await self._learn(version)
            contract = self._contracts[version]
            answers = answer.read(
                response,
                samples,
                contract,
                model=self.model,
                version=version,
                answered_at=answered_at,
                sent_at=started,
            )
        except PredictError as error:
            self._on_error(error.code)
            self._complain(error)
            # One of several servers may be gone, or the frame was old when it left: let the next look decide, soon.
            self._doubted.set()
            raise
        self._answered_at = answered_at
        if self._unanswered_since is not None:
            self.complaint, self._unanswered_since = None, None
            self._trouble.over()
        self._on_call(len(samples), answered_at - started)
        return answers

    def _complain(self, error: PredictError) -> None:
        """A call about frames failed. That is said once none was answered for a while: one of several may be lost.

        An answer that is late is no complaint about the answer: the model does not keep up, as its streams say then.
        """
        sentence, now = str(error), self._clock()
        self.complaint = None if error.code == "DEADLINE_EXCEEDED" else sentence
        if self._unanswered_since is None:
            self._unanswered_since = now
        elif now - self._unanswered_since >= PAUSE and self._trouble.is_news(sentence):
            log.warning("model %s: frames are not answered: %s", self.model, sentence)

    def _request(self, samples: list[Sample]) -> Any:
        shape = samples[0].tensor.shape
        if any(sample.tensor.shape != shape for sample in samples):
            raise PredictError("FAILED_PRECONDITION", "the model's input size changed between two frames")
        request = wire.PredictRequest(output_filter=signature.DETECTION_OUTPUTS)
        request.model_spec.name = self.model
        request.model_spec.signature_name = signature.SERVING_DEFAULT
        # Filled in place: a batch of eight is megabytes, and every copy of it is a pause of the event loop.
        tensor = request.inputs[signature.INPUT_TENSOR]
        tensor.dtype = wire.DT_UINT8
        for size in (len(samples), *shape):
            tensor.tensor_shape.dim.add(size=size)
        tensor.tensor_content = b"".join(sample.tensor.data for sample in samples)
        return request

    async def _watch(self) -> None:
        """Look, and note what was seen; it is said once an outage and reason, not five times a second."""
        started = self._clock()
        try:
            await self._look()
        except PredictError as error:
            if self.up and self._answered_at >= started:
                # Calls take turns with looks, so that of two servers both looks may have met the one that is gone.
                self._doubted.set()
                return
            self.up, self.reason = False, str(error)
            if self._trouble.is_news(self.reason):
                log.warning("%s", error)
        except Exception:
            self.up, self.reason = False, f"the model server at {self.address} answers nonsense"
            if self._trouble.is_news(self.reason):
                log.exception("model %s: asking about it failed in a way nobody foresaw", self.model)

    async def _look(self) -> None:
        """Ask who answers. When nobody does, once more: one of several servers may be gone, and the next is asked."""
        try:
            await self._learn(None)
        except PredictError:
            if not self.up:
                raise
            await self._learn(None)

    async def _learn(self, version: int | None) -> None:
        """Ask the model (the newest version, or one) who it is. Raises PredictError where it cannot be used."""
        metadata = await introduction.ask(self._server, self.model, version)
        found = metadata.model_spec.version.value
        if version is not None and found != version:
            raise PredictError(
                "INTERNAL", f"the model answers as version {version}, and asked about that tells of version {found}"
            )
        if found not in self._contracts:
            try:
                contract = await introduction.read(self._server, self.model, metadata)
            except PredictError as error:
                if version is None:  # else it is learnt for a call about frames, which is counted as a whole
                    self._on_error(error.code)
                raise
            self._contracts[found] = contract
            self._tell_of(found, contract)
            while len(self._contracts) > VERSIONS:
                del self._contracts[next(iter(self._contracts))]  # learnt first; the lowest may be one rolled back to
        self.contract, self.version = self._contracts[found], found
        if not self.up:
            log.info("model %s is up at %s", self.model, self.address)
            self._trouble.over()
        self.up, self.reason = True, None

    def _tell_of(self, version: int, contract: Contract) -> None:
        labels = list(contract.labels.values())
        more = [f"and {len(labels) - MOST_LABELS} more"] if len(labels) > MOST_LABELS else []
        sentence = f"model {self.model} version {version}: {', '.join([*labels[:MOST_LABELS], *more])}"
        if self._versions.is_news(sentence):
            log.info("%s", sentence)
