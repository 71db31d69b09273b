"""Why Classify and Regress are refused (tensorflow_serving/servables/tensorflow/classifier.cc and regressor.cc)."""

from dataclasses import dataclass
from typing import Any, NoReturn

import grpc

from serving.errors import ServingError, invalid_argument
from serving.servable import Servable
from serving.signature import SERVING_DEFAULT


@dataclass(frozen=True)
class Method:
    """One of the two calls on tf.Examples."""

    name: str
    noun: str
    """What its messages call it."""
    signature_method: str
    """The method_name a signature for it carries."""


CLASSIFY = Method("Classify", "classification", "tensorflow/serving/classify")
REGRESS = Method("Regress", "regression", "tensorflow/serving/regress")


def refuse(method: Method, servable: Servable, request: Any) -> NoReturn:
    """Say what is wrong with asking this of that version.

    Raises:
        ServingError: INVALID_ARGUMENT for a signature that is for Predict; UNIMPLEMENTED for one made for this call.
    """
    name = request.model_spec.signature_name or SERVING_DEFAULT
    if name not in servable.signature_defs:
        raise invalid_argument(f"No signature was found with the name: {name}")
    found = servable.signature_defs[name].method_name
    if found != method.signature_method:
        raise invalid_argument(
            f"Expected {method.noun} signature method_name to be {method.signature_method}. Was: {found}"
        )
    raise ServingError(grpc.StatusCode.UNIMPLEMENTED, f"{method.name} is not implemented by this server; use Predict")
