use catalogue::collect::{Expr, Member};
use model::{Value, from_json, to_json};
use serde_json::{Value as Json, json};

use super::{Named, Scope, build, eval};

fn of(text: &str, item: Json) -> Json {
    let item = from_json(&item);
    let named: Named = [("region".to_owned(), Value::text("eu-west-1")), ("top".to_owned(), from_json(&json!({"a": 7})))].into();
    to_json(&eval(&Expr::parse(text).unwrap(), &Scope::named(&item, &named)))
}

#[test]
fn expressions() {
    let item = json!({
        "A": { "B": [{ "C": [1, 2] }, { "C": [3] }, {}] }, "N": "bucket", "P": "{\"x\":[1]}", "E": "Enabled",
        "T": [{ "TagKey": "b", "TagValue": "2" }, { "TagKey": "a" }], "M": { "k": "v" }, "L": ["x/y"], "Z": "arn:aws:x:y/z",
        "U": "%7B%22a%22%3A1%7D", "S": "bm8=", "empty": [],
        "Q": { "O": { "Quantity": 1, "Items": [{ "A": { "Quantity": 1, "Items": ["x"] } }] }, "M": { "Quantity": 1, "Items": [1], "C": { "Quantity": 0 } } },
        "T2": [{ "on": true, "k": 1 }, { "on": false, "k": 2 }]
    });
    let cases = [
        ("A.B[].C[]", json!([1, 2, 3])),
        ("A.B[0].C[-1]", json!(2)),
        ("A.B[].D", json!([])),
        ("A.X.Y", Json::Null),
        ("arn:{region}:{N}", json!("arn:eu-west-1:bucket")),
        ("{X}-{N}", Json::Null),
        ("P | json | .x", json!([1])),
        ("U | json", json!({ "a": 1 })),
        ("E | bool", json!(true)),
        ("E | bool | not", json!(false)),
        ("X | bool", Json::Null),
        ("X || N", json!("bucket")),
        ("X | default 5", json!(5)),
        ("X | default none", json!("none")),
        ("X | any", json!(false)),
        ("empty | any", json!(false)),
        ("N | any", json!(true)),
        ("T | tags", json!([{ "Key": "a", "Value": "" }, { "Key": "b", "Value": "2" }])),
        ("M | tags", json!([{ "Key": "k", "Value": "v" }])),
        ("$top.a", json!(7)),
        ("Z | after /", json!("z")),
        ("L | after /", json!(["y"])),
        ("Z | split :", json!(["arn", "aws", "x", "y/z"])),
        ("E | is Enabled,On", json!(true)),
        ("N | enum bucket=Bucket", json!("Bucket")),
        ("N | null bucket", Json::Null),
        ("S | base64", json!("no")),
        ("L | has x/y", json!(true)),
        ("T | where TagKey=a | count", json!(1)),
        ("T | without TagKey=a | .[].TagKey", json!(["b"])),
        ("'fixed'", json!("fixed")),
        ("empty | some", Json::Null),
        ("empty | set", json!(true)),
        ("Q | unwrap", json!({ "O": [{ "A": ["x"] }], "M": { "Items": [1], "C": [] } })),
        ("T2 | where on=true | .[].k", json!([1])),
    ];
    for (text, wanted) in cases {
        assert_eq!(of(text, item.clone()), wanted, "{text}");
    }
}

#[test]
fn what_is_odd_is_unknown_and_never_null() {
    for text in ["N | json", "N | bool", "N | base64", "N | int", "N | tags", "N | has x"] {
        let found = of(text, json!({ "N": "?!" }));
        assert!(found.get("$unknown").is_some(), "{text}: {found}");
    }
}

#[test]
fn a_table_with_a_head_line() {
    let text = "user,arn,mfa_active\nroot,\"a,\"\"b\",true\nann,N/A,false\n";
    let wanted = json!([{ "arn": "a,\"b", "mfa_active": "true", "user": "root" }, { "mfa_active": "false", "user": "ann" }]);
    assert_eq!(of("C | csv", json!({ "C": text })), wanted);
}

fn props(table: Json, copy: &[&str], item: Json) -> Json {
    let copy: Vec<String> = copy.iter().map(|c| (*c).to_owned()).collect();
    let members = Member::parse_all(table.as_object().unwrap(), &copy).unwrap();
    let item = from_json(&item);
    to_json(&Value::Map(build(&members, &Scope::of(&item))))
}

#[test]
fn nested_lists_become_rows() {
    let table = json!({ "In": [
        { "each": "Perms", "of": "V4", "From": "^.From", "Cidr": "C" },
        { "each": "Perms", "of": "V6", "From": "^.From", "Cidr6": "C" },
    ] });
    let item =
        json!({ "Perms": [{ "From": 22, "V4": [{ "C": "a" }, { "C": "b" }], "V6": [] }, { "From": 80, "V6": [{ "C": "c" }] }] });
    let wanted = json!({ "In": [{ "Cidr": "a", "From": 22 }, { "Cidr": "b", "From": 22 }, { "Cidr6": "c", "From": 80 }] });
    assert_eq!(props(table, &[], item), wanted);
}

#[test]
fn empty_objects_are_not_set() {
    let table = json!({ "V": { "Status": "S" }, "W": { "from": "X", "copy": ["A"] }, "On": true });
    assert_eq!(props(table.clone(), &[], json!({})), json!({ "On": true }));
    let wanted = json!({ "V": { "Status": "Enabled" }, "W": { "A": 1 }, "On": true });
    assert_eq!(props(table, &[], json!({ "S": "Enabled", "X": { "A": 1, "B": 2 } })), wanted);
}

#[test]
fn small_letters_are_raised() {
    let item = json!({ "taskRole": "r", "logging": { "logDriver": "awslogs", "options": { "awslogs-group": "g" } } });
    let wanted = json!({ "Logging": { "LogDriver": "awslogs", "Options": { "awslogs-group": "g" } }, "TaskRole": "r" });
    assert_eq!(props(json!({}), &["TaskRole", "Logging", "Nothing"], item), wanted);
}
