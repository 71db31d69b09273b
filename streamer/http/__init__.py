"""The routes, one file a noun of the API, the connections they are asked by, and the metrics.

In: requests. Out: answers, each refusal a sentence.

A handler says below its route what whoever asks needs (`needs.py`), and what it takes and answers (`operation.py`).
"""
