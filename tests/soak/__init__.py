"""`make soak`: a service under churn, watched for what it does not give back.

Viewers, cameras, publishers and the model come and go for ten minutes. Then everybody leaves, and what the service
holds must be what it held before anybody came: descriptors, threads and tasks; its memory must have stood still since
the third minute. A second, shorter run has a leak planted in it and must be found out, or the first one proves nothing.
"""
