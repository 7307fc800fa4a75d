//! Services with a public address: how bad it is depends on whether anybody gets through to it.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A VPC with a way in.
const NETWORK: &str = r#"AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Vpc: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }
  Igw: { Type: AWS::EC2::InternetGateway }
  Att: { Type: AWS::EC2::VPCGatewayAttachment, Properties: { VpcId: !Ref Vpc, InternetGatewayId: !Ref Igw } }
  Rt: { Type: AWS::EC2::RouteTable, Properties: { VpcId: !Ref Vpc } }
  Out: { Type: AWS::EC2::Route, Properties: { RouteTableId: !Ref Rt, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Igw } }
  NetA: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24 } }
  NetB: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24 } }
  AssA: { Type: AWS::EC2::SubnetRouteTableAssociation, Properties: { SubnetId: !Ref NetA, RouteTableId: !Ref Rt } }
  AssB: { Type: AWS::EC2::SubnetRouteTableAssociation, Properties: { SubnetId: !Ref NetB, RouteTableId: !Ref Rt } }
  Dbs: { Type: AWS::RDS::DBSubnetGroup, Properties: { DBSubnetGroupDescription: x, SubnetIds: [!Ref NetA, !Ref NetB] } }
  Nps: { Type: AWS::Neptune::DBSubnetGroup, Properties: { DBSubnetGroupDescription: x, SubnetIds: [!Ref NetA, !Ref NetB] } }
  Dms: { Type: AWS::DMS::ReplicationSubnetGroup, Properties: { ReplicationSubnetGroupDescription: x, SubnetIds: [!Ref NetA, !Ref NetB] } }
  Rss: { Type: AWS::Redshift::ClusterSubnetGroup, Properties: { Description: x, SubnetIds: [!Ref NetA, !Ref NetB] } }
"#;

/// One of each service that may ask for a public address; `{group}` is the group it has, which lets `{from}` in.
const SERVICES: &str = r#"  {group}:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: "{group}"
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{ IpProtocol: tcp, FromPort: 1, ToPort: 65535, CidrIp: "{from}" }]
  Cluster{group}: { Type: AWS::Neptune::DBCluster, Properties: { DBSubnetGroupName: !Ref Nps, VpcSecurityGroupIds: [!Ref {group}] } }
  Rds{group}:
    Type: AWS::RDS::DBInstance
    Properties: { PubliclyAccessible: true, DBSubnetGroupName: !Ref Dbs, VPCSecurityGroups: [!Ref {group}] }
  Redshift{group}:
    Type: AWS::Redshift::Cluster
    Properties: { PubliclyAccessible: true, ClusterSubnetGroupName: !Ref Rss, VpcSecurityGroupIds: [!Ref {group}] }
  Dms{group}:
    Type: AWS::DMS::ReplicationInstance
    Properties: { PubliclyAccessible: true, ReplicationInstanceClass: dms.t3.medium, ReplicationSubnetGroupIdentifier: !Ref Dms, VpcSecurityGroupIds: [!Ref {group}] }
  Mq{group}:
    Type: AWS::AmazonMQ::Broker
    Properties: { PubliclyAccessible: true, SubnetIds: [!Ref NetA, !Ref NetB], SecurityGroups: [!Ref {group}] }
  Neptune{group}:
    Type: AWS::Neptune::DBInstance
    Properties: { PubliclyAccessible: true, DBInstanceClass: db.r6g.large, DBClusterIdentifier: !Ref Cluster{group}, DBSubnetGroupName: !Ref Nps }
  Msk{group}:
    Type: AWS::MSK::Cluster
    Properties:
      BrokerNodeGroupInfo:
        ClientSubnets: [!Ref NetA, !Ref NetB]
        SecurityGroups: [!Ref {group}]
        ConnectivityInfo: { PublicAccess: { Type: SERVICE_PROVIDED_EIPS } }
  Service{group}:
    Type: AWS::ECS::Service
    Properties:
      NetworkConfiguration:
        AwsvpcConfiguration: { AssignPublicIp: ENABLED, Subnets: [!Ref NetA], SecurityGroups: [!Ref {group}] }
  TaskSet{group}:
    Type: AWS::ECS::TaskSet
    Properties:
      NetworkConfiguration:
        AwsVpcConfiguration: { AssignPublicIp: ENABLED, Subnets: [!Ref NetA], SecurityGroups: [!Ref {group}] }
"#;

#[test]
fn a_public_address_that_nobody_gets_through_to_is_less_severe() {
    let dir = tempfile::tempdir().unwrap();
    let groups = [("Open", "0.0.0.0/0"), ("Shut", "10.0.0.0/16")];
    let services = groups.map(|(group, from)| SERVICES.replace("{group}", group).replace("{from}", from)).concat();
    std::fs::write(dir.path().join("stack.yaml"), format!("{NETWORK}{services}")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(["scan", "stack.yaml", "--format", "json"]).current_dir(dir.path()).env_clear().stdin(Stdio::null());
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let told: BTreeMap<&str, (&str, bool)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["check"].as_str().is_some_and(|check| check.contains("-public") && !check.ends_with("-subnet")))
        .map(|f| {
            let path = f["message"].as_str().unwrap().contains(": internet -> Igw -> ");
            (f["resource"]["id"].as_str().unwrap(), (f["severity"].as_str().unwrap(), path))
        })
        .collect();
    let services = ["Rds", "Redshift", "Dms", "Mq", "Neptune", "Msk", "Service", "TaskSet"];
    for service in services {
        let of = |group: &str| told.get(format!("{service}{group}").as_str()).copied();
        let worst = if matches!(service, "Rds" | "Redshift") { "critical" } else { "high" };
        assert_eq!(of("Open"), Some((worst, true)), "{service}");
        assert_eq!(of("Shut"), Some(("medium", false)), "{service}");
    }
    assert_eq!(told.len(), services.len() * 2, "{told:#?}");
}
