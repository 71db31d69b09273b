"""One picture as a JPEG."""

import av
import cv2
import numpy as np

QUALITY = 85


def jpeg(picture: av.VideoFrame) -> bytes:
    """The picture, in its own size and with square pixels taken for granted."""
    image = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError(f"a picture of {image.shape} cannot be a JPEG")
    return np.asarray(data).tobytes()
