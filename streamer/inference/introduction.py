"""What a version of a model says of itself, and whether it can be asked: its signatures, and the contract they carry.

A model that cannot is refused with what to do about it.
"""

from typing import Any

from google.protobuf.message import DecodeError

from serving import signature, wire
from serving.signature import Contract, ContractError
from streamer.inference import intake
from streamer.inference.server import ModelServer
from streamer.values.errors import PredictError


async def ask(server: ModelServer, model: str, version: int | None) -> Any:
    """The GetModelMetadataResponse of a version, or of the newest. Raises PredictError: there is none."""
    request = wire.GetModelMetadataRequest(metadata_field=[wire.SIGNATURE_DEF])
    request.model_spec.name = model
    if version is not None:
        request.model_spec.version.value = version
    return await server.ask(request)


async def read(server: ModelServer, model: str, metadata: Any) -> Contract:
    """The contract of the version that gave this GetModelMetadataResponse. Raises PredictError: it cannot be used."""
    try:
        signatures = wire.signature_defs(metadata)
    except DecodeError as error:
        raise PredictError("INTERNAL", f"model {model}: its signatures cannot be read") from error
    _require_canonical(model, signatures)
    contract = await _read_contract(server, model, metadata.model_spec.version.value)
    _require_usable(model, signatures[signature.SERVING_DEFAULT], contract)
    return contract


async def _read_contract(server: ModelServer, model: str, version: int) -> Contract:
    request = wire.PredictRequest(output_filter=[signature.CONTRACT])
    request.model_spec.name = model
    request.model_spec.version.value = version
    request.model_spec.signature_name = signature.LABELS
    index = wire.TensorProto(dtype=wire.DT_INT64, int64_val=[0])
    index.tensor_shape.dim.add(size=1)
    request.inputs[signature.LABELS_INDEX].CopyFrom(index)
    response = await server.ask(request)
    try:
        return intake.contract(intake.text(response, signature.CONTRACT))
    except ContractError as error:
        wrong = intake.sentence(str(error))
        sentence = f"model {model}: {wrong}: export it with `sightline export` of the version that runs here"
        raise PredictError("FAILED_PRECONDITION", sentence) from error


def _require_canonical(model: str, signatures: dict[str, Any]) -> None:
    """Refuse a model whose signatures are not `serving.signature`'s, saying what to do."""
    wanted = {signature.SERVING_DEFAULT: signature.DETECTION_OUTPUTS, signature.LABELS: signature.LABELS_OUTPUTS}
    for name, outputs in wanted.items():
        missing = sorted(set(outputs) - set(signatures[name].outputs)) if name in signatures else [name]
        if missing:
            raise PredictError(
                "FAILED_PRECONDITION",
                f"model {model} has no {', '.join(missing)}: export it with `sightline export` so that it carries them",
            )


def _require_usable(model: str, serving_default: Any, contract: Contract) -> None:
    """Refuse a model that would refuse every call, or see other colours than the camera's, saying what to do."""
    again = "export it again with `sightline export`"
    if contract.color_order != "RGB":
        raise PredictError(
            "FAILED_PRECONDITION",
            f"model {model} wants {intake.label(contract.color_order)} and is sent RGB: {again}, "
            "which swaps colours in the graph",
        )
    allowed = contract.max_batch_size
    if allowed is not None and allowed < 1:
        raise PredictError(
            "FAILED_PRECONDITION", f"model {model} allows {allowed} frames a call, not 1 or more: {again}"
        )
    stated = serving_default.inputs[signature.INPUT_TENSOR]
    shape = wire.shape_of(stated)
    if stated.dtype != wire.DT_UINT8 or shape[1:] != (contract.height, contract.width, 3):
        found = (
            intake.sentence(f"{signature.INPUT_TENSOR} of shape {list(shape)}")
            if shape
            else f"no {signature.INPUT_TENSOR}"
        )
        raise PredictError(
            "FAILED_PRECONDITION",
            f"model {model} has {found}, and is sent uint8 [N, {contract.height}, {contract.width}, 3] "
            f"as its contract says: {again}",
        )
