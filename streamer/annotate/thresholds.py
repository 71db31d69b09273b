"""From which score on something counts: for all, and by class."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from serving.signature import Contract
from streamer.values.errors import ConfigError


@dataclass(frozen=True)
class Thresholds:
    """As they are asked for."""

    general: float | None = None
    """None: what the model's contract says."""
    by_label: Mapping[str, float] = field(default_factory=dict)

    def of(self, contract: Contract) -> dict[str, float]:
        """The least score of each of a model's labels.

        Raises:
            ConfigError: one is of a label that the model has not.
        """
        labels = tuple(dict.fromkeys(contract.labels.values()))
        if unknown := [label for label in self.by_label if label not in labels]:
            known = ", ".join(labels)
            raise ConfigError(f"--min-score {unknown[0]}=…: the model {contract.name} has no such class, only {known}")
        general = contract.min_score if self.general is None else self.general
        return {label: self.by_label.get(label, general) for label in labels}
