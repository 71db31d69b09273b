"""What requests and answers carry, one file a noun: pydantic's models, by which requests are checked and described.

In: a JSON text, or a query. Out: a model, or one sentence. Nothing of aiohttp's.
"""
