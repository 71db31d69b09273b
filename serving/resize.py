"""A frame becomes a model's input, and boxes find their way back. Pure.

`stretch` scales both axes on their own; `letterbox` keeps the aspect ratio, centres the picture and fills the bars with
one grey. Interpolation is bilinear with half-pixel centres (cv2.INTER_LINEAR, the same as tf.image.resize "bilinear"
without antialiasing), so that any client can reproduce it.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from serving.signature import ResizeRule


@dataclass(frozen=True)
class Resize:
    """One frame geometry mapped onto one model input; made anew when either changes."""

    frame_width: int
    frame_height: int
    input_width: int
    input_height: int
    left: int
    """Columns of padding before the picture, in input pixels."""
    top: int
    """Rows of padding above the picture, in input pixels."""
    inner_width: int
    """Columns the picture covers, in input pixels."""
    inner_height: int
    pad_value: int = 114

    @classmethod
    def fit(
        cls,
        frame_size: tuple[int, int],
        input_size: tuple[int, int],
        rule: ResizeRule = "letterbox",
        pad_value: int = 114,
    ) -> Self:
        """Plan the mapping; both sizes are (width, height) in pixels."""
        (frame_width, frame_height), (input_width, input_height) = frame_size, input_size
        if rule == "stretch":
            inner_width, inner_height = input_width, input_height
        else:
            scale = min(input_width / frame_width, input_height / frame_height)
            inner_width = max(1, round(frame_width * scale))
            inner_height = max(1, round(frame_height * scale))
        left, top = (input_width - inner_width) // 2, (input_height - inner_height) // 2
        return cls(
            frame_width, frame_height, input_width, input_height, left, top, inner_width, inner_height, pad_value
        )

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize `image` (uint8 [frame_height, frame_width, 3]) to uint8 [input_height, input_width, 3], contiguous."""
        inner = cv2.resize(image, (self.inner_width, self.inner_height), interpolation=cv2.INTER_LINEAR)
        return self.padded(np.asarray(inner, np.uint8))

    def padded(self, inner: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Put a picture that was resized already, uint8 [inner_height, inner_width, 3], between its bars."""
        if inner.shape[:2] == (self.input_height, self.input_width):
            return np.ascontiguousarray(inner, dtype=np.uint8)
        padded = np.full((self.input_height, self.input_width, 3), self.pad_value, dtype=np.uint8)
        padded[self.top : self.top + self.inner_height, self.left : self.left + self.inner_width] = inner
        return padded

    def to_frame(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map model boxes to frame pixels.

        Args:
            boxes: float32 [K, 4], ymin, xmin, ymax, xmax in 0..1 of the model's input.

        Returns:
            float32 [K, 4], x_min, y_min, x_max, y_max in pixels of the frame, clipped to it.
        """
        ymin, xmin, ymax, xmax = np.asarray(boxes, dtype=np.float32).reshape(-1, 4).T
        scale_x = self.frame_width / self.inner_width
        scale_y = self.frame_height / self.inner_height
        xs = np.clip((np.stack([xmin, xmax]) * self.input_width - self.left) * scale_x, 0, self.frame_width)
        ys = np.clip((np.stack([ymin, ymax]) * self.input_height - self.top) * scale_y, 0, self.frame_height)
        return np.stack([xs[0], ys[0], xs[1], ys[1]], axis=1).astype(np.float32)
