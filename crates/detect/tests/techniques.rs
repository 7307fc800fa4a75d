//! The calls that attackers are known to make, technique by technique, written from Stratus Red Team's public
//! descriptions (<https://stratus-red-team.cloud/attack-techniques/AWS/>): each is caught, most at high.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use std::path::Path;

use detect::{Engine, Matcher, Options, RuleSet, compile};
use logs::cloudtrail::{Item, Reader};
use model::Severity;

/// Technique, and its calls: service, call, parameters (`#` becomes the number of the repetition), how often, error.
type Call = (&'static str, &'static str, &'static str, usize, &'static str);

const USER: &str = r#"{"type":"IAMUser","principalId":"AIDAX","arn":"arn:aws:iam::111122223333:user/mallory","accountId":"111122223333","accessKeyId":"AKIAX","userName":"mallory"}"#;
const ROLE: &str = r#"{"type":"AssumedRole","principalId":"AROAX:s","arn":"arn:aws:sts::111122223333:assumed-role/some-role/s","accountId":"111122223333","accessKeyId":"ASIAX","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/some-role","userName":"some-role"},"attributes":{"mfaAuthenticated":"false"}}}"#;
const INSTANCE: &str = r#"{"type":"AssumedRole","principalId":"AROAX:i-0123456789abcdef0","arn":"arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0","accountId":"111122223333","accessKeyId":"ASIAI","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/web","userName":"web"},"ec2RoleDelivery":"2.0"}}"#;

