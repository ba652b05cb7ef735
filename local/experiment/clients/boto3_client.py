"""An application with boto3: calls STS on the key that its profile `app` gives, which names a credential_process.

Reads a command a line: `time` is answered with its idea of the time, `call N` with what became of N calls, one after the other.
"""

import datetime
import json
import sys

import boto3
import botocore.exceptions

sts = boto3.Session(profile_name="app").client("sts")


def call():
    """The failure, if it is one."""
    try:
        sts.get_caller_identity()
    except botocore.exceptions.ClientError as error:
        return {"code": error.response["Error"]["Code"], "message": str(error)}
    except Exception as error:  # Whatever it was: to those who wait for the application it is a failure.
        return {"code": type(error).__name__, "message": str(error)}
    return None


for line in sys.stdin:
    command, _, count = line.strip().partition(" ")
    if command == "time":
        answer = {"time": datetime.datetime.now(datetime.timezone.utc).timestamp() * 1000}
    else:
        outcomes = [call() for _ in range(int(count))]
        answer = {"failures": [failure for failure in outcomes if failure is not None]}
    print(json.dumps(answer), flush=True)
