"""The section `serving`: the model server."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from streamer.config import address
from streamer.config.section import Name, Section, checked

Address = Annotated[str, AfterValidator(checked(address.check))]
"""One server, host:port, or several: dns:///host:port, ipv4:1.2.3.4:port,1.2.3.5:port."""


class ServingTlsSettings(Section):
    """How the model server proves who it is, and we to it."""

    ca: Annotated[str, Field(min_length=1)] | None = None
    """Path of a PEM file: the authority that signed its certificate, or a self-signed certificate itself. None: the
    authorities that gRPC brings."""
    cert: Annotated[str, Field(min_length=1)] | None = None
    """Path of our own certificate and those it is signed by, in PEM. None: the server asks for none."""
    key: Annotated[str, Field(min_length=1)] | None = None
    """Path of its private key, in PEM."""
    name: Annotated[str, Field(min_length=1)] | None = None
    """What stands in the server's certificate, or in each where `ipv4:` or `ipv6:` lists several. None: the address's
    host, which such a list has not."""

    @model_validator(mode="after")
    def _key_fits_cert(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key go together: our own certificate, and its key")
        return self


class ServingSettings(Section):
    """The model server, and how it is asked."""

    address: Address = "127.0.0.1:5000"
    model: Name = "insulators"
    max_batch_size: Annotated[int, Field(ge=1, le=128)] = 8
    in_flight: Annotated[int, Field(ge=1, le=16)] = 2
    """Predict calls under way at once, over all servers: two keep one busy while the next batch fills."""
    deadline: Annotated[float, Field(gt=0, le=60)] = 1.0
    """Seconds a frame stays worth an answer, from its arrival."""
    scheduling: Literal["pull", "push"] = "pull"
    """pull: when a call can leave, the newest frames there are. push: those at which streams were due, which are older,
    and at overload some more; docs/design/scheduling.md says for whom."""
    tls: ServingTlsSettings | None = None
    """None: plain gRPC."""
