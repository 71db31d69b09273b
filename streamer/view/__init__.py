"""What viewers see of one stream: frames held until their boxes are known, drawn on, and encoded once for everybody.

In: frames, and the boxes for a moment. Out: encoded packets to any number of subscribers. `view.py` joins the steps.
"""
