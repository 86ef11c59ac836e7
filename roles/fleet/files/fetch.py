"""Fetches the release program that BLUEGREEN_RELEASE pins, checks it, and puts it where the startup script runs it."""

import hashlib
import json
import os
import sys

import botocore.exceptions
import botocore.session

BUCKET, RELEASE = os.environ["BLUEGREEN_BUCKET"], os.environ["BLUEGREEN_RELEASE"]
PROGRAM = sys.argv[1]


def read(**which):
    try:
        return client.get_object(Bucket=BUCKET, **which)["Body"].read()
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        why = str(error).rstrip(".")
        sys.exit(f"Cannot boot: s3://{BUCKET}/{which['Key']} cannot be read: {why}. Run playbooks/deploy.yml, which writes it again.")


client = botocore.session.get_session().create_client("s3")
pin = json.loads(read(Key=RELEASE))["program"]
content = read(Key=pin["key"], VersionId=pin["version"])
if hashlib.sha256(content).hexdigest() != pin["sha256"]:
    sys.exit(f"Cannot boot: s3://{BUCKET}/{pin['key']} is not the program of {RELEASE}. Run playbooks/deploy.yml, which writes it again.")
os.makedirs(os.path.dirname(PROGRAM), exist_ok=True)
with open(PROGRAM + ".new", "wb") as file:
    file.write(content)
os.replace(PROGRAM + ".new", PROGRAM)
