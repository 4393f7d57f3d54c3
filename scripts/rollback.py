"""Points the alias `live` of every function of a stack at the version before its current one.

    rollback.py STACK [--dry-run]

All functions go back by one deployment together, because each deployment publishes a version of each.
"""

import argparse

import boto3

ALIAS = "live"


def functions(stack):
    """Returns the names of the stack's functions."""
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for page in pages:
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == "AWS::Lambda::Function":
                yield resource["PhysicalResourceId"]


def version_before(client, function, current):
    """Returns the newest version older than the current one, or None."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    numbers = [int(version["Version"]) for page in pages for version in page["Versions"] if version["Version"].isdigit()]
    return max((number for number in numbers if number < current), default=None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stack")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    options = parser.parse_args()
    client = boto3.client("lambda")
    plan = []
    for function in functions(options.stack):
        current = int(client.get_alias(FunctionName=function, Name=ALIAS)["FunctionVersion"])
        before = version_before(client, function, current)
        if before is None:
            raise SystemExit(f"{function} has no version before {current}: nothing was changed")
        plan.append((function, current, before))
    for function, current, before in plan:
        print(f"{function}: {current} -> {before}")
        if not options.dry_run:
            client.update_alias(FunctionName=function, Name=ALIAS, FunctionVersion=str(before))


main()
