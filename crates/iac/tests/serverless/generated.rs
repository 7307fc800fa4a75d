//! Templates put together at random from pieces that SAM accepts in any combination. Same seed, same template.

use serde_json::{Map, Value as Json, json};

/// A small generator of numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// Members of a pool, each with a chance of one in `of`; later ones of one name replace earlier ones.
    fn some(&mut self, pool: &[(&str, &str)], of: u64) -> Map<String, Json> {
        let mut all = Map::new();
        for (key, value) in pool {
            if self.roll(of) == 0 {
                all.insert((*key).to_owned(), serde_json::from_str(value).unwrap());
            }
        }
        all
    }
}

const FUNCTION: &[(&str, &str)] = &[
    ("FunctionName", r#"{"Fn::Sub": "f-${Stage}"}"#),
    ("Description", r#""words""#),
    ("MemorySize", "256"),
    ("Timeout", r#"{"Ref": "Seconds"}"#),
    ("VpcConfig", r#"{"SubnetIds": ["subnet-1"], "SecurityGroupIds": [{"Ref": "Group"}]}"#),
    ("Environment", r#"{"Variables": {"A": "b", "TABLE": {"Ref": "Table"}}}"#),
    ("Tags", r#"{"one": "two", "stage": {"Ref": "Stage"}}"#),
    ("PropagateTags", "true"),
    ("Tracing", r#""Active""#),
    ("Tracing", r#""Disabled""#),
    ("KmsKeyArn", r#""arn:aws:kms:us-east-1:1:key/k""#),
    ("Layers", r#"[{"Ref": "Layer"}]"#),
    ("DeadLetterQueue", r#"{"Type": "SQS", "TargetArn": {"Fn::GetAtt": ["Queue", "Arn"]}}"#),
    ("DeadLetterQueue", r#"{"Type": "SNS", "TargetArn": {"Ref": "Topic"}}"#),
    ("ReservedConcurrentExecutions", "3"),
    ("AutoPublishAlias", r#""live""#),
    ("AutoPublishAlias", r#"{"Ref": "Stage"}"#),
    ("FunctionUrlConfig", r#"{"AuthType": "NONE"}"#),
    ("FunctionUrlConfig", r#"{"AuthType": {"Ref": "UrlAuth"}}"#),
    ("FunctionUrlConfig", r#"{"AuthType": "AWS_IAM", "Cors": {"AllowOrigins": ["*"]}}"#),
    ("EventInvokeConfig", r#"{"MaximumRetryAttempts": 1, "DestinationConfig": {"OnFailure": {"Type": "SQS"}}}"#),
    (
        "EventInvokeConfig",
        r#"{"DestinationConfig": {"OnSuccess": {"Type": "SNS"}, "OnFailure": {"Type": "Lambda", "Destination": {"Ref": "Topic"}}}}"#,
    ),
    ("Policies", r#"["AmazonS3ReadOnlyAccess", {"DynamoDBReadPolicy": {"TableName": {"Ref": "Table"}}}]"#),
    ("Policies", r#"[{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}, {"Ref": "Managed"}]"#),
    (
        "Policies",
        r#"[{"SQSPollerPolicy": {"QueueName": {"Fn::GetAtt": ["Queue", "QueueName"]}}}, {"Fn::If": ["IsProd", "AWSLambdaRole", {"Ref": "AWS::NoValue"}]}]"#,
    ),
    ("Role", r#"{"Fn::GetAtt": ["OwnRole", "Arn"]}"#),
    ("PermissionsBoundary", r#""arn:aws:iam::1:policy/edge""#),
    ("RolePath", r#""/p/""#),
    ("Architectures", r#"["arm64"]"#),
    ("EphemeralStorage", r#"{"Size": 1024}"#),
    ("LoggingConfig", r#"{"LogFormat": "JSON"}"#),
];

const EVENTS: &[&str] = &[
    r#"{"Type": "Schedule", "Properties": {"Schedule": "rate(1 day)", "Enabled": true}}"#,
    r#"{"Type": "Schedule", "Properties": {"Schedule": "rate(2 days)", "Enabled": {"Ref": "Off"}}}"#,
    r#"{"Type": "Schedule", "Properties": {"Schedule": {"Fn::Sub": "rate(${Seconds} minutes)"}, "DeadLetterConfig": {"Type": "SQS"}}}"#,
    r#"{"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "rate(1 day)", "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}}}"#,
    r#"{"Type": "EventBridgeRule", "Properties": {"Pattern": {"source": ["aws.ec2"]}, "RetryPolicy": {"MaximumRetryAttempts": 2}}}"#,
    r#"{"Type": "CloudWatchEvent", "Properties": {"Pattern": {"source": ["x"]}, "Input": "{}"}}"#,
    r#"{"Type": "S3", "Properties": {"Bucket": {"Ref": "Bucket"}, "Events": "s3:ObjectCreated:*"}}"#,
    r#"{"Type": "SNS", "Properties": {"Topic": {"Ref": "Topic"}}}"#,
    r#"{"Type": "SNS", "Properties": {"Topic": {"Ref": "Topic"}, "SqsSubscription": true}}"#,
    r#"{"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["Queue", "Arn"]}, "BatchSize": 5}}"#,
    r#"{"Type": "Kinesis", "Properties": {"Stream": {"Fn::GetAtt": ["Stream", "Arn"]}, "StartingPosition": "LATEST"}}"#,
    r#"{"Type": "DynamoDB", "Properties": {"Stream": {"Fn::GetAtt": ["Table", "StreamArn"]}, "StartingPosition": "LATEST", "DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": {"Fn::GetAtt": ["Queue", "Arn"]}}}}}"#,
    r#"{"Type": "IoTRule", "Properties": {"Sql": "SELECT 1"}}"#,
    r#"{"Type": "AlexaSkill"}"#,
    r#"{"Type": "CloudWatchLogs", "Properties": {"LogGroupName": {"Ref": "Logs"}, "FilterPattern": "x"}}"#,
];

const AUTH: &[&str] = &[
    "",
    r#"{"Authorizer": "Users"}"#,
    r#"{"Authorizer": "NONE"}"#,
    r#"{"Authorizer": "AWS_IAM"}"#,
    r#"{"ApiKeyRequired": true}"#,
];

const API: &[(&str, &str)] = &[
    ("Name", r#""named""#),
    ("Description", r#""d""#),
    ("Cors", r#""'*'""#),
    ("Cors", r#"{"AllowOrigin": "'https://x'", "AllowMethods": "'GET'", "MaxAge": "'5'"}"#),
    ("EndpointConfiguration", r#"{"Type": "REGIONAL"}"#),
    ("TracingEnabled", "true"),
    ("OpenApiVersion", r#""3.0.1""#),
    ("Tags", r#"{"a": "b"}"#),
    ("PropagateTags", "true"),
    ("BinaryMediaTypes", r#"["*~1*"]"#),
    ("MethodSettings", r#"[{"HttpMethod": "*", "ResourcePath": "/*", "LoggingLevel": "INFO"}]"#),
    ("AccessLogSetting", r#"{"DestinationArn": {"Fn::GetAtt": ["Logs", "Arn"]}}"#),
    ("Models", r#"{"Item": {"type": "object"}}"#),
    ("GatewayResponses", r#"{"DEFAULT_5XX": {"ResponseParameters": {"Headers": {"A": "'b'"}}}}"#),
    ("DisableExecuteApiEndpoint", "true"),
    (
        "Domain",
        r#"{"DomainName": {"Fn::Sub": "${Stage}.example"}, "CertificateArn": "arn:c", "Route53": {"HostedZoneId": "Z1"}}"#,
    ),
    ("FailOnWarnings", "true"),
];

const HTTP_API: &[(&str, &str)] = &[
    ("Name", r#""named""#),
    ("Description", r#""d""#),
    ("StageName", r#""prod""#),
    ("CorsConfiguration", "true"),
    ("CorsConfiguration", r#"{"AllowOrigins": ["https://x"], "AllowHeaders": ["a"]}"#),
    ("Tags", r#"{"a": "b"}"#),
    ("DisableExecuteApiEndpoint", "true"),
    ("FailOnWarnings", "true"),
    ("AccessLogSettings", r#"{"DestinationArn": {"Fn::GetAtt": ["Logs", "Arn"]}}"#),
    ("DefaultRouteSettings", r#"{"ThrottlingBurstLimit": 1}"#),
    ("Domain", r#"{"DomainName": "h.example", "CertificateArn": "arn:c", "BasePath": ["a"]}"#),
];

const METHODS: &[&str] = &["get", "POST", "any", "Delete"];

fn pick<'p>(dice: &mut Dice, pool: &[&'p str]) -> &'p str {
    let at = dice.roll(pool.len() as u64) as usize;
    pool.get(at).copied().unwrap_or_default()
}

fn function(dice: &mut Dice, number: u64) -> Json {
    let mut props = dice.some(FUNCTION, 4);
    props.insert("Handler".to_owned(), "a.b".into());
    props.insert("CodeUri".to_owned(), format!("s3://code/{number}.zip").into());
    if props.contains_key("AutoPublishAlias") && dice.roll(2) == 0 {
        props.insert("DeploymentPreference".to_owned(), json!({ "Type": "Linear10PercentEvery1Minute" }));
    }
    let mut events = Map::new();
    for at in 0..dice.roll(6) {
        let text = pick(dice, EVENTS);
        events.insert(format!("E{at}"), serde_json::from_str(text).unwrap());
    }
    // SAM leaves `OPTIONS` of paths that hang on a condition as Swagger 2 has it.
    let conditional = dice.roll(5) == 0;
    for at in 0..dice.roll(4) {
        let path = format!("/f{number}/{at}/{{id}}");
        let mut event = json!({ "Path": path, "Method": pick(dice, METHODS) });
        let kind = match dice.roll(4) {
            1 if conditional => "Api",
            0 => "Api",
            1 => {
                event["RestApiId"] = json!({ "Ref": "Api" });
                let auth = pick(dice, AUTH);
                if !auth.is_empty() {
                    event["Auth"] = serde_json::from_str(auth).unwrap();
                }
                "Api"
            }
            2 => "HttpApi",
            _ => {
                event["ApiId"] = json!({ "Ref": "Http" });
                "HttpApi"
            }
        };
        events.insert(format!("A{at}"), json!({ "Type": kind, "Properties": event }));
    }
    if !events.is_empty() {
        props.insert("Events".to_owned(), events.into());
    }
    let mut whole = json!({ "Type": "AWS::Serverless::Function", "Properties": props });
    if conditional {
        whole["Condition"] = "IsProd".into();
    }
    whole
}

fn api(dice: &mut Dice) -> Json {
    let mut props = dice.some(API, 4);
    props.insert("StageName".to_owned(), if dice.roll(2) == 0 { "prod".into() } else { json!({ "Ref": "Stage" }) });
    let mut auth = json!({ "DefaultAuthorizer": "Users", "Authorizers": { "Users": { "UserPoolArn": { "Fn::GetAtt": ["Users", "Arn"] } } } });
    if dice.roll(3) == 0 {
        auth["ApiKeyRequired"] = true.into();
    }
    if dice.roll(3) == 0 {
        auth["AddDefaultAuthorizerToCorsPreflight"] = false.into();
    }
    if dice.roll(3) == 0 {
        auth["UsagePlan"] = json!({ "CreateUsagePlan": if dice.roll(2) == 0 { "PER_API" } else { "SHARED" } });
    }
    if dice.roll(3) == 0 {
        auth["Authorizers"]["Called"] = json!({ "FunctionArn": "arn:aws:lambda:us-east-1:1:function:f" });
    }
    props.insert("Auth".to_owned(), auth);
    json!({ "Type": "AWS::Serverless::Api", "Properties": props })
}

/// The template of a seed.
pub(crate) fn template(seed: u64) -> Json {
    let mut dice = Dice(seed);
    let mut resources = json!({
        "Table": { "Type": "AWS::Serverless::SimpleTable" },
        "Layer": { "Type": "AWS::Serverless::LayerVersion", "Properties": { "ContentUri": "s3://code/layer.zip" } },
        "Group": { "Type": "AWS::EC2::SecurityGroup", "Properties": { "GroupDescription": "g" } },
        "Bucket": { "Type": "AWS::S3::Bucket" },
        "Topic": { "Type": "AWS::SNS::Topic" },
        "Queue": { "Type": "AWS::SQS::Queue" },
        "Stream": { "Type": "AWS::Kinesis::Stream" },
        "Logs": { "Type": "AWS::Logs::LogGroup" },
        "Users": { "Type": "AWS::Cognito::UserPool" },
        "Managed": { "Type": "AWS::IAM::ManagedPolicy", "Properties": { "PolicyDocument": { "Statement": [] } } },
        "OwnRole": { "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": { "Statement": [] } } },
        "Api": api(&mut dice),
        "Http": { "Type": "AWS::Serverless::HttpApi", "Properties": dice.some(HTTP_API, 4) },
    });
    for number in 0..=dice.roll(4) {
        resources[format!("F{number}")] = function(&mut dice, number);
    }
    let mut globals = Map::new();
    globals.insert("Runtime".to_owned(), "python3.13".into());
    for (key, value) in
        [("Timeout", json!(7)), ("Tags", json!({ "all": "x" })), ("Environment", json!({ "Variables": { "G": "h" } }))]
    {
        if dice.roll(3) == 0 {
            globals.insert(key.to_owned(), value);
        }
    }
    json!({
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {
            "Stage": { "Type": "String", "Default": "prod" },
            "UrlAuth": { "Type": "String", "Default": "NONE" },
            "Off": { "Type": "String", "Default": "false" },
            "Seconds": { "Type": "Number", "Default": 5 },
        },
        "Conditions": { "IsProd": { "Fn::Equals": [{ "Ref": "Stage" }, "prod"] } },
        "Globals": { "Function": globals },
        "Resources": resources,
    })
}
