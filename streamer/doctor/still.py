"""One picture as a JPEG."""

import av
import cv2
import numpy as np

QUALITY = 85


def jpeg(picture: av.VideoFrame, longest: int | None = None) -> bytes:
    """The picture, with square pixels taken for granted.

    Args:
        picture: upright.
        longest: pixels of its longer side at the most; None: its own size.
    """
    image = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
    scale = 1.0 if longest is None else min(1.0, longest / max(image.shape[:2]))
    if scale < 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError(f"a picture of {image.shape} cannot be a JPEG")
    return np.asarray(data).tobytes()
