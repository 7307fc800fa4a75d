use std::sync::{Arc, Mutex};
use std::time::Duration;

use catalogue::format::{TypeFile, TypeFolder};
use model::{GapReason, Reason, Region, Resource, Value, to_json};
use serde_json::json;

use super::{Collected, Plan, Progress, Watch, collect};
use crate::canned::{Asked, Reply, Server, serve};
use crate::environment::Environment;
use crate::error::AwsError;
use crate::settings::{Cancel, Config, Limits};

/// Nobody looks on.
const QUIET: Watch<'_> = Watch { progress: &|_| {}, keep: None };

const QUEUES: (&str, &str) = (
    "type = \"AWS::SQS::Queue\"\ntitle = \"queue\"\nidentifier = [\"QueueUrl\"]\nname = \"QueueName\"\narn = \"arn:{partition}:sqs:{region}:{account}:{QueueName}\"",
    r#"
service = "sqs"
props.QueueUrl = "."
props.QueueName = ". | after /"

[[list]]
call = "ListQueues"
items = "QueueUrls[]"

[[get]]
call = "GetQueueAttributes"
with = { QueueUrl = ".", AttributeNames = ["'All'"] }
absent = ["QueueDoesNotExist"]
props.KmsMasterKeyId = "Attributes.KmsMasterKeyId"
props.SqsManagedSseEnabled = "Attributes.SqsManagedSseEnabled | bool"
otherwise.SqsManagedSseEnabled = false

[[get]]
call = "ListQueueTags"
with.QueueUrl = "."
tags = "Tags"
"#,
);

const SERVICES: (&str, &str) = (
    "type = \"AWS::ECS::Service\"\ntitle = \"service\"\nidentifier = [\"ServiceArn\"]\nname = \"ServiceName\"",
    r#"
service = "ecs"
copy = ["ServiceArn", "ServiceName", "LaunchType"]
props.Cluster = "$cluster"
attrs.Arn = "serviceArn"

[[list]]
call = "ListClusters"
items = "clusterArns[]"
as = "cluster"

[[list]]
call = "ListServices"
with.cluster = "."
items = "serviceArns[]"

[[list]]
call = "DescribeServices"
with = { cluster = "$cluster", services = "." }
batch = 2
items = "services[]"
"#,
);

fn plan(types: &[(&str, &str)]) -> Result<Plan, AwsError> {
    let folder = |(n, (kind, file)): (usize, &(&str, &str))| {
        let file: catalogue::collect::CollectFile = toml::from_str(file).unwrap();
        let kind: TypeFile = toml::from_str(kind).unwrap();
        TypeFolder { folder: format!("aws/x/{n}"), file: Arc::new(kind), collect: Some(file) }
    };
    let folders: Vec<TypeFolder> = types.iter().enumerate().map(folder).collect();
    Plan::checked(&folders)
}

