use model::Snapshot;
use proptest::prelude::*;

use super::super::{Loaded, Parameters, read};
use crate::Limits;

fn read_with(text: &str, limits: &Limits) -> Snapshot {
    let load = |_: &str, _: &str| None::<Loaded>;
    read(text, "t.yaml", &Parameters::default(), limits, &load)
}

#[test]
fn what_is_made_points_at_what_it_comes_from() {
    let text = "\
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: {Palisade: {accept: {check: some-check, reason: because}}}
    Properties:
      Handler: a.b
      CodeUri: s3://c/k
      MemorySize: 128
      Policies:
        - Statement:
            - Effect: Allow
              Action: '*'
      Events:
        Often:
          Type: Schedule
          Properties: {Schedule: rate(1 day)}
        Get:
          Type: Api
          Properties: {Path: /, Method: get}
";
    let snapshot = read_with(text, &Limits::default());
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    let of = |id: &str| snapshot.resources.iter().find(|r| &*r.id == id).unwrap();
    let line = |id: &str, path: &str| of(id).place(path).map(|span| span.line);
    assert_eq!((line("F", "MemorySize"), line("F", "Code")), (Some(9), Some(8)));
    assert_eq!(line("FRole", "Policies[0].PolicyDocument.Statement[0].Action"), Some(13));
    assert_eq!((line("FRole", ""), line("FOften", "ScheduleExpression"), line("FOften", "")), (Some(3), Some(17), Some(15)));
    assert_eq!((line("FOftenPermission", "Principal"), line("ServerlessRestApi", "")), (Some(15), Some(18)));
    assert!(snapshot.resources.iter().all(|r| r.origin.accepted.len() == 1));
}

#[test]
fn a_nested_application_is_expanded_under_its_own_name() {
    let inner = "\
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, CodeUri: ./src, AutoPublishAlias: live, Events: {Get: {Type: HttpApi}}}
Outputs:
  Alias: {Value: !Ref F.Alias}
  Api: {Value: !Ref ServerlessHttpApi}
";
    let outer = "\
Transform: AWS::Serverless-2016-10-31
Resources:
  App: {Type: AWS::Serverless::Application, Properties: {Location: inner.yaml}}
  P: {Type: Custom::P, Properties: {Alias: !GetAtt App.Outputs.Alias, Api: !GetAtt App.Outputs.Api}}
";
    let load = |_: &str, place: &str| Some(Loaded { file: place.to_owned(), text: inner.to_owned() });
    let snapshot = read(outer, "t.yaml", &Parameters::default(), &Limits::default(), &load);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    let of = |id: &str| snapshot.resources.iter().find(|r| &*r.id == id).unwrap();
    assert_eq!(of("App").type_name.as_str(), "AWS::CloudFormation::Stack");
    assert_eq!(of("App/F").type_name.as_str(), "AWS::Lambda::Function");
    assert_eq!(of("P").prop("Alias"), &model::Value::link("App/FAliaslive", ""));
    assert_eq!(of("P").prop("Api"), &model::Value::link("App/ServerlessHttpApi", ""));
    assert_eq!(of("App/F").prop("Role"), &model::Value::link("App/FRole", "Arn"));
}

#[test]
fn expansion_cannot_explode() {
    let accounts = vec!["'111122223333'"; 2_000].join(", ");
    let mut text = format!(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Api:\n    Type: AWS::Serverless::Api\n    Properties: {{StageName: p, \
         Auth: {{ResourcePolicy: {{AwsAccountWhitelist: [{accounts}]}}}}}}\n  F:\n    Type: AWS::Serverless::Function\n    \
         Properties:\n      InlineCode: x\n      Events:\n"
    );
    for n in 0..2_000 {
        text.push_str(&format!("        E{n}: {{Type: Api, Properties: {{RestApiId: !Ref Api, Path: /{n}, Method: get}}}}\n"));
    }
    let limits = Limits { work_max: 1_000_000, ..Limits::default() };
    let snapshot = read_with(&text, &limits);
    assert_eq!(snapshot.gaps.iter().filter(|g| g.help.as_deref() == Some("the limit is `work_max`")).count(), 1);
}

