//! Plans and states that are not what they should be: gaps, never a panic, a hang or a silent loss.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::sync::LazyLock;

use catalogue::terraform::TerraformSection;
use iac::terraform::{Limits, Mapping, Sources, TypeSource, read};
use model::{GapReason, Reason, Snapshot, SourceKind, TypeName, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const BUCKET: &str = r#"
    resources = ["aws_s3_bucket"]
    name = "bucket"
    map = { bucket = "BucketName" }
    [[merge]]
    resource = "aws_s3_bucket_versioning"
    on = "bucket"
    at = "VersioningConfiguration"
    from = "versioning_configuration"
    [[emit]]
    type = "AWS::S3::BucketPolicy"
    from = "policy"
    to = "PolicyDocument"
    link = "Bucket"
"#;

static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
    let section: TerraformSection = toml::from_str(BUCKET).unwrap();
    let name = TypeName::new("AWS::S3::Bucket").unwrap();
    Mapping::new([TypeSource { name: &name, properties: Vec::new(), section: &section }])
});

fn scan(text: &str) -> Snapshot {
    read(text, "plan.json", &MAPPING, &Limits::default(), &|_| Sources::default())
}

/// A managed resource as plans list it.
fn change(address: &str, after: Json, unknown: Json) -> Json {
    let (kind, name) = address.rsplit('.').next().zip(address.split('.').rev().nth(1)).map(|(n, k)| (k, n)).unwrap();
    let module = address.strip_suffix(&format!(".{kind}.{name}")).unwrap_or_default();
    let name = name.split('[').next().unwrap();
    json!({ "address": address, "module_address": module, "mode": "managed", "type": kind, "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": { "actions": ["create"], "after": after, "after_unknown": unknown, "after_sensitive": {} } })
}

fn plan(changes: Vec<Json>, configuration: Json) -> String {
    json!({ "format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": changes,
        "configuration": { "root_module": configuration } })
    .to_string()
}

/// The one gap of a text, by reason and a part of its words.
fn gap(text: &str, reason: GapReason, words: &str) {
    let snapshot = scan(text);
    let found: Vec<_> = snapshot.gaps.iter().map(|g| (g.reason, g.detail.as_str())).collect();
    assert!(found.iter().any(|(r, d)| *r == reason && d.contains(words)), "{text:.80}: {found:?}");
}