const TECHNIQUES: &[(&str, &str, &[Call])] = &[
    ("console sign-in without MFA", USER, &[("signin", "ConsoleLogin", "null", 1, "")]),
    (
        "unusual instances",
        ROLE,
        &[("ec2", "RunInstances", r#"{"instanceType":"p2.xlarge","maxCount":10}"#, 1, "Client.UnauthorizedOperation")],
    ),
    (
        "user data",
        USER,
        &[
            ("ec2", "StopInstances", r#"{"instancesSet":{"items":[{"instanceId":"i-1"}]}}"#, 1, ""),
            ("ec2", "ModifyInstanceAttribute", r#"{"instanceId":"i-1","userData":"<sensitiveDataRemoved>"}"#, 1, ""),
            ("ec2", "StartInstances", r#"{"instancesSet":{"items":[{"instanceId":"i-1"}]}}"#, 1, ""),
        ],
    ),
    (
        "SageMaker lifecycle",
        USER,
        &[
            ("sagemaker", "StopNotebookInstance", r#"{"notebookInstanceName":"n"}"#, 1, ""),
            (
                "sagemaker",
                "UpdateNotebookInstanceLifecycleConfig",
                r#"{"notebookInstanceLifecycleConfigName":"l","onStart":[{"content":"x"}]}"#,
                1,
                "",
            ),
            ("sagemaker", "StartNotebookInstance", r#"{"notebookInstanceName":"n"}"#, 1, ""),
        ],
    ),
    (
        "SSM command",
        USER,
        &[(
            "ssm",
            "SendCommand",
            r#"{"documentName":"AWS-RunShellScript","instanceIds":["i-1","i-2","i-3"],"parameters":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
            1,
            "",
        )],
    ),
    ("SSM sessions", USER, &[("ssm", "StartSession", r#"{"target":"i-#"}"#, 3, "")]),
    (
        "role backdoored",
        USER,
        &[(
            "iam",
            "UpdateAssumeRolePolicy",
            r#"{"roleName":"r","policyDocument":"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::193672423079:root\"},\"Action\":\"sts:AssumeRole\"}]}"}"#,
            1,
            "",
        )],
    ),
    ("access key for another user", USER, &[("iam", "CreateAccessKey", r#"{"userName":"victim"}"#, 1, "")]),
    (
        "admin user",
        USER,
        &[
            ("iam", "CreateUser", r#"{"userName":"evil"}"#, 1, ""),
            (
                "iam",
                "AttachUserPolicy",
                r#"{"userName":"evil","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#,
                1,
                "",
            ),
            ("iam", "CreateAccessKey", r#"{"userName":"evil"}"#, 1, ""),
        ],
    ),
    (
        "role for outside",
        USER,
        &[
            (
                "iam",
                "CreateRole",
                r#"{"roleName":"evil","assumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::193672423079:root\"},\"Action\":\"sts:AssumeRole\"}]}"}"#,
                1,
                "",
            ),
            (
                "iam",
                "AttachRolePolicy",
                r#"{"roleName":"evil","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#,
                1,
                "",
            ),
        ],
    ),
    ("login profile made", USER, &[("iam", "CreateLoginProfile", r#"{"userName":"victim"}"#, 1, "")]),
    ("login profile changed", USER, &[("iam", "UpdateLoginProfile", r#"{"userName":"victim"}"#, 1, "")]),
    (
        "function opened",
        USER,
        &[(
            "lambda",
            "AddPermission20150331v2",
            r#"{"functionName":"f","statementId":"s","action":"lambda:InvokeFunction","principal":"*"}"#,
            1,
            "",
        )],
    ),
    (
        "function layer",
        USER,
        &[(
            "lambda",
            "UpdateFunctionConfiguration20150331v2",
            r#"{"functionName":"f","layers":["arn:aws:lambda:us-east-1:193672423079:layer:evil:1"]}"#,
            1,
            "",
        )],
    ),
    (
        "function code",
        USER,
        &[("lambda", "UpdateFunctionCode20150331v2", r#"{"functionName":"f","publish":false,"dryRun":false}"#, 1, "")],
    ),
    (
        "trust anchor",
        USER,
        &[
            (
                "rolesanywhere",
                "CreateTrustAnchor",
                r#"{"name":"a","enabled":true,"source":{"sourceType":"CERTIFICATE_BUNDLE"}}"#,
                1,
                "",
            ),
            ("rolesanywhere", "CreateProfile", r#"{"name":"p","roleArns":["arn:aws:iam::111122223333:role/r"]}"#, 1, ""),
        ],
    ),
    (
        "federation token",
        USER,
        &[(
            "sts",
            "GetFederationToken",
            r#"{"name":"x","policy":"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}"#,
            1,
            "",
        )],
    ),
    ("key pair", USER, &[("ec2", "CreateKeyPair", r#"{"keyName":"xg1"}"#, 1, "")]),
    ("Cognito token", USER, &[("cognito-idp", "GetTokensFromRefreshToken", r#"{"clientId":"c"}"#, 1, "")]),
    ("trail deleted", USER, &[("cloudtrail", "DeleteTrail", r#"{"name":"t"}"#, 1, "")]),
    (
        "trail selectors",
        USER,
        &[(
            "cloudtrail",
            "PutEventSelectors",
            r#"{"trailName":"t","eventSelectors":[{"readWriteType":"ReadOnly","includeManagementEvents":false,"dataResources":[]}]}"#,
            1,
            "",
        )],
    ),
    (
        "trail bucket lifecycle",
        USER,
        &[(
            "s3",
            "PutBucketLifecycle",
            r#"{"bucketName":"b","lifecycle":"","LifecycleConfiguration":{"Rule":{"ID":"r","Status":"Enabled","Prefix":"*","Expiration":{"Days":1}}}}"#,
            1,
            "",
        )],
    ),
    ("trail stopped", USER, &[("cloudtrail", "StopLogging", r#"{"name":"t"}"#, 1, "")]),
    (
        "DNS logs deleted",
        USER,
        &[("route53resolver", "DeleteResolverQueryLogConfig", r#"{"resolverQueryLogConfigId":"r"}"#, 1, "")],
    ),
    ("organization left", ROLE, &[("organizations", "LeaveOrganization", "null", 1, "AccessDenied")]),
    (
        "flow logs deleted",
        USER,
        &[("ec2", "DeleteFlowLogs", r#"{"DeleteFlowLogsRequest":{"FlowLogId":{"tag":1,"content":"fl-1"}}}"#, 1, "")],
    ),
    ("guardrail deleted", USER, &[("bedrock", "DeleteGuardrail", r#"{"guardrailIdentifier":"g"}"#, 1, "")]),
    ("model logging deleted", USER, &[("bedrock", "DeleteModelInvocationLoggingConfiguration", "null", 1, "")]),
    ("password data", ROLE, &[("ec2", "GetPasswordData", r#"{"instanceId":"i-#"}"#, 30, "Client.UnauthorizedOperation")]),
    (
        "instance credentials elsewhere",
        INSTANCE,
        &[("sts", "GetCallerIdentity", "null", 1, ""), ("ec2", "DescribeInstances", "{}", 1, "")],
    ),
    (
        "secrets in batches",
        USER,
        &[("secretsmanager", "BatchGetSecretValue", r#"{"filters":[{"key":"tag-key","values":["x"]}]}"#, 3, "")],
    ),
    ("secrets one by one", USER, &[("secretsmanager", "GetSecretValue", r#"{"secretId":"s-#"}"#, 20, "")]),
    (
        "parameters decrypted",
        USER,
        &[
            ("ssm", "DescribeParameters", "{}", 1, ""),
            (
                "ssm",
                "GetParameters",
                r#"{"names":["p-#0","p-#1","p-#2","p-#3","p-#4","p-#5","p-#6","p-#7","p-#8","p-#9"],"withDecryption":true}"#,
                4,
                "",
            ),
        ],
    ),
    (
        "enumeration from an instance",
        INSTANCE,
        &[
            ("sts", "GetCallerIdentity", "null", 1, ""),
            ("s3", "ListBuckets", "null", 1, ""),
            ("iam", "GetAccountSummary", "null", 1, ""),
            ("iam", "ListRoles", "null", 1, ""),
            ("iam", "ListUsers", "null", 1, "AccessDenied"),
            ("iam", "GetAccountAuthorizationDetails", "null", 1, "AccessDenied"),
            ("ec2", "DescribeSnapshots", "{}", 1, ""),
            ("cloudtrail", "DescribeTrails", "null", 1, ""),
            ("guardduty", "ListDetectors", "null", 1, ""),
        ],
    ),
    (
        "user data read",
        ROLE,
        &[(
            "ec2",
            "DescribeInstanceAttribute",
            r#"{"instanceId":"i-#","attribute":"userData"}"#,
            15,
            "Client.InvalidInstanceID.NotFound",
        )],
    ),
    (
        "SES looked over",
        USER,
        &[
            ("ses", "GetAccountSendingEnabled", "null", 1, ""),
            ("ses", "GetSendQuota", "null", 1, ""),
            ("ses", "ListIdentities", "null", 1, ""),
            ("ses", "GetIdentityVerificationAttributes", "null", 1, ""),
        ],
    ),
    (
        "models tried in regions",
        USER,
        &[("bedrock", "InvokeModel", r#"{"modelId":"anthropic.claude-3-5-sonnet"}"#, 6, "ValidationException")],
    ),
    ("screens", ROLE, &[("ec2", "GetConsoleScreenshot", r#"{"instanceId":"i-#"}"#, 5, "Client.UnauthorizedOperation")]),
    (
        "serial console",
        USER,
        &[
            ("ec2", "EnableSerialConsoleAccess", "{}", 1, ""),
            ("ec2-instance-connect", "SendSerialConsoleSSHPublicKey", r#"{"instanceId":"i-1","serialPort":0}"#, 1, ""),
        ],
    ),
    (
        "instance connect",
        USER,
        &[("ec2-instance-connect", "SendSSHPublicKey", r#"{"instanceId":"i-#","instanceOSUser":"ec2-user"}"#, 3, "")],
    ),
    (
        "port 22 opened",
        USER,
        &[(
            "ec2",
            "AuthorizeSecurityGroupIngress",
            r#"{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}"#,
            1,
            "",
        )],
    ),
    (
        "image shared",
        USER,
        &[(
            "ec2",
            "ModifyImageAttribute",
            r#"{"imageId":"ami-1","launchPermission":{"add":{"items":[{"userId":"193672423079"}]}}}"#,
            1,
            "",
        )],
    ),
    (
        "image opened to all",
        USER,
        &[(
            "ec2",
            "ModifyImageAttribute",
            r#"{"imageId":"ami-1","launchPermission":{"add":{"items":[{"group":"all"}]}}}"#,
            1,
            "",
        )],
    ),
    (
        "disk snapshot shared",
        USER,
        &[(
            "ec2",
            "ModifySnapshotAttribute",
            r#"{"snapshotId":"snap-1","attributeType":"CREATE_VOLUME_PERMISSION","createVolumePermission":{"add":{"items":[{"userId":"193672423079"}]}}}"#,
            1,
            "",
        )],
    ),
    (
        "database snapshot shared",
        USER,
        &[(
            "rds",
            "ModifyDBSnapshotAttribute",
            r#"{"dBSnapshotIdentifier":"s","attributeName":"restore","valuesToAdd":["193672423079"]}"#,
            1,
            "",
        )],
    ),
    (
        "bucket policy",
        USER,
        &[(
            "s3",
            "PutBucketPolicy",
            r#"{"bucketName":"b","policy":"","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::193672423079:root"},"Action":["s3:GetObject"],"Resource":"arn:aws:s3:::b/*"}]}}"#,
            1,
            "",
        )],
    ),
    ("model invoked", USER, &[("bedrock", "InvokeModel", r#"{"modelId":"anthropic.claude-v2"}"#, 1, "")]),
    ("image deregistered", USER, &[("ec2", "DeregisterImage", r#"{"imageId":"ami-1"}"#, 1, "")]),
    (
        "objects deleted in batches",
        USER,
        &[
            ("s3", "DeleteObjects", r#"{"bucketName":"b","delete":""}"#, 2, ""),
            ("s3", "PutObject", r#"{"bucketName":"b","key":"FILES-DELETED.txt"}"#, 1, ""),
        ],
    ),
    ("objects deleted one by one", USER, &[("s3", "DeleteObject", r#"{"bucketName":"b","key":"k-#"}"#, 50, "")]),
    (
        "objects encrypted by a customer's key",
        USER,
        &[(
            "s3",
            "PutObject",
            r#"{"bucketName":"b","key":"k-#","x-amz-server-side-encryption-customer-algorithm":"AES256"}"#,
            20,
            "",
        )],
    ),
];

/// The records of a technique, a few seconds apart, in one Region after another where errors come.
fn records(name: &str, who: &str, calls: &[Call]) -> String {
    let (mut text, mut number) = (String::new(), 0);
    for (service, call, parameters, count, error) in calls {
        for n in 0..*count {
            number += 1;
            let time = logs::time::text(1_772_452_800 + number * 4);
            let error = if error.is_empty() { String::new() } else { format!(r#""errorCode":"{error}","#) };
            let region = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1"].iter().cycle().nth(n).unwrap();
            let sign_in = if *call == "ConsoleLogin" {
                r#""responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"No"},"#
            } else if parameters.contains("customer-algorithm") {
                r#""additionalEventData":{"SSEApplied":"SSE_C"},"#
            } else {
                ""
            };
            let parameters = parameters.replace('#', &n.to_string());
            text.push_str(&format!(
                r#"{{"eventVersion":"1.10",{error}{sign_in}"userIdentity":{who},"eventTime":"{time}","eventSource":"{service}.amazonaws.com","eventName":"{call}","awsRegion":"{region}","sourceIPAddress":"203.0.113.9","userAgent":"aws-sdk-go-v2/1.30 os/linux lang/go","requestParameters":{parameters},"eventID":"{name}-{number}","eventType":"AwsApiCall","recipientAccountId":"111122223333"}}"#
            ));
            text.push('\n');
        }
    }
    text
}

fn every_rule() -> RuleSet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/detections/cloudtrail");
    let mut texts = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yml") {
            texts.push((path.display().to_string(), std::fs::read_to_string(path).unwrap()));
        }
    }
    texts.sort();
    let (set, problems) = compile(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    assert_eq!(problems, []);
    set
}

#[test]
fn each_known_technique_is_caught() {
    let set = every_rule();
    let (mut high, mut missed) = (0, vec![]);
    for (name, who, calls) in TECHNIQUES {
        let mut matcher = Matcher::new(&set, 0);
        let mut engine = Engine::new(&set, Options::default());
        Reader::new(set.paths()).read(records(name, who, calls).as_bytes(), &mut |item| match item {
            Item::Event(event) => matcher.see(&event),
            Item::Reject(reject) => panic!("{name}: {reject:?}"),
        });
        engine.add(matcher.hits, matcher.links, Some((1_772_452_800, 1_772_453_800)));
        engine.finish();
        let rules: Vec<_> = engine.take().iter().map(|found| set.rule(found.rule).unwrap().clone()).collect();
        match rules.iter().map(|rule| rule.level).max() {
            Some(Severity::High | Severity::Critical) => high += 1,
            Some(Severity::Medium) => println!("medium: {name}"),
            _ => missed.push((name, rules.iter().map(|rule| rule.id.clone()).collect::<Vec<_>>())),
        }
    }
    assert_eq!(missed, []);
    println!("{high} of {} at high", TECHNIQUES.len());
    assert!(high >= TECHNIQUES.len() - 6, "{high} of {} at high", TECHNIQUES.len());
}
