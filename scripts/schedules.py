"""Registers the schedules of a deployed stack with `PUT /api/queue/schedules`. Repeating it changes nothing.

    schedules.py SECRET URL

SECRET is the name or ARN of the stack's secret, which holds the service token; URL is the base of the functions. The
token is in no command line and in no output.
"""

import argparse
import json
import urllib.request

import boto3

# API Gateway's timeout of a call, in seconds.
PATIENCE = 30


def token(secret):
    """Returns the service token of a secret."""
    text = boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    return json.loads(text)["API_TOKEN"]


def register(url, bearer):
    """Registers all schedules and returns their names."""
    headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
    address = f"{url.rstrip('/')}/api/queue/schedules"
    request = urllib.request.Request(address, data=b"{}", method="PUT", headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        items = json.load(answer)["items"]
    return [item["scheduleId"] for item in items if item["registered"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("secret")
    parser.add_argument("url")
    options = parser.parse_args()
    print("registered:", ", ".join(register(options.url, token(options.secret))))


main()