#[test]
fn what_cannot_be_read_is_a_gap() {
    gap("", GapReason::Malformed, "EOF");
    gap("[1, 2", GapReason::Malformed, "EOF");
    gap("\u{0}\u{1}", GapReason::Malformed, "expected value");
    gap("[]", GapReason::Unsupported, "neither a plan nor a state");
    gap("{}", GapReason::Unsupported, "neither a plan nor a state");
    gap(r#"{"format_version":"2.0","resource_changes":[]}"#, GapReason::Unsupported, "`2.0`");
    gap(r#"{"format_version":7,"resource_changes":[]}"#, GapReason::Unsupported, "format version");
    gap(r#"{"format_version":"9.1","values":{}}"#, GapReason::Unsupported, "`9.1`");
    gap(r#"{"version":3,"resources":[]}"#, GapReason::Unsupported, "state version 3");
    gap(r#"{"format_version":"1.2","resource_changes":{}}"#, GapReason::Malformed, "not a list");
    gap(r#"{"format_version":"1.2","resource_changes":[1,{},{"address":"a"}]}"#, GapReason::Malformed, "3 entries");
    gap(r#"{"format_version":"1.2","errored":true,"resource_changes":[]}"#, GapReason::Failed, "ended with an error");
    let deep = format!("{{\"format_version\":\"1.2\",\"resource_changes\":{}", "[".repeat(10_000));
    gap(&deep, GapReason::Malformed, "recursion limit");
}

#[test]
fn versions_that_are_known() {
    for text in [
        r#"{"format_version":"1.2","resource_changes":[]}"#,
        r#"{"format_version":"0.1","planned_values":{}}"#,
        r#"{"format_version":"1.0"}"#,
        r#"{"format_version":"1.0","values":{"root_module":{}}}"#,
        r#"{"version":4,"terraform_version":"1.11.4","resources":[]}"#,
    ] {
        assert_eq!(scan(text).gaps, [], "{text}");
    }
    assert_eq!(scan(r#"{"version":4}"#).scopes[0].kind, SourceKind::TerraformState);
    assert_eq!(scan(r#"{"format_version":"1.2","resource_changes":[]}"#).scopes[0].kind, SourceKind::TerraformPlan);
}

#[test]
fn limits_at_and_one_past() {
    let changes: Vec<Json> = (0..3).map(|n| change(&format!("aws_s3_bucket.b{n}"), json!({}), json!({}))).collect();
    let text = plan(changes, json!({}));
    let with = |limits: Limits| read(&text, "plan.json", &MAPPING, &limits, &|_| Sources::default());
    let at = with(Limits { text_bytes_max: text.len(), resources_max: 3 });
    assert_eq!((at.resources.len(), at.gaps.len()), (3, 0));
    let past = with(Limits { text_bytes_max: text.len(), resources_max: 2 });
    assert_eq!((past.resources.len(), past.gaps[0].reason), (2, GapReason::Limit));
    assert!(past.gaps[0].detail.contains("resources_max"));
    let past = with(Limits { text_bytes_max: text.len() - 1, resources_max: 3 });
    assert_eq!((past.resources.len(), past.gaps[0].reason), (0, GapReason::Limit));
    assert!(past.gaps[0].detail.contains("text_bytes_max"));
}

#[test]
fn only_what_stays_is_read() {
    let mut changes = Vec::new();
    for (name, actions) in [
        ("kept", json!(["no-op"])),
        ("changed", json!(["update"])),
        ("replaced", json!(["delete", "create"])),
        ("gone", json!(["delete"])),
        ("forgotten", json!(["forget"])),
    ] {
        let mut one = change(&format!("aws_s3_bucket.{name}"), json!({ "bucket": name }), json!({}));
        one["change"]["actions"] = actions;
        changes.push(one);
    }
    let mut deposed = change("aws_s3_bucket.deposed", json!({}), json!({}));
    deposed["deposed"] = json!("abcd1234");
    let mut foreign = change("random_id.x", json!({}), json!({}));
    foreign["provider_name"] = json!("registry.terraform.io/hashicorp/random");
    changes.extend([deposed, foreign, change("aws_glue_job.j", json!({ "max_retries": 2 }), json!({}))]);
    let snapshot = scan(&plan(changes, json!({})));
    let ids: Vec<(&str, &str)> = snapshot.resources.iter().map(|r| (&*r.id, r.type_name.as_str())).collect();
    let bucket = "AWS::S3::Bucket";
    assert_eq!(
        ids,
        [
            ("aws_s3_bucket.kept", bucket),
            ("aws_s3_bucket.changed", bucket),
            ("aws_s3_bucket.replaced", bucket),
            ("aws_glue_job.j", "Terraform::AWS::aws_glue_job")
        ]
    );
    assert_eq!(snapshot.resources[3].prop("MaxRetries"), &Value::Int(2));
    assert_eq!(snapshot.gaps.len(), 1);
    assert!(!snapshot.gaps[0].matters && snapshot.gaps[0].detail.starts_with("1 resources of providers other"));
}

/// Without `resource_changes`, what is not known yet is not in the values at all.
#[test]
fn planned_values_say_it_all() {
    let resource = |address: &str, values: Json| {
        let (kind, name) = address.split_once('.').unwrap();
        let mut one = json!({ "address": address, "mode": "managed", "type": kind, "name": name,
            "provider_name": "registry.opentofu.org/hashicorp/aws" });
        if !values.is_null() {
            one["values"] = values;
        }
        one
    };
    let text = json!({ "format_version": "1.2", "terraform_version": "1.9.0",
        "planned_values": { "root_module": {
            "resources": [resource("aws_s3_bucket.b", Json::Null)],
            "child_modules": [{ "address": "module.m", "resources": [
                resource("aws_s3_bucket_versioning.v", json!({ "versioning_configuration": [{ "status": "Enabled" }] }))] }] } },
        "configuration": { "root_module": {
            "resources": [{ "address": "aws_s3_bucket.b", "expressions": { "bucket": { "references": ["local.name"] } } }],
            "module_calls": { "m": { "expressions": { "bucket": { "references": ["aws_s3_bucket.b.id", "aws_s3_bucket.b"] } },
                "module": { "resources": [{ "address": "aws_s3_bucket_versioning.v",
                    "expressions": { "bucket": { "references": ["var.bucket"] } } }] } } } } } });
    let snapshot = scan(&text.to_string());
    assert_eq!(snapshot.gaps, []);
    assert_eq!(snapshot.resources.len(), 1);
    assert!(snapshot.resources[0].prop("BucketName").has_unknown());
    assert_eq!(snapshot.resources[0].prop("VersioningConfiguration.Status"), &Value::text("Enabled"));
}

#[test]
fn an_address_counts_once() {
    let one = |name: &str| change("aws_s3_bucket.b", json!({ "bucket": name }), json!({}));
    let snapshot = scan(&plan(vec![one("first"), one("second"), one("third")], json!({})));
    assert_eq!(snapshot.resources.len(), 1);
    assert_eq!(snapshot.resources[0].prop("BucketName"), &Value::text("first"));
    assert_eq!((snapshot.gaps.len(), snapshot.gaps[0].reason), (1, GapReason::Malformed));
    assert!(snapshot.gaps[0].detail.starts_with("2 addresses"));
}

#[test]
fn the_account_is_taken_from_what_the_plan_says() {
    let resources = |key: &str| json!({ "address": "aws_s3_bucket.b", "provider_config_key": key, "expressions": {} });
    let configured = |provider: Json, prior: Json| {
        let text = json!({ "format_version": "1.2", "prior_state": prior,
            "resource_changes": [change("aws_s3_bucket.b", json!({}), json!({}))],
            "configuration": { "provider_config": provider, "root_module": { "resources": [resources("aws.eu"),
                { "address": "data.aws_caller_identity.me", "provider_config_key": "aws.eu" }] } } });
        let snapshot = scan(&text.to_string());
        snapshot.resources[0].account.as_ref().map(ToString::to_string)
    };
    let account = Some("123456789012".to_owned());
    let provider = |expressions: Json| json!({ "aws.eu": { "expressions": expressions } });
    assert_eq!(
        configured(provider(json!({ "allowed_account_ids": { "constant_value": ["123456789012"] } })), Json::Null),
        account
    );
    let role = json!({ "assume_role": [{ "role_arn": { "constant_value": "arn:aws:iam::123456789012:role/x" } }] });
    assert_eq!(configured(provider(role), Json::Null), account);
    let identity = json!({ "values": { "root_module": { "resources": [{ "address": "data.aws_caller_identity.me", "mode": "data",
        "type": "aws_caller_identity", "name": "me", "provider_name": "aws", "values": { "account_id": "123456789012" } }] } } });
    assert_eq!(configured(provider(json!({})), identity), account);
    let several = json!({ "allowed_account_ids": { "constant_value": ["123456789012", "210987654321"] } });
    assert_eq!(configured(provider(several), Json::Null), None);
}

/// 50 MB of one plan: read whole, or refused by the limit, and cut off anywhere a gap.
#[test]
fn fifty_megabytes_end() {
    let filler = "x".repeat(1000);
    let changes = (0..50_000).map(|n| change(&format!("aws_s3_bucket.b{n}"), json!({ "bucket": filler }), json!({}))).collect();
    let text = plan(changes, json!({}));
    assert!(text.len() > 50 << 20);
    assert_eq!(scan(&text).resources.len(), 50_000);
    for end in [text.len() / 2, text.len() - 1] {
        gap(text.get(..end).unwrap(), GapReason::Malformed, "EOF");
    }
}

/// Variables and outputs that only refer to each other.
#[test]
fn cycles_end() {
    let inner = json!({
        "outputs": { "o": { "expression": { "references": ["var.v"] } } },
        "resources": [{ "address": "aws_s3_bucket.b", "expressions": { "bucket": { "references": ["var.v"] } } }],
    });
    let configuration = json!({ "module_calls": { "m": { "module": inner, "expressions": { "v": { "references": ["module.m.o", "module.m"] } } } } });
    let text = plan(vec![change("module.m.aws_s3_bucket.b", json!({}), json!({ "bucket": true }))], configuration);
    let snapshot = scan(&text);
    assert!(matches!(snapshot.resources[0].prop("BucketName"), Value::Unknown(_)));
}

/// Every module passes two references to the next: 2^30 ways and more.
#[test]
fn fan_out_is_bounded() {
    let mut module =
        json!({ "resources": [{ "address": "aws_s3_bucket.b", "expressions": { "bucket": { "references": ["var.v"] } } }] });
    let mut address = String::new();
    for _ in 0..30 {
        let call = json!({ "module": module, "expressions": { "v": { "references": ["var.v", "var.v2", "var.v"] }, "v2": { "references": ["var.v", "var.v2"] } } });
        module = json!({ "module_calls": { "m": call } });
        address.push_str("module.m.");
    }
    let text = plan(vec![change(&format!("{address}aws_s3_bucket.b"), json!({}), json!({ "bucket": true }))], module);
    let snapshot = scan(&text);
    assert_eq!(snapshot.resources.len(), 1);
    assert!(snapshot.resources[0].prop("BucketName").has_unknown());
}

#[test]
fn parts_that_name_each_other_end() {
    let refer = |name: &str| {
        json!({ "address": format!("aws_s3_bucket_versioning.{name}"), "expressions": {
        "bucket": { "references": [format!("aws_s3_bucket_versioning.{}.bucket", if name == "a" { "b" } else { "a" }), ] } } })
    };
    let text = plan(
        vec![
            change("aws_s3_bucket.b", json!({}), json!({})),
            change(
                "aws_s3_bucket_versioning.a",
                json!({ "versioning_configuration": [{ "status": "Enabled" }] }),
                json!({ "bucket": true }),
            ),
            change("aws_s3_bucket_versioning.b", json!({}), json!({ "bucket": true })),
        ],
        json!({ "resources": [refer("a"), refer("b")] }),
    );
    let snapshot = scan(&text);
    assert_eq!(snapshot.resources.len(), 3);
    assert!(snapshot.resources[0].prop("VersioningConfiguration").has_unknown());
}

#[test]
fn secrets_never_come_out() {
    let secret = "hunter2-and-more";
    let mut one = change(
        "aws_s3_bucket.b",
        json!({ "bucket": secret, "tags": { "a": secret, "b": "open" }, "policy": "", "nested": [{ "x": [secret] }] }),
        json!({}),
    );
    one["change"]["after_sensitive"] = json!({ "bucket": true, "tags": { "a": true }, "policy": true, "nested": true });
    let mut other = change("aws_unknown_thing.b", json!({ "password": secret }), json!({}));
    other["change"]["after_sensitive"] = json!({ "password": true });
    let snapshot = scan(&plan(vec![one, other], json!({})));
    assert!(!format!("{snapshot:?}").contains("hunter2"));
    let Value::Unknown(unknown) = snapshot.resources[0].prop("BucketName") else { panic!() };
    assert_eq!((unknown.reason, unknown.present), (Reason::Unsupported, true));
    let state = json!({ "version": 4, "resources": [{ "mode": "managed", "type": "aws_db_instance", "name": "d", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
        "instances": [{ "attributes": { "password": secret, "marked": secret },
            "sensitive_attributes": [[{ "type": "get_attr", "value": "marked" }]] }] }] });
    let snapshot = scan(&state.to_string());
    assert_eq!(snapshot.resources.len(), 1);
    assert!(!format!("{snapshot:?}").contains("hunter2"));
}

/// Any JSON at all.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "[a-z_.\\[\\]\"0-9]{0,12}".prop_map(Json::from),
        prop::sample::select(vec![
            "aws_s3_bucket",
            "aws_s3_bucket_versioning",
            "aws_s3_bucket.b.id",
            "each.value",
            "var.v",
            "module.m.o",
            "data"
        ])
        .prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let keys = prop::sample::select(vec![
            "address",
            "type",
            "name",
            "index",
            "mode",
            "change",
            "after",
            "after_unknown",
            "after_sensitive",
            "actions",
            "resource_changes",
            "configuration",
            "root_module",
            "resources",
            "module_calls",
            "module",
            "expressions",
            "references",
            "constant_value",
            "outputs",
            "expression",
            "bucket",
            "versioning_configuration",
            "policy",
            "values",
            "child_modules",
            "instances",
            "attributes",
            "version",
            "format_version",
            "prior_state",
            "for_each_expression",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::vec((keys, inner), 0..6)
                .prop_map(|members| Json::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_text_ends(text in "\\PC{0,60}") {
        scan(&text);
    }

    /// A real plan with one part replaced by anything.
    #[test]
    fn wrong_types_everywhere_end(part in 0usize..9, json in any_json()) {
        let mut bucket = change("aws_s3_bucket.b", json!({ "bucket": "b", "policy": "{}" }), json!({ "arn": true }));
        let mut versioning = change("aws_s3_bucket_versioning.b", json!({ "versioning_configuration": [{ "status": "Enabled" }] }), json!({ "bucket": true }));
        let mut configuration = json!({ "resources": [{ "address": "aws_s3_bucket_versioning.b", "expressions": { "bucket": { "references": ["aws_s3_bucket.b.id", "aws_s3_bucket.b"] } } }] });
        match part {
            0 => bucket["change"]["after"] = json,
            1 => bucket["change"]["after_unknown"] = json,
            2 => bucket["change"]["after_sensitive"] = json,
            3 => bucket["change"] = json,
            4 => bucket = json,
            5 => versioning["change"]["after"] = json,
            6 => configuration["resources"][0]["expressions"]["bucket"] = json,
            7 => configuration["module_calls"] = json,
            _ => configuration = json,
        }
        let first = scan(&plan(vec![bucket, versioning], configuration));
        prop_assert_eq!(first.scopes.len(), 1);
    }

    #[test]
    fn any_document_ends_the_same_twice(json in any_json()) {
        let text = json.to_string();
        prop_assert_eq!(scan(&text), scan(&text));
    }
}
