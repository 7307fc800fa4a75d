use super::*;
use crate::Limits;
use crate::cloudformation::{Parameters, read};

fn folded(text: &str) -> Snapshot {
    let mut snapshot = read(text, "t.yaml", &Parameters::default(), &Limits::default(), &|_, _| None);
    fold_into(&mut snapshot, FOLDS);
    snapshot
}

fn props(snapshot: &Snapshot, id: &str, key: &str) -> String {
    let resource = snapshot.resources.iter().find(|r| &*r.id == id).unwrap();
    model::to_json(resource.prop(key)).to_string()
}

const TEXT: &str = "
Parameters:
  Other: {Type: String}
Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 1}
  Ssh:
    Type: AWS::EC2::SecurityGroupIngress
    Properties:
      GroupId: !GetAtt Group.GroupId
      IpProtocol: tcp
      FromPort: 22
  Out:
    Type: AWS::EC2::SecurityGroupEgress
    Properties: {GroupId: !Ref Group, IpProtocol: '-1'}
  Elsewhere:
    Type: AWS::EC2::SecurityGroupEgress
    Properties: {GroupId: !Ref Other, IpProtocol: '-1'}
  Open:
    Type: AWS::EC2::SecurityGroup
    Properties:
      SecurityGroupIngress: !Ref Other
  IntoOpen:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref Open, IpProtocol: udp}
  Role:
    Type: AWS::IAM::Role
    Properties: {RoleName: worker}
  User:
    Type: AWS::IAM::User
  Policy:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: p
      PolicyDocument: {Statement: []}
      Roles: [worker, !Ref Other]
      Users: [!Ref User]
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties: {Roles: [!Ref Role, !Ref Role], PolicyDocument: {}}
  Members:
    Type: AWS::IAM::UserToGroupAddition
    Properties: {GroupName: admins, Users: [!Ref User]}
  Confused:
    Type: AWS::IAM::RolePolicy
    Properties: {RoleName: !Ref User, PolicyName: x, PolicyDocument: {}}
";

#[test]
fn separate_resources_go_where_they_belong() {
    let snapshot = folded(TEXT);
    for (id, key, want) in [
        ("Group", "SecurityGroupIngress", r#"[{"FromPort":1,"IpProtocol":"tcp"},{"FromPort":22,"IpProtocol":"tcp"}]"#),
        ("Group", "SecurityGroupEgress", r#"[{"IpProtocol":"-1"}]"#),
        ("Open", "SecurityGroupIngress", r#"{"$unknown":"parameter without a value: Other"}"#),
        ("Role", "Policies", r#"[{"PolicyDocument":{"Statement":[]},"PolicyName":"p"}]"#),
        ("Role", "ManagedPolicyArns", r#"[{"$link":"Managed"}]"#),
        ("User", "Policies", r#"[{"PolicyDocument":{"Statement":[]},"PolicyName":"p"}]"#),
        ("User", "Groups", r#"["admins"]"#),
    ] {
        assert_eq!(props(&snapshot, id, key), want, "{id}.{key}");
    }
    assert!(snapshot.resources.iter().any(|r| &*r.id == "Ssh"), "the separate resource is kept");
}

#[test]
fn a_folded_row_points_to_where_it_was_written() {
    let snapshot = folded(TEXT);
    let group = &snapshot.resources[0];
    assert_eq!(group.place("SecurityGroupIngress[0].FromPort").map(|s| s.line), Some(9));
    assert_eq!(group.place("SecurityGroupIngress[1].FromPort").map(|s| s.line), Some(15));
    assert_eq!(group.place("SecurityGroupIngress[1].CidrIp").map(|s| s.line), Some(10));
}

#[test]
fn worlds_are_folded_apart() {
    let text = "
Parameters: {P: {Type: String, AllowedValues: [a, b]}}
Conditions: {C: !Equals [!Ref P, a]}
Resources:
  Group: {Type: AWS::EC2::SecurityGroup}
  Rule: {Type: AWS::EC2::SecurityGroupIngress, Condition: C, Properties: {GroupId: !Ref Group}}
";
    let snapshot = folded(text);
    let rules: Vec<bool> =
        snapshot.resources.iter().filter(|r| &*r.id == "Group").map(|r| r.prop("SecurityGroupIngress").is_null()).collect();
    assert_eq!(rules, [false, true]);
}
