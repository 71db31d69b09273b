"""The routes, one file a noun of the API, and the metrics.

In: requests. Out: answers, each refusal a sentence.
"""