/// Serverless resources with anything where something is expected.
fn template() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[A-Za-z/${}.]{0,6}",
        Just("!Ref A".to_owned()),
        Just("!GetAtt A.Arn".to_owned()),
        Just("!Ref AWS::Region".to_owned()),
        Just("!If [C, a, b]".to_owned()),
        Just("NONE".to_owned()),
        Just("/p/{x}".to_owned()),
        Just("get".to_owned()),
        Just("1".to_owned()),
        Just("true".to_owned()),
    ]
    .prop_map(|text| if text.starts_with('!') { text } else { format!("'{text}'") });
    let key = prop::sample::select(vec![
        "Type",
        "Properties",
        "Events",
        "Path",
        "Method",
        "RestApiId",
        "ApiId",
        "Auth",
        "Authorizers",
        "DefaultAuthorizer",
        "Policies",
        "Statement",
        "Tags",
        "Domain",
        "DomainName",
        "CertificateArn",
        "Route53",
        "HostedZoneId",
        "paths",
        "openapi",
        "Cors",
        "ResourcePolicy",
        "Source",
        "Destination",
        "Id",
        "Routes",
        "FunctionArn",
        "DataSources",
        "DynamoDb",
        "Functions",
        "Resolvers",
        "AutoPublishAlias",
        "CodeUri",
        "x",
    ]);
    let node = leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[{}]", v.join(", "))),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|v| format!("{{{}}}", v.into_iter().map(|(k, v)| format!("{k}: {v}")).collect::<Vec<_>>().join(", "))),
        ]
    });
    let kind = prop::sample::select(vec![
        "Function",
        "Api",
        "HttpApi",
        "WebSocketApi",
        "SimpleTable",
        "LayerVersion",
        "Application",
        "StateMachine",
        "Connector",
        "GraphQLApi",
        "CapacityProvider",
        "NetworkConnector",
        "MicrovmImage",
        "WebFunction",
        "Else",
    ]);
    let property = prop::sample::select(vec![
        "Events",
        "Auth",
        "Cors",
        "CorsConfiguration",
        "DefinitionBody",
        "Definition",
        "Policies",
        "Domain",
        "Tags",
        "Source",
        "Destination",
        "Permissions",
        "Routes",
        "DataSources",
        "Functions",
        "Resolvers",
        "EventInvokeConfig",
        "DeploymentPreference",
        "AutoPublishAlias",
        "FunctionUrlConfig",
        "CodeUri",
        "ContentUri",
        "Models",
        "GatewayResponses",
        "StageName",
        "Logging",
        "ReplicaRegions",
        "PrimaryKey",
        "Location",
        "EndpointConfiguration",
        "MergeDefinitions",
        "OpenApiVersion",
    ]);
    let properties = prop::collection::vec((property, node.clone()), 0..8);
    let event = prop::sample::select(vec![
        "Api",
        "HttpApi",
        "Schedule",
        "ScheduleV2",
        "S3",
        "SNS",
        "SQS",
        "Kinesis",
        "DynamoDB",
        "MSK",
        "MQ",
        "SelfManagedKafka",
        "DocumentDB",
        "IoTRule",
        "AlexaSkill",
        "Cognito",
        "CloudWatchLogs",
        "EventBridgeRule",
        "Odd",
    ]);
    let events = prop::collection::vec((event, node), 0..4);
    prop::collection::vec((kind, properties, events), 1..4).prop_map(|resources| {
        let mut text = String::from("Transform: AWS::Serverless-2016-10-31\nConditions: {C: !Equals [a, a]}\nResources:\n");
        for (at, (kind, properties, events)) in resources.into_iter().enumerate() {
            let id = ["A", "B", "D"].get(at).copied().unwrap_or("E");
            text.push_str(&format!("  {id}:\n    Type: AWS::Serverless::{kind}\n    Properties:\n      x: 1\n"));
            for (key, value) in properties {
                text.push_str(&format!("      {key}: {value}\n"));
            }
            if !events.is_empty() {
                text.push_str("      Events:\n");
            }
            for (at, (kind, properties)) in events.into_iter().enumerate() {
                text.push_str(&format!("        E{at}: {{Type: {kind}, Properties: {properties}}}\n"));
            }
        }
        text
    })
}

proptest! {
    #[test]
    fn no_serverless_template_panics(text in template()) {
        let first = read_with(&text, &Limits::default());
        prop_assert_eq!(first, read_with(&text, &Limits::default()));
    }
}
