"""`sightline evaluate`: how right the boxes are that viewers see, over the whole way from the camera to the screen.

A clip whose boxes are known is played once as a live camera; docs/evaluate.md says what is judged and why so.

    clip, truth ─► camera ═RTSP═► the service ─► recording ─► figures ─► report
"""