fn config(server: &Server) -> Config {
    let vars = [("AWS_ENDPOINT_URL", server.url.as_str()), ("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "s")];
    Config {
        environment: Environment::of(&vars),
        regions: vec![Region::new("eu-west-1").unwrap()],
        limits: Limits {
            wait_min: Duration::from_millis(1),
            wait_max: Duration::from_millis(2),
            calls_per_second: 1e6,
            ..Limits::default()
        },
        ..Config::default()
    }
}

const WHO: &str = "<R><GetCallerIdentityResult><Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/a</Arn>\
    </GetCallerIdentityResult></R>";

/// An account with two queues.
fn account(asked: &Asked) -> Reply {
    match asked.operation().as_str() {
        "GetCallerIdentity" => Reply::ok(WHO),
        "DescribeRegions" => Reply::ok(
            "<R><regionInfo><item><regionName>us-east-1</regionName></item><item><regionName>eu-west-1</regionName></item></regionInfo></R>",
        ),
        "ListQueues" => Reply::ok("{\"QueueUrls\":[\"http://q/1/b\",\"http://q/1/a\"]}"),
        "GetQueueAttributes" if asked.body.contains("/a\"") => {
            Reply::ok("{\"Attributes\":{\"KmsMasterKeyId\":\"k\",\"SqsManagedSseEnabled\":\"true\"}}")
        }
        "GetQueueAttributes" => Reply::of(400, "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\"}"),
        "ListQueueTags" => Reply::ok("{\"Tags\":{\"team\":\"blue\"}}"),
        "ListClusters" => Reply::ok("{\"clusterArns\":[\"c1\",\"c2\"]}"),
        "ListServices" if asked.body.contains("c1") => Reply::ok("{\"serviceArns\":[\"s1\",\"s2\",\"s3\"]}"),
        "ListServices" => Reply::ok("{\"serviceArns\":[]}"),
        "DescribeServices" => {
            let names: Vec<&str> = ["s1", "s2", "s3"].into_iter().filter(|s| asked.body.contains(&format!("\"{s}\""))).collect();
            let one = |n: &&str| format!("{{\"serviceArn\":\"{n}\",\"serviceName\":\"n{n}\",\"launchType\":\"FARGATE\"}}");
            Reply::ok(format!("{{\"services\":[{}]}}", names.iter().map(one).collect::<Vec<_>>().join(",")))
        }
        other => Reply::of(400, format!("{{\"__type\":\"NoSuch{other}\"}}")),
    }
}

fn run(types: &[(&str, &str)], server: &Server, change: impl FnOnce(&mut Config)) -> Collected {
    let mut config = config(server);
    change(&mut config);
    collect(&plan(types).unwrap(), &config, None, QUIET).unwrap()
}

fn props(resource: &Resource) -> serde_json::Value {
    to_json(&Value::Map(resource.props.clone()))
}

/// What a Region has of queues, told by the call that lists them.
const SETTINGS: (&str, &str) = (
    "type = \"Palisade::Account::RegionSettings\"\ntitle = \"settings\"\nidentifier = [\"Region\"]",
    r#"
service = "sqs"
props.Region = "{region}"

[[get]]
call = "ListQueues"
props.Queues = "QueueUrls | count"
"#,
);

#[test]
fn what_two_types_ask_in_the_same_words_is_asked_once() {
    let server = serve(|asked, _| account(asked));
    let got = run(&[QUEUES, SETTINGS], &server, |_| {});
    assert_eq!(got.snapshot.gaps, []);
    let lists = |server: &Server| server.asked().iter().filter(|asked| asked.operation() == "ListQueues").count();
    assert_eq!((got.snapshot.resources.len(), lists(&server)), (3, 1));
    let settings = got.snapshot.resources.iter().find(|r| r.type_name.service() == "Palisade::Account").unwrap();
    assert_eq!(settings.prop("Queues").as_int(), Some(2));
    // A refusal is told to both.
    let server = serve(|asked, _| match asked.operation().as_str() {
        "ListQueues" => Reply::of(400, "{\"__type\":\"AccessDenied\"}"),
        _ => account(asked),
    });
    let got = run(&[QUEUES, SETTINGS], &server, |_| {});
    let kinds: Vec<_> = got.snapshot.gaps.iter().filter_map(|gap| gap.type_name.as_ref()).map(|t| t.to_string()).collect();
    assert_eq!(kinds, ["AWS::SQS::Queue", "Palisade::Account::RegionSettings"]);
    assert_eq!(lists(&server), 1);
}

#[test]
fn items_become_resources() {
    let server = serve(|asked, _| account(asked));
    let got = run(&[QUEUES], &server, |_| {});
    assert_eq!(got.snapshot.gaps, []);
    let [a, b] = &got.snapshot.resources[..] else { panic!("{:?}", got.snapshot.resources) };
    assert_eq!(&*a.id, "arn:aws:sqs:eu-west-1:123456789012:a");
    assert_eq!((a.name.as_deref(), a.region.as_ref().unwrap().as_str()), (Some("a"), "eu-west-1"));
    assert_eq!(a.attrs.get("Ref").and_then(Value::as_str), Some("http://q/1/a"));
    let wanted = json!({
        "KmsMasterKeyId": "k", "QueueName": "a", "QueueUrl": "http://q/1/a", "SqsManagedSseEnabled": true,
        "Tags": [{ "Key": "team", "Value": "blue" }]
    });
    assert_eq!(props(a), wanted);
    // Absent is what the file says it means.
    assert_eq!(props(b)["SqsManagedSseEnabled"], false);
    assert!(b.prop("KmsMasterKeyId").is_null());
    assert_eq!(got.calls as usize, server.asked().len());
}

#[test]
fn a_denied_call_is_a_gap_and_unknown_and_names_the_permission() {
    let server = serve(|asked, _| match asked.operation().as_str() {
        "GetQueueAttributes" => Reply::of(403, "{\"__type\":\"AccessDeniedException\",\"message\":\"no\"}"),
        _ => account(asked),
    });
    let got = run(&[QUEUES], &server, |_| {});
    assert_eq!(got.snapshot.resources.len(), 2);
    for resource in &got.snapshot.resources {
        for name in ["KmsMasterKeyId", "SqsManagedSseEnabled"] {
            let Value::Unknown(why) = resource.prop(name) else { panic!("{name}") };
            assert_eq!((why.reason, &*why.what), (Reason::AccessDenied, "sqs:GetQueueAttributes"));
        }
    }
    let [gap] = &got.snapshot.gaps[..] else { panic!("{:?}", got.snapshot.gaps) };
    assert_eq!((gap.what.as_str(), gap.reason, gap.matters), ("sqs:GetQueueAttributes", GapReason::Denied, true));
    assert_eq!(gap.help.as_deref(), Some("allow `sqs:GetQueueAttributes`"));
    assert_eq!(gap.type_name.as_ref().unwrap().as_str(), "AWS::SQS::Queue");
}

/// Each call in turn fails in each way: nothing of it may be taken for "not set", and the call is named.
#[test]
fn no_failure_turns_into_an_absence() {
    let faults = [
        Reply::of(403, "{\"__type\":\"AccessDenied\"}"),
        Reply::of(500, "{\"__type\":\"InternalError\"}"),
        Reply::of(400, "{\"__type\":\"ThrottlingException\"}"),
        Reply::of(400, "{\"__type\":\"SomethingNew\"}"),
        Reply { cut: 7, ..Reply::ok("{\"Attributes\"") },
        Reply::ok("<html>sign in</html>"),
        Reply::ok("[]"),
    ];
    for call in ["ListQueues", "GetQueueAttributes", "ListQueueTags"] {
        for fault in &faults {
            let (broken, shown) = (fault.clone(), format!("{call} {fault:?}"));
            let server = serve(move |asked, _| if asked.operation() == call { broken.clone() } else { account(asked) });
            let got = run(&[QUEUES], &server, |_| {});
            assert!(got.snapshot.gaps.iter().any(|g| g.what == format!("sqs:{call}") && g.matters), "{shown}");
            let name = if call == "ListQueueTags" { "Tags" } else { "KmsMasterKeyId" };
            if call == "ListQueues" {
                assert_eq!(got.snapshot.resources, [], "{shown}");
            } else {
                assert!(got.snapshot.resources.iter().all(|r| matches!(r.prop(name), Value::Unknown(_))), "{shown}");
            }
        }
    }
}

#[test]
fn a_region_or_service_that_is_not_there_is_no_gap() {
    let server = serve(|asked, _| match asked.operation().as_str() {
        "ListQueues" => Reply::of(400, "{\"__type\":\"OptInRequired\"}"),
        _ => account(asked),
    });
    let got = run(&[QUEUES], &server, |_| {});
    assert_eq!((got.snapshot.resources.len(), got.snapshot.gaps.len()), (0, 0));
}

#[test]
fn listings_chain_and_batch() {
    let server = serve(|asked, _| account(asked));
    let got = run(&[SERVICES], &server, |_| {});
    let names: Vec<_> = got.snapshot.resources.iter().map(|r| r.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["ns1", "ns2", "ns3"]);
    assert_eq!(props(&got.snapshot.resources[0])["Cluster"], "c1");
    let batches = server.asked().iter().filter(|a| a.operation() == "DescribeServices").count();
    assert_eq!(batches, 2);
}

#[test]
fn every_enabled_region_is_asked_and_a_listing_only_once() {
    let server = serve(|asked, _| account(asked));
    let other = (QUEUES.0.replace("AWS::SQS::Queue", "AWS::SQS::QueuePolicy"), QUEUES.1);
    let got = run(&[QUEUES, (&other.0, other.1)], &server, |c| c.regions.clear());
    assert_eq!(got.snapshot.resources.len(), 8);
    let count = |name: &str| server.asked().iter().filter(|a| a.operation() == name).count();
    assert_eq!((count("ListQueues"), count("GetQueueAttributes"), count("ListQueueTags")), (2, 4, 4));
}

#[test]
fn a_region_that_is_not_enabled_is_a_note() {
    let server = serve(|asked, _| account(asked));
    let got = run(&[QUEUES], &server, |c| c.regions.push(Region::new("ap-east-1").unwrap()));
    let [gap] = &got.snapshot.gaps[..] else { panic!("{:?}", got.snapshot.gaps) };
    assert!(!gap.matters && gap.what == "region ap-east-1");
    assert_eq!(got.snapshot.resources.len(), 2);
}

#[test]
fn regions_that_may_not_be_asked_for_are_a_gap() {
    let server = serve(|asked, _| match asked.operation().as_str() {
        "DescribeRegions" => {
            Reply::of(403, "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>")
        }
        _ => account(asked),
    });
    let got = run(&[QUEUES], &server, |c| c.regions.clear());
    assert_eq!(got.snapshot.gaps[0].help.as_deref(), Some("allow `ec2:DescribeRegions`"));
    assert_eq!(got.snapshot.resources.len(), 2);
}

#[test]
fn the_order_does_not_depend_on_which_answer_came_first() {
    let wanted = run(&[QUEUES, SERVICES], &serve(|asked, _| account(asked)), |c| c.regions.clear());
    let slow = serve(|asked, n| Reply { delay: Duration::from_millis((n as u64 * 7) % 23), ..account(asked) });
    let got = run(&[QUEUES, SERVICES], &slow, |c| c.regions.clear());
    assert_eq!(got.snapshot, wanted.snapshot);
}

#[test]
fn what_was_stopped_is_kept_and_taken_up_again() {
    let cancel = Cancel::default();
    let stop = cancel.clone();
    let server = serve(move |asked, _| {
        if asked.operation() == "ListQueues" {
            stop.cancel();
            std::thread::sleep(Duration::from_millis(200));
        }
        account(asked)
    });
    let mut config = config(&server);
    config.cancel = cancel;
    let plan = plan(&[QUEUES]).unwrap();
    let first = collect(&plan, &config, None, QUIET).unwrap();
    assert!(first.stopped && first.done.is_empty());
    let [gap] = &first.snapshot.gaps[..] else { panic!() };
    assert!(gap.matters && gap.help.as_deref().unwrap().contains("--resume"));

    config.cancel = Cancel::default();
    let calm = serve(|asked, _| account(asked));
    config.environment = config.environment.with_var("AWS_ENDPOINT_URL", &calm.url);
    let second = collect(&plan, &config, Some(first), QUIET).unwrap();
    assert_eq!((second.snapshot.resources.len(), second.snapshot.gaps.len(), second.done.len()), (2, 0, 1));
    let before = calm.asked().len();
    let third = collect(&plan, &config, Some(second.clone()), QUIET).unwrap();
    assert_eq!(third.snapshot, second.snapshot);
    assert_eq!(calm.asked().len() - before, 2, "only who we are and which Regions there are");
}

#[test]
fn what_is_there_is_handed_over_while_it_runs() {
    let server = serve(|asked, _| match asked.operation().as_str() {
        "ListClusters" => Reply { delay: Duration::from_millis(2500), ..account(asked) },
        _ => account(asked),
    });
    let kept: Mutex<Vec<Collected>> = Mutex::new(Vec::new());
    let plan = plan(&[QUEUES, SERVICES]).unwrap();
    let keep = |so_far: &Collected| kept.lock().unwrap().push(so_far.clone());
    let whole = collect(&plan, &config(&server), None, Watch { progress: &|_| {}, keep: Some(&keep) }).unwrap();
    let kept = kept.into_inner().unwrap();
    // Once: what did not change is not handed over again.
    let [half] = &kept[..] else { panic!("{}", kept.len()) };
    assert_eq!((half.stopped, half.snapshot.resources.len(), half.done.len()), (true, 2, 1));
    let gaps: Vec<_> = half.snapshot.gaps.iter().map(|g| (g.what.as_str(), g.type_name.as_ref().unwrap().as_str())).collect();
    assert_eq!(gaps, [(super::STOPPED, "AWS::ECS::Service")]);
    assert_eq!((whole.snapshot.resources.len(), whole.snapshot.gaps.len(), whole.stopped), (5, 0, false));
    let again = collect(&plan, &config(&serve(|asked, _| account(asked))), Some(half.clone()), QUIET).unwrap();
    assert_eq!(again.snapshot, whole.snapshot);
}

#[test]
fn progress_is_told() {
    let server = serve(|asked, _| account(asked));
    let seen: Mutex<Vec<Progress>> = Mutex::new(Vec::new());
    let plan = plan(&[QUEUES, SERVICES]).unwrap();
    collect(&plan, &config(&server), None, Watch { progress: &|p| seen.lock().unwrap().push(p.clone()), keep: None }).unwrap();
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.iter().map(|p| (p.done, p.units)).collect::<Vec<_>>(), [(1, 2), (2, 2)]);
    assert_eq!(seen[1].resources, 5);
}

#[test]
fn an_organisation_is_collected_through_a_role() {
    let server = serve(|asked, _| {
        let theirs = asked.header("authorization").contains("ASIA222");
        match asked.operation().as_str() {
            "ListAccounts" => Reply::ok(
                "{\"Accounts\":[{\"Id\":\"123456789012\",\"Status\":\"ACTIVE\"},{\"Id\":\"222222222222\",\"Status\":\"ACTIVE\"},\
                 {\"Id\":\"333333333333\",\"Status\":\"ACTIVE\"},{\"Id\":\"444444444444\",\"Status\":\"SUSPENDED\"}]}",
            ),
            "AssumeRole" if asked.body.contains("222222222222") => Reply::ok(
                "<R><Credentials><AccessKeyId>ASIA222</AccessKeyId><SecretAccessKey>s</SecretAccessKey></Credentials></R>",
            ),
            "AssumeRole" => Reply::of(403, "<E><Error><Code>AccessDenied</Code></Error></E>"),
            "GetCallerIdentity" if theirs => Reply::ok(WHO.replace("123456789012", "222222222222")),
            _ => account(asked),
        }
    });
    let got = run(&[QUEUES], &server, |c| c.org_role = Some("Audit".into()));
    assert_eq!(got.snapshot.resources.len(), 4);
    let [gap] = &got.snapshot.gaps[..] else { panic!("{:?}", got.snapshot.gaps) };
    assert_eq!(gap.account.as_ref().unwrap().as_str(), "333333333333");
}

#[test]
fn requests_under_way_are_limited() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let at_most = |limit: usize| {
        let (now, most) = (std::sync::Arc::new(AtomicUsize::new(0)), std::sync::Arc::new(AtomicUsize::new(0)));
        let (inside, seen) = (std::sync::Arc::clone(&now), std::sync::Arc::clone(&most));
        let server = serve(move |asked, _| {
            let count = inside.fetch_add(1, Ordering::SeqCst) + 1;
            seen.fetch_max(count, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20));
            inside.fetch_sub(1, Ordering::SeqCst);
            account(asked)
        });
        run(&[QUEUES, SERVICES], &server, |c| c.limits.requests_at_once = limit);
        most.load(Ordering::SeqCst)
    };
    assert_eq!(at_most(1), 1);
    assert!(at_most(8) > 1);
}

