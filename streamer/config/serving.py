"""The section `serving`: the model server."""

from typing import Annotated

from pydantic import AfterValidator, Field

from streamer.config import address
from streamer.config.section import Name, Section, checked

Address = Annotated[str, AfterValidator(checked(address.check))]
"""One server, host:port, or several: dns:///host:port, ipv4:1.2.3.4:port,1.2.3.5:port."""


class ServingSettings(Section):
    """The model server, and how it is asked."""

    address: Address = "127.0.0.1:5000"
    model: Name = "insulators"
    max_batch_size: Annotated[int, Field(ge=1, le=128)] = 8
    in_flight: Annotated[int, Field(ge=1, le=16)] = 2
    """Predict calls under way at once, over all servers: two keep one busy while the next batch fills."""
    deadline: Annotated[float, Field(gt=0, le=60)] = 1.0
    """Seconds a frame stays worth an answer, from its arrival."""
