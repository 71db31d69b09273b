"""The model: frames of all streams become batches, a batch becomes one Predict call, its answer becomes detections.

In: samples. Out: detections, or the reason why there are none. `model.py` joins the steps, once a served model.
"""
