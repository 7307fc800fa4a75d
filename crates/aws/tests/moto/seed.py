"""Fills a moto server with a small account: for the main types one resource that is set up well and one that isn't."""

import io
import json
import sys
import zipfile

import boto3

URL = sys.argv[1]
REGION = "eu-west-1"


def client(name, region=REGION):
    return boto3.client(
        name, region_name=region, endpoint_url=URL, aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret"
    )


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


OPEN = {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bad-bucket/*"}
TRUST = policy({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
ADMIN = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})

s3 = client("s3")
place = {"LocationConstraint": REGION}
for name in ("good-bucket", "bad-bucket"):
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=place)
s3.put_bucket_versioning(Bucket="good-bucket", VersioningConfiguration={"Status": "Enabled"})
block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
s3.put_public_access_block(Bucket="good-bucket", PublicAccessBlockConfiguration=block)
s3.put_bucket_encryption(
    Bucket="good-bucket",
    ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]
    },
)
s3.put_bucket_tagging(Bucket="good-bucket", Tagging={"TagSet": [{"Key": "team", "Value": "blue"}]})
s3.put_bucket_lifecycle_configuration(
    Bucket="good-bucket",
    LifecycleConfiguration={"Rules": [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 30}}]},
)
s3.put_bucket_policy(Bucket="bad-bucket", Policy=policy(OPEN))

ec2 = client("ec2")
vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "main"}])
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
group = ec2.create_security_group(GroupName="bad-group", Description="open", VpcId=vpc)["GroupId"]
ec2.authorize_security_group_ingress(
    GroupId=group,
    IpPermissions=[
        {
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
            "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}],
            "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
        }
    ],
)
image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
ec2.run_instances(
    ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[group], UserData="#!/bin/sh\necho password=hunter2"
)
ec2.create_volume(AvailabilityZone=REGION + "a", Size=21, Encrypted=True)
volume = ec2.create_volume(AvailabilityZone=REGION + "a", Size=22)["VolumeId"]
snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
ec2.modify_snapshot_attribute(
    SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
)
address = ec2.allocate_address(Domain="vpc")
ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address["AllocationId"])

iam = client("iam")
iam.create_user(UserName="ann", Tags=[{"Key": "team", "Value": "red"}])
iam.create_login_profile(UserName="ann", Password="Passw0rd!x")
iam.create_access_key(UserName="ann")
iam.put_user_policy(UserName="ann", PolicyName="all", PolicyDocument=ADMIN)
iam.create_user(UserName="bob")
iam.create_group(GroupName="ops")
iam.add_user_to_group(GroupName="ops", UserName="bob")
iam.create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST, MaxSessionDuration=7200, Description="works")
arn = iam.create_policy(PolicyName="everything", PolicyDocument=ADMIN)["Policy"]["Arn"]
iam.attach_role_policy(RoleName="worker", PolicyArn=arn)
iam.update_account_password_policy(MinimumPasswordLength=8, RequireSymbols=True)
iam.generate_credential_report()

kms = client("kms")
key = kms.create_key(Description="good")["KeyMetadata"]["KeyId"]
kms.enable_key_rotation(KeyId=key)
kms.create_key(Description="bad")
kms.create_alias(AliasName="alias/good", TargetKeyId=key)

sns = client("sns")
sns.create_topic(Name="good-topic", Attributes={"KmsMasterKeyId": key})
sns.create_topic(Name="bad-topic")

sqs = client("sqs")
sqs.create_queue(QueueName="good-queue", Attributes={"KmsMasterKeyId": key}, tags={"team": "blue"})
sqs.create_queue(QueueName="bad-queue", Attributes={"Policy": policy({**OPEN, "Action": "sqs:*", "Resource": "*"})})

dynamodb = client("dynamodb")
for name in ("good-table", "bad-table"):
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
recovery = {"PointInTimeRecoveryEnabled": True}
dynamodb.update_continuous_backups(TableName="good-table", PointInTimeRecoverySpecification=recovery)

code = io.BytesIO()
with zipfile.ZipFile(code, "w") as archive:
    archive.writestr("a.py", "def f(e, c): pass")
awslambda = client("lambda")
awslambda.create_function(
    FunctionName="worker",
    Runtime="python3.12",
    Role="arn:aws:iam::123456789012:role/worker",
    Handler="a.f",
    Code={"ZipFile": code.getvalue()},
    Environment={"Variables": {"TOKEN": "hunter2"}},
)
awslambda.add_permission(
    FunctionName="worker", StatementId="open", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
)

rds = client("rds")
for name, good in (("good-db", True), ("bad-db", False)):
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="root",
        MasterUserPassword="Passw0rd!x",
        AllocatedStorage=20,
        StorageEncrypted=good,
        PubliclyAccessible=not good,
        MultiAZ=good,
    )

logs = client("logs")
logs.create_log_group(logGroupName="good-logs", tags={"a": "b"})
logs.put_retention_policy(logGroupName="good-logs", retentionInDays=365)
logs.create_log_group(logGroupName="bad-logs")

trail = client("cloudtrail")
trail.create_trail(Name="trail", S3BucketName="good-bucket", IsMultiRegionTrail=True)
trail.start_logging(Name="trail")

secrets = client("secretsmanager")
secrets.create_secret(Name="plain", SecretString="hunter2")

client("ecr").create_repository(repositoryName="images", imageTagMutability="IMMUTABLE")
client("ecs").create_cluster(clusterName="cluster")
client("efs").create_file_system(CreationToken="x", Encrypted=True)
client("cloudwatch").put_metric_alarm(
    AlarmName="alarm",
    MetricName="m",
    Namespace="n",
    Period=300,
    EvaluationPeriods=1,
    Threshold=1,
    ComparisonOperator="GreaterThanThreshold",
    Statistic="Sum",
)
zone = client("route53").create_hosted_zone(Name="example.com.", CallerReference="x")["HostedZone"]["Id"]

iot = client("iot")
for name, action in (("good-policy", "iot:Connect"), ("bad-policy", "iot:*")):
    resource = "*" if name == "bad-policy" else "arn:aws:iot:eu-west-1:123456789012:client/a"
    document = policy({"Effect": "Allow", "Action": action, "Resource": resource})
    iot.create_policy(policyName=name, policyDocument=document)

client("timestream-influxdb").create_db_instance(
    name="influx",
    password="Passw0rd!x",
    dbInstanceType="db.influx.medium",
    vpcSubnetIds=["subnet-1"],
    vpcSecurityGroupIds=["sg-1"],
    allocatedStorage=50,
    publiclyAccessible=True,
)

awslambda.publish_layer_version(LayerName="tools", Content={"ZipFile": code.getvalue()})
awslambda.add_layer_version_permission(
    LayerName="tools", VersionNumber=1, StatementId="all", Action="lambda:GetLayerVersion", Principal="*"
)

gateway = client("apigateway")
api = gateway.create_rest_api(name="shop")["id"]
root = gateway.get_resources(restApiId=api)["items"][0]["id"]
gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
gateway.put_method(restApiId=api, resourceId=root, httpMethod="POST", authorizationType="AWS_IAM")

kms.schedule_key_deletion(KeyId=kms.create_key(Description="old")["KeyMetadata"]["KeyId"], PendingWindowInDays=7)
