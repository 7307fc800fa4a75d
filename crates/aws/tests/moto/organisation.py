"""Makes an organisation of three more accounts on a moto server, each with a bucket, and prints their ids."""

import sys

import boto3

url = sys.argv[1]
REGION = "eu-west-1"


def client(service, credentials=None):
    keys = credentials or {"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "secret", "SessionToken": None}
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


organizations = client("organizations")
organizations.create_organization(FeatureSet="ALL")
for number in range(3):
    name = f"member-{number}"
    made = organizations.create_account(AccountName=name, Email=f"{name}@example.com")
    account = made["CreateAccountStatus"]["AccountId"]
    role = f"arn:aws:iam::{account}:role/reader"
    credentials = client("sts").assume_role(RoleArn=role, RoleSessionName="seed")["Credentials"]
    s3 = client("s3", credentials)
    s3.create_bucket(Bucket=f"bucket-of-{name}", CreateBucketConfiguration={"LocationConstraint": REGION})
    if number == 0:
        s3.put_bucket_versioning(Bucket=f"bucket-of-{name}", VersioningConfiguration={"Status": "Enabled"})
    print(account)
