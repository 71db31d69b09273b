"""What a followed thing is called: the label that the model gave it most, each vote with its score. Pure."""

MOST_LABELS = 8
"""That one thing has votes for: a broken model calls it something else in every picture."""


class Votes:
    """The votes for one thing."""

    def __init__(self, label: str, class_id: int, score: float) -> None:
        self.label = label
        """The winner; of equal ones that which led before."""
        self.class_id = class_id
        """The winner's number, as the newest version has it: after a rollout it may be another."""
        self._scores = {label: score}
        self._class_ids = {label: class_id}

    def add(self, label: str, class_id: int, score: float) -> None:
        """The model called it this."""
        scores = self._scores
        self._class_ids[label] = class_id
        scores[label] = scores.get(label, 0.0) + score
        if label == self.label:
            self.class_id = class_id
            return
        if scores[label] > scores.get(self.label, float("-inf")):
            self.label, self.class_id = label, class_id
        if len(self._class_ids) > MOST_LABELS:
            least = min(self._class_ids.keys() - {self.label}, key=lambda name: scores.get(name, 0.0))
            del self._class_ids[least]
            scores.pop(least, None)

    def forget(self) -> None:
        """Another model, or another version, answers from here on: its first word is the label."""
        self._scores.clear()
