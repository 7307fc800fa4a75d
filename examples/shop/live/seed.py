"""Builds the shop in an AWS API, as it might look after two years: `python seed.py http://127.0.0.1:5000`.

Meant for a moto server (PyPI: moto[server,all]), which needs neither an account nor money. Start it with
`MOTO_EC2_LOAD_DEFAULT_AMIS=false`, or a thousand snapshots of images are the shop's as well.
"""

import io
import json
import sys
import zipfile

import boto3

URL, REGION, ACCOUNT = sys.argv[1], "eu-west-1", "123456789012"


def client(name):
    return boto3.client(name, region_name=REGION, endpoint_url=URL, aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret")


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal):
    return policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def tags(name):
    return [{"Key": "Name", "Value": name}, {"Key": "app", "Value": "shop"}]


def named(kind, name):
    return [{"ResourceType": kind, "Tags": tags(name)}]


kms = client("kms")
key = kms.create_key(Description="shop data")["KeyMetadata"]["Arn"]
kms.enable_key_rotation(KeyId=key)
kms.create_alias(AliasName="alias/shop", TargetKeyId=key)

# The network: two public subnets, two for data; SSH is open to the world.
ec2 = client("ec2")
vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=named("vpc", "shop"))["Vpc"]["VpcId"]
gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
routes = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
ec2.create_route(RouteTableId=routes, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
subnets = {}
for number, (name, zone) in enumerate([("public-a", "a"), ("public-b", "b"), ("data-a", "a"), ("data-b", "b")]):
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock=f"10.20.{number}.0/24", AvailabilityZone=REGION + zone, TagSpecifications=named("subnet", name)
    )["Subnet"]["SubnetId"]
    subnets[name] = subnet
    if name.startswith("public"):
        ec2.associate_route_table(RouteTableId=routes, SubnetId=subnet)


def group(name, words, *rules):
    made = ec2.create_security_group(GroupName=name, Description=words, VpcId=vpc, TagSpecifications=named("security-group", name))
    ec2.authorize_security_group_ingress(GroupId=made["GroupId"], IpPermissions=list(rules))
    return made["GroupId"]


def port(number, **source):
    return {"IpProtocol": "tcp", "FromPort": number, "ToPort": number, **source}


world = {"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "everybody"}]}
web = group("web", "the shop's front", port(443, **world), port(80, **world), port(22, **world))
data = group("data", "the databases", port(3306, UserIdGroupPairs=[{"GroupId": web}]))
image = ec2.register_image(Name="shop-base", Architecture="arm64", RootDeviceName="/dev/xvda")["ImageId"]
ec2.run_instances(
    ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.small", UserData="#!/bin/sh\nexport DB_PASSWORD=tr0ub4dor-and-3\n",
    NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnets["public-a"], "Groups": [web], "AssociatePublicIpAddress": True}],
    TagSpecifications=named("instance", "back-office"),
)
ec2.create_volume(AvailabilityZone=REGION + "a", Size=200, Encrypted=False, TagSpecifications=named("volume", "exports"))
ec2.create_volume(AvailabilityZone=REGION + "a", Size=50, Encrypted=True, TagSpecifications=named("volume", "orders"))

# Databases: the shop's is fine, the one for reports is not.
rds = client("rds")
rds.create_db_subnet_group(
    DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=[subnets["data-a"], subnets["data-b"]]
)
common = {"Engine": "mysql", "DBInstanceClass": "db.t3.medium", "AllocatedStorage": 50, "MasterUsername": "shop",
          "MasterUserPassword": "not-a-real-one", "DBSubnetGroupName": "data", "VpcSecurityGroupIds": [data]}
rds.create_db_instance(
    DBInstanceIdentifier="shop", StorageEncrypted=True, KmsKeyId=key, MultiAZ=True, BackupRetentionPeriod=14,
    DeletionProtection=True, **common)
rds.create_db_instance(DBInstanceIdentifier="reports", PubliclyAccessible=True, BackupRetentionPeriod=1, **common)

# Buckets: orders are guarded, uploads are readable by everybody.
s3 = client("s3")
for bucket in ("shop-orders", "shop-uploads", "shop-logs"):
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
for bucket in ("shop-orders", "shop-logs"):
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
s3.put_bucket_versioning(Bucket="shop-orders", VersioningConfiguration={"Status": "Enabled"})
rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}, "BucketKeyEnabled": True}
s3.put_bucket_encryption(Bucket="shop-orders", ServerSideEncryptionConfiguration={"Rules": [rule]})
orders = ["arn:aws:s3:::shop-orders", "arn:aws:s3:::shop-orders/*"]
s3.put_bucket_policy(Bucket="shop-orders", Policy=policy({
    "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": orders,
    "Condition": {"Bool": {"aws:SecureTransport": "false"}}}))
s3.put_bucket_policy(Bucket="shop-uploads", Policy=policy({
    "Sid": "Readable", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop-uploads/*"}))

# Messages: a queue with a key, a topic on which anyone may publish.
client("sqs").create_queue(QueueName="orders", Attributes={"KmsMasterKeyId": key})
topic = client("sns").create_topic(Name="order-events")["TopicArn"]
client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy({
    "Sid": "Anyone", "Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": topic}))

# People: an administrator by an inline policy, a role that every account may assume, a password that is never changed.
iam = client("iam")
iam.create_group(GroupName="developers")
iam.create_user(UserName="carol")
iam.add_user_to_group(GroupName="developers", UserName="carol")
iam.create_user(UserName="deploy")
iam.create_access_key(UserName="deploy")
iam.put_user_policy(UserName="deploy", PolicyName="all", PolicyDocument=policy({"Effect": "Allow", "Action": "*", "Resource": "*"}))
iam.create_role(RoleName="partner", AssumeRolePolicyDocument=trust({"AWS": "*"}))
role = iam.create_role(RoleName="checkout", AssumeRolePolicyDocument=trust({"Service": "lambda.amazonaws.com"}))["Role"]["Arn"]
iam.update_account_password_policy(MinimumPasswordLength=8)
iam.generate_credential_report()

# A function on a runtime that AWS no longer supports, with a key in its environment.
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as archive:
    archive.writestr("index.py", "def handler(event, context):\n    return {}\n")
client("lambda").create_function(
    FunctionName="checkout", Runtime="python3.7", Role=role, Handler="index.handler", Code={"ZipFile": packed.getvalue()},
    Environment={"Variables": {"STRIPE_KEY": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"}})

# A trail in all Regions, validated, but without a key of the shop's.
client("cloudtrail").create_trail(Name="shop", S3BucketName="shop-logs", IsMultiRegionTrail=True, EnableLogFileValidation=True)
client("cloudtrail").start_logging(Name="shop")
client("logs").create_log_group(logGroupName="/shop/checkout")
