"""The model: frames of all streams become batches, a batch becomes one Predict call, its answer becomes detections.

In: samples. Out: detections, or the reason why there are none. `model.py` joins the steps, once a served model.
"""

import os

# gRPC writes to stderr past every log, a line for each attempt that fails; what it has to say `server.py` says. It
# reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
