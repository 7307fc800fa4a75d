//! A week of principals that behave: how much the built-in detections say about it.

#![expect(clippy::indexing_slicing, reason = "the dice never roll past a list")]

use std::collections::BTreeMap;
use std::path::Path;

use detect::{Engine, Matcher, Options, compile};
use logs::cloudtrail::{Item, Reader};
use model::Severity;

const EVENTS: usize = 50_000;
const ACCOUNT: &str = "111122223333";

/// A small generator of numbers: the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn one<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.roll(list.len())]
    }
}

fn role(role: &str, session: &str) -> String {
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}");
    let issuer = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
    format!(
        r#"{{"type":"AssumedRole","principalId":"AROA:{session}","arn":"{arn}","accountId":"{ACCOUNT}","accessKeyId":"ASIA{role}{session}","sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"{issuer}","userName":"{role}"}},"attributes":{{"mfaAuthenticated":"true"}}}}}}"#
    )
}

/// Who, service, call, parameters, address, agent.
fn event(dice: &mut Dice) -> (String, String, String, String, String, String) {
    let owned = |parts: (String, &str, &str, String, &str, &str)| {
        (parts.0, parts.1.to_owned(), parts.2.to_owned(), parts.3, parts.4.to_owned(), parts.5.to_owned())
    };
    let number = dice.roll(40);
    match dice.roll(100) {
        0..40 => {
            let session = format!("i-0{:08x}", 0x1234_5678 + number % 8);
            let call = dice.one(&["GetObject", "PutObject", "ListObjects", "HeadObject"]);
            let parameters = format!(r#"{{"bucketName":"assets","key":"k{}"}}"#, dice.roll(500));
            owned((role("web", &session), "s3", call, parameters, "10.0.3.4", "aws-sdk-java/2.25"))
        }
        40..65 => {
            let (service, call, parameters) = match dice.roll(4) {
                0 => ("kms", "Decrypt", r#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#.to_owned()),
                1 => ("secretsmanager", "GetSecretValue", format!(r#"{{"secretId":"app-{}"}}"#, number % 4)),
                2 => ("ssm", "GetParameter", format!(r#"{{"name":"/app/{}","withDecryption":true}}"#, number % 5)),
                _ => ("sts", "GetCallerIdentity", "null".to_owned()),
            };
            let name = format!("orders-{}", number % 6);
            owned((role(&name, &name), service, call, parameters, "10.0.9.1", "exec-env/AWS_Lambda_python3.12"))
        }
        65..80 => {
            let person = format!("person{}@example.com", number % 12);
            let call = dice.one(&[
                "DescribeInstances",
                "DescribeAlarms",
                "ListBuckets",
                "DescribeLogGroups",
                "ListFunctions20150331",
                "DescribeVolumes",
            ]);
            let service = dice.one(&["ec2", "monitoring", "s3", "logs"]);
            owned((
                role("AWSReservedSSO_ReadOnly_1a2b", &person),
                service,
                call,
                "null".to_owned(),
                "198.51.100.20",
                "Mozilla/5.0 console",
            ))
        }
        80..92 => {
            let call = dice.one(&[
                "CreateSecurityGroup",
                "AuthorizeSecurityGroupIngress",
                "DescribeVpcs",
                "CreateRole",
                "AttachRolePolicy",
                "PutBucketPolicy",
                "UpdateFunctionCode20150331v2",
                "CreateLogGroup",
                "DeleteRole",
                "DescribeTable",
            ]);
            let parameters = match call {
                "AuthorizeSecurityGroupIngress" => r#"{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}"#.to_owned(),
                "AttachRolePolicy" => r#"{"roleName":"app","policyArn":"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}"#.to_owned(),
                "PutBucketPolicy" => r#"{"bucketName":"b","bucketPolicy":{"Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"}}]}}"#.to_owned(),
                "CreateRole" => r#"{"roleName":"app","assumeRolePolicyDocument":"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"}}]}"}"#.to_owned(),
                _ => r#"{"name":"x"}"#.to_owned(),
            };
            owned((
                role("pipeline", "GitHubActions"),
                "ec2",
                call,
                parameters,
                "192.0.2.8",
                "HashiCorp Terraform/1.9 aws-sdk-go-v2",
            ))
        }
        92..98 => {
            let parameters = format!(r#"{{"roleArn":"arn:aws:iam::{ACCOUNT}:role/web"}}"#);
            let who = r#"{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}"#.to_owned();
            owned((who, "sts", "AssumeRole", parameters, "ec2.amazonaws.com", "ec2.amazonaws.com"))
        }
        _ => {
            let who = r#"{"type":"AWSService","invokedBy":"autoscaling.amazonaws.com"}"#.to_owned();
            let call = dice.one(&["RunInstances", "TerminateInstances", "DeleteSnapshot"]);
            owned((
                who,
                "ec2",
                call,
                r#"{"instanceType":"m7g.large"}"#.to_owned(),
                "autoscaling.amazonaws.com",
                "autoscaling.amazonaws.com",
            ))
        }
    }
}

fn week() -> String {
    let mut dice = Dice(7);
    let mut text = String::from("{\"Records\":[");
    for number in 0..EVENTS {
        let (who, service, call, parameters, address, agent) = event(&mut dice);
        let time = logs::time::text(1_772_000_000 + (number * 7 * 86_400 / EVENTS) as i64);
        let denied = if dice.roll(400) == 0 { r#""errorCode":"AccessDenied","# } else { "" };
        let comma = if number > 0 { "," } else { "" };
        text.push_str(&format!(
            r#"{comma}{{"eventVersion":"1.10",{denied}"userIdentity":{who},"eventTime":"{time}","eventSource":"{service}.amazonaws.com","eventName":"{call}","awsRegion":"eu-west-1","sourceIPAddress":"{address}","userAgent":"{agent}","requestParameters":{parameters},"eventID":"b{number}","recipientAccountId":"{ACCOUNT}"}}"#
        ));
    }
    text + "]}"
}

#[test]
fn a_quiet_week_stays_quiet() {
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
    let mut matcher = Matcher::new(&set, 0);
    let counts = Reader::new(set.paths()).read(week().as_bytes(), &mut |item| {
        if let Item::Event(event) = item {
            matcher.see(&event);
        }
    });
    assert_eq!((counts.parsed, counts.rejected()), (EVENTS as u64, 0));
    let mut engine = Engine::new(&set, Options::default());
    engine.add(matcher.hits, matcher.links, Some((1_772_000_000, 1_772_000_000 + 7 * 86_400)));
    engine.finish();
    let mut levels: BTreeMap<Severity, BTreeMap<&str, usize>> = BTreeMap::new();
    for detection in engine.take() {
        let rule = set.rule(detection.rule).unwrap();
        *levels.entry(rule.level).or_default().entry(&rule.id).or_default() += 1;
    }
    let count = |level: Severity| levels.get(&level).map_or(0, |rules| rules.values().sum::<usize>());
    assert_eq!(count(Severity::High) + count(Severity::Critical), 0, "{levels:#?}");
    assert!(count(Severity::Medium) <= 10, "{levels:#?}");
}