#[test]
fn items_are_limited() {
    let server = serve(|asked, _| account(asked));
    let with = |items_max| run(&[QUEUES], &server, |c| c.limits.items_max = items_max).snapshot;
    assert_eq!(with(2).gaps, []);
    assert_eq!(with(1).gaps[0].reason, GapReason::Limit);
}

#[test]
fn what_cannot_be_collected_is_refused_before_the_first_call() {
    let with = |file: &str| plan(&[(QUEUES.0, file)]).map(|_| ()).unwrap_err().to_string();
    assert!(with("service = \"sqs\"\n[[list]]\ncall = \"ListQueue\"\nitems = \"x\"").contains("`sqs:ListQueue`"));
    assert!(with("service = \"nosuch\"\n[[list]]\ncall = \"ListQueues\"\nitems = \"x\"").contains("`nosuch`"));
    assert!(with("service = \"sqs\"\n[[get]]\ncall = \"GetQueueAttributes\"").contains("needs the input `QueueUrl`"));
    assert!(
        with("service = \"sqs\"\n[[list]]\ncall = \"ListQueues\"\nwith.Queue = \"x\"\nitems = \"x\"")
            .contains("no input `Queue`")
    );
    assert!(with("service = \"sqs\"\n[[list]]\ncall = \"DeleteQueue\"\nitems = \"x\"").contains("not a read operation"));
}

#[test]
fn wrong_credentials_and_nonsense_end_it_at_the_start() {
    let refused = serve(|_, _| Reply::of(403, "<E><Error><Code>InvalidClientTokenId</Code></Error></E>"));
    let error = collect(&plan(&[QUEUES]).unwrap(), &config(&refused), None, QUIET).unwrap_err();
    assert!(error.help().unwrap().contains("sign in"));
    let odd = serve(|_, _| Reply::ok("<R><GetCallerIdentityResult><Account>me</Account></GetCallerIdentityResult></R>"));
    assert!(collect(&plan(&[QUEUES]).unwrap(), &config(&odd), None, QUIET).is_err());
}
